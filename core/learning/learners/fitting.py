"""Fitting a learner and packing what it has learnt: the part of a training run that computes. Its arguments and its
result can be sent to another process and back; the learner goes by its name."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.learning.data.inputs import Example
from core.learning.learners.artifacts import Packed, pack
from core.learning.learners.base import Progress, find_learner
from core.learning.learners.fingerprints import fingerprint


@dataclass(frozen=True)
class PackedModel:
    packed: Packed
    fingerprint: str


def fit(learner_name: str, examples: Sequence[Example], seed: int, progress: Progress) -> PackedModel:
    """Raises Invalid as `find_learner`, `Learner.fit` and `pack` do."""
    learner = find_learner(learner_name)
    fitted = learner.fit(examples, seed, progress)
    return PackedModel(pack(learner, fitted), fingerprint(fitted))
