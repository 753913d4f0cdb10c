"""Judging: a candidate and the incumbent predict, their answers are compared, and the gate decides. Arguments and
results are plain data, so that another process can judge, which has loaded the libraries
(core/learning/lifecycle/candidates.py)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.learning.data.inputs import Input
from core.learning.evaluation.compare import GoldenRow, Predicted, always, answers, compare, predict
from core.learning.evaluation.eligibility import LiveTraining, with_eligibility
from core.learning.evaluation.gate import GateVerdict, gate
from core.learning.evaluation.paired_scores import training_score
from core.learning.evaluation.scorecard import Baseline, Scorecard, TrainingScore
from core.learning.evaluation.stored_texts import TextScore, text_score
from core.learning.evaluation.training_labels import rows_gone
from core.learning.learners.artifacts import OtherRuntime
from core.learning.learners.label_subset import NoCommonLabels
from core.learning.learners.stored_model import Model, opened
from core.learning.learners.vectors import cached_vectors
from core.policy import QueuePolicy
from core.vocabulary import Coded


@dataclass(frozen=True)
class Answers:
    """A model's answers to the golden examples, and its labels for the stored texts, both in the order given."""

    golden: Predicted
    texts: tuple[str | None, ...]


@dataclass(frozen=True)
class Incumbent:
    """The baseline of a candidate: the live model; if no Goldloop model is live, or the live one cannot be used, the
    sender's recorded predictions; if there are none for any golden example, the most common label of the training rows.

    model: the live one, or its answers; None: there is none. recorded: the sender's predictions, by id of the golden
    example. most_common: a label. training: the live model's training data; right: content hash of its training row ->
    whether it is right when held out. texts: the newest stored inputs that both models read."""

    model: Model | Answers | None
    recorded: Mapping[int, str | None]
    most_common: str
    training: LiveTraining | None = None
    right: Mapping[str, bool] | None = None
    texts: Sequence[Input] = ()


@dataclass(frozen=True)
class Case:
    """The arguments of a judgement. candidate: the model, or its answers. right: the same as in `Incumbent`, for the
    candidate. groups: content hash -> group, for training rows that have one. labels: label -> number of training
    rows."""

    candidate: Model | Answers
    incumbent: Incumbent
    golden: Sequence[GoldenRow]
    right: Mapping[str, bool] | None
    groups: Mapping[str, str]
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """The result of a judgement. unusable: why the live model could not be used; None: it was used, or there is
    none."""

    scorecard: Scorecard
    verdict: GateVerdict
    unusable: str | None


def judge(case: Case, policy: QueuePolicy, _report: Callable[[Coded], None]) -> Judged:
    """Judge a candidate. Raises Invalid if a model was changed or damaged, because a person has to look at that. A live
    model that another runtime made, or that knows none of the labels, is not used: a new training run fixes that."""
    with cached_vectors():
        live, unusable = _live_answers(case)
        incumbent = replace(case.incumbent, training=None, right=None, texts=()) if live is None else case.incumbent
        candidate = _answers(case.candidate, case.golden, incumbent.texts)
    golden = with_eligibility(case.golden, incumbent.training, policy.golden.near_duplicate)
    baseline, standing = _baseline(incumbent, live, golden)
    texts = _on_texts(incumbent, live, candidate, policy)
    learned = incumbent.training.labels if incumbent.training else {}
    scorecard = replace(
        compare(golden, standing, candidate.golden, policy, baseline, texts),
        training=_on_training(incumbent, case),
        rows_gone=rows_gone(learned, case.labels, policy.label_names),
    )
    return Judged(scorecard, gate(scorecard, policy.promotion), unusable)


def _live_answers(case: Case) -> tuple[Answers | None, str | None]:
    """The live model's answers, or why it cannot be used; both None: there is none."""
    if case.incumbent.model is None:
        return None, None
    try:
        return _answers(case.incumbent.model, case.golden, case.incumbent.texts), None
    except (OtherRuntime, NoCommonLabels) as refusal:
        return None, str(refusal)


def _answers(model: Model | Answers, golden: Sequence[GoldenRow], texts: Sequence[Input]) -> Answers:
    """The model's answers. Memory: 8 bytes per text and label, for one model at a time."""
    if isinstance(model, Answers):
        return model
    fitted = opened(model)
    return Answers(predict(fitted, golden), answers(fitted, texts).labels)


def _baseline(incumbent: Incumbent, live: Answers | None, golden: Sequence[GoldenRow]) -> tuple[Baseline, Predicted]:
    if live is not None:
        return "live", live.golden
    if any(row.id in incumbent.recorded for row in golden):
        return "recorded", Predicted(tuple(incumbent.recorded.get(row.id) for row in golden))
    return "majority", always(incumbent.most_common, golden)


def _on_texts(
    incumbent: Incumbent, live: Answers | None, candidate: Answers, policy: QueuePolicy
) -> TextScore | None:  # fmt: skip
    """The comparison on the stored texts. None: there is no live model."""
    if live is None:
        return None
    groups = [one.group for one in incumbent.texts]
    return text_score(live.texts, candidate.texts, policy.label_names, groups)


def _on_training(incumbent: Incumbent, case: Case) -> TrainingScore | None:
    if incumbent.right is None or case.right is None:
        return None
    return training_score(incumbent.right, case.right, case.groups)
