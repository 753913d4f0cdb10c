"""The live model of each queue, in this process. Each prediction reads the `Live` row, so a promotion by any process
takes effect with the next prediction; the model is loaded again only when that row has changed."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.learners.artifacts import Packed
from core.learning.learners.base import Fitted, FloatArray
from core.learning.learners.external import Connect, connected, unconnected
from core.learning.learners.fitting import modalities
from core.learning.learners.label_subset import label_subset
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.stored_model import StoredModel
from core.learning.learners.suspicion import Said, suspicion_of
from core.learning.lifecycle.canary import answering_model
from core.learning.lifecycle.models import live_model_id
from core.policy import QueuePolicy
from core.records.learning import Artifact, ModelVersion
from core.storage import deadlines
from core.storage.database import Database

log = logging.getLogger(__name__)

MOST_OTHERS = 2  # per queue: a candidate in shadow, and the former model in a canary


@dataclass(frozen=True)
class LiveModel:
    """fitted: restricted to the queue's labels; dropped: learned labels that the queue no longer has."""

    id: int
    name: str
    fitted: Fitted
    dropped: tuple[str, ...] = ()

    def require_readable(self, inputs: Sequence[Input]) -> None:
        """Raises Invalid if the model cannot read one of the inputs: the answer would be meaningless."""
        if not all(one.has_any(self.fitted.reads) for one in inputs):
            raise Invalid(f"The live model {self.name} reads {modalities(self.fitted.reads)} only.", field="input")

    def predict(self, inputs: Sequence[Input]) -> list[dict[str, float]]:
        """The probability of each label, for each input."""
        return self._named(self.fitted.probabilities(inputs))

    def answers(self, inputs: Sequence[Input]) -> list[Said]:
        """For each input, what `predict` says and how suspicious it is."""
        table = self.fitted.probabilities(inputs)
        suspicion = map(float, suspicion_of(self.fitted, inputs, table))
        return [Said(row, doubt) for row, doubt in zip(self._named(table), suspicion, strict=True)]

    def _named(self, table: FloatArray) -> list[dict[str, float]]:
        return [dict(zip(self.fitted.classes, map(float, row), strict=True)) for row in table]


class Serving:
    """The loaded models: one per queue, loaded by one thread while others wait for it."""

    def __init__(
        self, database: Database, extra_learners: Mapping[str, str] = {}, connect: Connect = unconnected
    ) -> None:  # fmt: skip
        self._database = database
        self._extra_learners = extra_learners
        self._connect = connect
        self._lock = threading.Lock()
        self._loaded: dict[str, LiveModel] = {}
        self._others: dict[str, dict[int, LiveModel]] = {}  # queue -> further models beside the live one
        self._complaints: set[str] = set()

    def live(self, queue: QueuePolicy) -> LiveModel | None:
        """The queue's live model. None: no model is live. Raises Invalid if it cannot be loaded."""
        with self._database.reading() as session:
            model_id = live_model_id(session, queue.name)
            if model_id is None:
                return None
            loaded = self._loaded.get(queue.name)
            return loaded if loaded and loaded.id == model_id else self._load(session, queue, model_id)

    def _load(self, session: Session, queue: QueuePolicy, model_id: int) -> LiveModel:
        """Load the model. Raises DatabaseUnavailable if another thread takes too long to load it."""
        with deadlines.taken(self._lock):
            loaded = self._loaded.get(queue.name)
            if loaded is None or loaded.id != model_id:
                loaded = self._loaded[queue.name] = self._open(session, queue, model_id)
            return loaded

    def _open(self, session: Session, queue: QueuePolicy, model_id: int) -> LiveModel:
        return load_model(session, model_id, queue, self._extra_learners, self._connect)

    def answering(self, queue: QueuePolicy, external_id: str) -> LiveModel | None:
        """The model that answers this caller: the live one, or during its canary, for most, the one before it. Raises
        as `live`; where the one before it cannot be loaded, the live one answers."""
        live = self.live(queue)
        if live is None or not queue.rollout.canary_share:
            return live
        with self._database.reading() as session:
            chosen = answering_model(session, live.id, external_id)
        try:
            return live if chosen == live.id else self.other(queue, chosen)
        except Invalid as refusal:
            self._complain(queue, refusal)
            return live

    def other(self, queue: QueuePolicy, model_id: int) -> LiveModel:
        """A model by its id. The last few of each queue stay loaded. Raises Invalid if it cannot be."""
        loaded = self._loaded.get(queue.name)
        if loaded is not None and loaded.id == model_id:
            return loaded
        with self._database.reading() as session, deadlines.taken(self._lock):
            others = self._others.setdefault(queue.name, {})
            found = others.pop(model_id, None) or self._open(session, queue, model_id)
            others[model_id] = found
            while len(others) > MOST_OTHERS:
                others.pop(next(iter(others)))
            return found

    def usable(self, queue: QueuePolicy) -> LiveModel | None:
        """Like `live`, for work that goes on without a model: one that cannot be used is logged once, and None."""
        try:
            return self.live(queue)
        except Invalid as refusal:
            self._complain(queue, refusal)
            return None

    def _complain(self, queue: QueuePolicy, refusal: Invalid) -> None:
        if str(refusal) not in self._complaints:
            self._complaints.add(str(refusal))
            log.error("Live model cannot be loaded", extra={"queue": queue.name, "reason": str(refusal)})


def load_model(
    session: Session, model_id: int, queue: QueuePolicy, extra_learners: Mapping[str, str] = {},
    connect: Connect = unconnected,
) -> LiveModel:  # fmt: skip
    """connect: how the model of a service is asked, which happens later, outside of the transaction. Raises Invalid if
    the artefact or its parameters were changed, OtherRuntime if its learner has another runtime now, NoCommonLabels if
    none of its labels is left in the policy."""
    model = session.get_one(ModelVersion, model_id)
    stored = stored_model(session, model_id, queue, extra_learners)
    learned = connected(stored.opened(), connect(queue))
    fitted = label_subset(learned, queue.label_named)
    return LiveModel(model.id, model.name, fitted, tuple(sorted({*learned.classes} - {*fitted.classes})))


def stored_model(
    session: Session, model_id: int, queue: QueuePolicy, extra_learners: Mapping[str, str] = {}
) -> StoredModel:
    """The stored model. Raises Invalid if its artefact was deleted."""
    model, artifact = session.get_one(ModelVersion, model_id), session.get_one(Artifact, model_id)
    if artifact.purged_at is not None:
        raise Invalid(f"{model.name} was deleted because it was trained on text that was erased.")
    packed = Packed(artifact.content, artifact.sha256, artifact.runtime)
    return StoredModel(packed, model.learner, with_own_encoder(queue, extra_learners), model.parameters_fingerprint)
