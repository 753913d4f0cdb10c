"""The class floor: labels with too few training rows to be learned."""

from collections import Counter
from collections.abc import Collection, Sequence

from core.learning.data.snapshots import Row
from core.vocabulary import Coded, GateWarning, Modality, Source

# The fewest rows of a label. The calibration has three folds: with fewer rows, some fold holds none out, and the
# model's confidence in the label is fitted on almost nothing.
CLASS_FLOOR = 3


def class_floor_warning(rows: Sequence[Row], labels: Collection[str], reads: Collection[Modality]) -> Coded | None:
    """The labels with fewer than `CLASS_FLOOR` training rows of people that the model could read, fewest first; None:
    there are none. labels: those of the policy; a label without any row cannot be predicted at all."""
    real = (row for row in rows if row.source is not Source.SYNTHETIC)
    counted = Counter(row.label for row in real if row.input.has_any(reads))
    few = sorted((counted[label], place, label) for place, label in enumerate(labels) if counted[label] < CLASS_FLOOR)
    if not few:
        return None
    return Coded(GateWarning.FEW_TRAINING_ROWS, {"rows": {label: n for n, _place, label in few}, "floor": CLASS_FLOOR})
