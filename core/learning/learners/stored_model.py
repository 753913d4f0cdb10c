"""A stored model as plain data, which can be sent to another process and opened there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.learning.learners.artifacts import Packed, unpack
from core.learning.learners.base import Fitted
from core.learning.learners.external import Ask, connected
from core.learning.learners.label_subset import label_subset
from core.learning.learners.registry import find_learner
from core.vocabulary import Coded, Modality


@dataclass(frozen=True)
class StoredModel:
    """A stored model. learner: its learner's name; extra_learners: as for `find_learner`. parameters: the fingerprint
    that was stored beside it; None: not checked. labels: those to which the model is restricted; None: it is not
    restricted."""

    packed: Packed
    learner: str
    extra_learners: Mapping[str, str] = field(hash=False)
    parameters: str | None = None
    labels: tuple[str, ...] | None = None

    def opened(self, ask: Ask | None = None) -> Fitted:
        """The fitted model. ask: the connection, if a service computes the model. Raises Invalid as `find_learner` and
        `unpack` do, and NoCommonLabels."""
        fitted = unpack(self.packed, find_learner(self.learner, self.extra_learners), self.parameters)
        if ask is not None:
            fitted = connected(fitted, ask)
        return fitted if self.labels is None else label_subset(fitted, self.labels)


Model = StoredModel | Fitted


def opened(model: Model) -> Fitted:
    return model.opened() if isinstance(model, StoredModel) else model


def reads_of(models: Sequence[Model], _report: Callable[[Coded], None]) -> list[tuple[Modality, ...]]:
    """The modalities that each model reads. To be run in another process: it imports the learners, but opens no
    model."""
    return [
        find_learner(model.learner, model.extra_learners).reads if isinstance(model, StoredModel) else model.reads
        for model in models
    ]
