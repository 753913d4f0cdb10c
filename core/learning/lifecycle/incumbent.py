"""The incumbent: what a candidate is compared with. This is the live model; if no Goldloop model is live, the sender's
recorded predictions; if there are none for any golden example, the most common label of the training rows."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.golden import Golden
from core.learning.data.inputs import Input
from core.learning.data.recent_inputs import recent_inputs
from core.learning.data.snapshots import Row
from core.learning.evaluation.compare import GoldenRow, Predicted, always, answers, predict
from core.learning.evaluation.eligibility import LiveTraining
from core.learning.evaluation.scorecard import Baseline
from core.learning.evaluation.stored_texts import TEXTS, TextScore, text_score
from core.learning.learners.artifacts import OtherRuntime
from core.learning.learners.base import Fitted
from core.learning.learners.external import Connect, GoldenAnswers, answered_before, unconnected
from core.learning.learners.label_subset import NoCommonLabels
from core.learning.lifecycle.held_out import RightRows, stored_right_rows
from core.learning.lifecycle.live_training import live_training
from core.learning.lifecycle.serving import LiveModel, load_model
from core.learning.lifecycle.submissions import submitted_answers
from core.policy import QueuePolicy
from core.records.learning import GoldenExample, Live, ModelVersion
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.vocabulary import Coded, GateWarning, Modality


@dataclass(frozen=True)
class Incumbent:
    """model: the live one, or None; unusable: why it cannot be opened. training: what it learned from. texts: the
    newest stored inputs that both models read. recorded: the sender's predictions, by golden example. right_rows: of
    its training rows, held out. submitted: what its service has answered to golden inputs, by content hash."""

    model: LiveModel | None
    unusable: Coded | None
    training: LiveTraining | None
    texts: Sequence[Input]
    recorded: Mapping[int, str | None]
    right_rows: RightRows | None = None
    submitted: GoldenAnswers = field(default_factory=dict)

    def on_golden(
        self, golden: Sequence[GoldenRow], rows: Sequence[Row], reads: Collection[Modality]
    ) -> tuple[Baseline, Predicted]:
        """rows: what the candidate was trained on, reads: what it reads; for the most common label."""
        if self.model:
            return "live", predict(answered_before(self.model.fitted, self.submitted), golden)
        if any(row.id in self.recorded for row in golden):
            return "recorded", Predicted(tuple(self.recorded.get(row.id) for row in golden))
        return "majority", always(_majority(rows, reads), golden)

    def on_texts(self, candidate: Fitted, policy: QueuePolicy) -> TextScore | None:
        """Both models on the same stored texts; None without a live model. Memory: the texts, and 8 bytes for each text
        and label, of one model at a time."""
        if self.model is None:
            return None
        before, now = (answers(fitted, self.texts).labels for fitted in (self.model.fitted, candidate))
        return text_score(before, now, policy.label_names, [one.group for one in self.texts])


def load_incumbent(
    session: Session, live: Live, golden: Sequence[Golden], reads: Collection[Modality], policy: QueuePolicy,
    extra_learners: Mapping[str, str], connect: Connect = unconnected,
) -> Incumbent:  # fmt: skip
    """golden: what will be measured. reads: what the candidate reads. connect: as for `load_model`. Raises Invalid
    where the live model was changed or damaged: a person has to look at that."""
    model, unusable = _opened(session, live.model_id, policy, extra_learners, connect)
    if model is None:
        return Incumbent(None, unusable, None, (), _recorded(session, live.queue_id))
    texts = recent_inputs(session, live.queue_id, (reads, model.fitted.reads), TEXTS)
    training = live_training(session, model.id, golden)
    submitted = submitted_answers(session, session.get_one(ModelVersion, model.id).run_id)
    return Incumbent(model, None, training, texts, {}, stored_right_rows(session, model.id), submitted)


def _opened(
    session: Session, model_id: int | None, policy: QueuePolicy, extra_learners: Mapping[str, str], connect: Connect
) -> tuple[LiveModel | None, Coded | None]:
    """The live model, or why it cannot be used with its learner's present runtime, or with the current labels: a new
    training run fixes that."""
    if model_id is None:
        return None, None
    try:
        return load_model(session, model_id, policy, extra_learners, connect), None
    except (OtherRuntime, NoCommonLabels) as refusal:
        return None, Coded(GateWarning.LIVE_UNUSABLE, {"sentence": str(refusal)})


def _recorded(session: Session, queue_id: int) -> dict[int, str | None]:
    """What the sender's model had said about the golden examples that came from its predictions."""
    found = session.execute(
        select(GoldenExample.id, Prediction.label)
        .join(Correction, Correction.id == GoldenExample.correction_id)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(GoldenExample.queue_id == queue_id, Prediction.label.is_not(None))
    )
    return dict(found.all())


def _majority(rows: Sequence[Row], reads: Collection[Modality]) -> str:
    """The most frequent label of the rows that could be learned from; of equals the first by name."""
    readable = [row for row in rows if row.input.has_any(reads)]
    counted = Counter(row.label for row in readable or rows)  # all of them may have been erased since
    return min(counted, key=lambda label: (-counted[label], label))
