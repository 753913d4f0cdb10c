"""Fitting: a learner on the examples that it can read, and the fitted model packed.

The arguments and the result of `fit_and_pack` can be sent to another process and back; the learner is passed by
name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Invalid
from core.learning.data.inputs import Example
from core.learning.learners.artifacts import Packed, pack
from core.learning.learners.base import AnsweredHeldOut, Fitted, HeldOut, Learner, Progress, missing_members
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.registry import find_learner
from core.vocabulary import Coded, Modality, RunStep


@dataclass(frozen=True)
class PackedModel:
    """A fitted model as bytes, the fingerprint of its parameters, and its answers to held-out examples, if its learner
    gives them."""

    packed: Packed
    fingerprint: str
    held_out: HeldOut | None = None


def fit_and_pack(
    learner_name: str, extra_learners: Mapping[str, str], examples: Sequence[Example], seed: int, progress: Progress
) -> PackedModel:
    """Fit a model and serialise it. Raises Invalid as `find_learner`, `fit` and `pack` do."""
    learner = find_learner(learner_name, extra_learners)
    fitted = fit(learner, examples, seed, progress)
    return PackedModel(pack(learner, fitted), fingerprint(fitted), held_out_of(fitted, examples))


def held_out_of(fitted: Fitted, examples: Sequence[Example]) -> HeldOut | None:
    """The model's answer to each example that was given to `fit` below; None for one that the learner cannot read. None
    instead of a list: the model gives no such answers. Raises Invalid if their number is wrong."""
    if not isinstance(fitted, AnsweredHeldOut) or fitted.held_out is None:
        return None
    readable = sum(example.input.has_any(fitted.reads) for example in examples)
    if len(fitted.held_out) != readable:
        raise Invalid(f"The fitted model has {len(fitted.held_out)} held-out answers to {readable} examples.")
    answers = iter(fitted.held_out)
    return tuple(next(answers) if example.input.has_any(fitted.reads) else None for example in examples)


def fit(learner: Learner, examples: Sequence[Example], seed: int, progress: Progress) -> Fitted:
    """Fit on the examples that the learner can read; `progress` reports how many are left out. Raises Invalid with a
    sentence if none is left, if the learner cannot learn from them, or if its result is not a `Fitted`.
    """
    require_readable(learner, examples)
    readable = [example for example in examples if example.input.has_any(learner.reads)]
    if len(readable) < len(examples):
        left_out = {"rows": len(examples) - len(readable), "reads": list(learner.reads)}
        progress(Coded(RunStep.ROWS_LEFT_OUT, left_out))
    fitted = learner.fit(readable, seed, progress)
    if missing := missing_members(fitted, Fitted):
        raise Invalid(f"The model fitted by the learner “{learner.name}” lacks {', '.join(missing)}.")
    return fitted


def require_readable(learner: Learner, examples: Sequence[Example]) -> None:
    """Raises Invalid with a sentence if the learner can read none of the examples."""
    if not examples:
        raise Invalid("There is nothing to learn from: there are no training rows.")
    if not any(example.input.has_any(learner.reads) for example in examples):
        raise Invalid(
            f"The learner “{learner.name}” reads {modalities(learner.reads)}, "
            f"and none of the {len(examples)} training rows has any."
        )


def modalities(reads: Sequence[Modality]) -> str:
    """The modalities for a sentence: "text and images"."""
    *others, last = ("images" if modality is Modality.IMAGE else modality.value for modality in reads)
    return f"{', '.join(others)} and {last}" if others else last
