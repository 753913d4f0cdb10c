"""Judging: a candidate and the incumbent answer, are compared, and the gate decides.

All of it takes plain data and gives plain data, so that it can be done in another process, which has the libraries for
it (core/learning/lifecycle/candidates.py)."""

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
    """A model's answers to the golden examples, and its labels of the stored texts, both in their order."""

    golden: Predicted
    texts: tuple[str | None, ...]


@dataclass(frozen=True)
class Incumbent:
    """What a candidate is compared with: the live model; if no Goldloop model is live, or the one that is cannot be
    used, the sender's recorded predictions; if there are none for any golden example, the most common label of the
    training rows.

    model: the live one, or its answers; None: there is none. recorded: the sender's predictions, by golden example.
    most_common: a label. training: what the live model learned from; right: of its training rows, by content hash,
    whether they are right when held out. texts: the newest stored inputs that both models read."""

    model: Model | Answers | None
    recorded: Mapping[int, str | None]
    most_common: str
    training: LiveTraining | None = None
    right: Mapping[str, bool] | None = None
    texts: Sequence[Input] = ()


@dataclass(frozen=True)
class Case:
    """candidate: the model, or its answers. right: of the candidate, as of the incumbent. groups: content hash ->
    group, of the training rows that have one. labels: how many training rows have each label."""

    candidate: Model | Answers
    incumbent: Incumbent
    golden: Sequence[GoldenRow]
    right: Mapping[str, bool] | None
    groups: Mapping[str, str]
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """unusable: why the live model could not be used; None: it was, or there is none."""

    scorecard: Scorecard
    verdict: GateVerdict
    unusable: str | None


def judge(case: Case, policy: QueuePolicy, _report: Callable[[Coded], None]) -> Judged:
    """Raises Invalid where a model was changed or damaged: a person has to look at that. A live model that was made by
    another runtime, or knows none of the labels, cannot be used: a new training run fixes that."""
    with cached_vectors():
        live, unusable = _live_answers(case)
        incumbent = replace(case.incumbent, training=None, right=None, texts=()) if live is None else case.incumbent
        candidate = _answers(case.candidate, case.golden, incumbent.texts)
    golden = with_eligibility(case.golden, incumbent.training, policy.golden.near_duplicate)
    baseline, standing = _standing(incumbent, live, golden)
    texts = _on_texts(incumbent, live, candidate, policy)
    learned = incumbent.training.labels if incumbent.training else {}
    scorecard = replace(
        compare(golden, standing, candidate.golden, policy, baseline, texts),
        training=_on_training(incumbent, case),
        rows_gone=rows_gone(learned, case.labels, policy.label_names),
    )
    return Judged(scorecard, gate(scorecard, policy.promotion), unusable)


def _live_answers(case: Case) -> tuple[Answers | None, str | None]:
    """Or why the live model cannot be used; neither: there is none."""
    if case.incumbent.model is None:
        return None, None
    try:
        return _answers(case.incumbent.model, case.golden, case.incumbent.texts), None
    except (OtherRuntime, NoCommonLabels) as refusal:
        return None, str(refusal)


def _answers(model: Model | Answers, golden: Sequence[GoldenRow], texts: Sequence[Input]) -> Answers:
    """Memory: 8 bytes for each text and label, of one model at a time."""
    if isinstance(model, Answers):
        return model
    fitted = opened(model)
    return Answers(predict(fitted, golden), answers(fitted, texts).labels)


def _standing(incumbent: Incumbent, live: Answers | None, golden: Sequence[GoldenRow]) -> tuple[Baseline, Predicted]:
    if live is not None:
        return "live", live.golden
    if any(row.id in incumbent.recorded for row in golden):
        return "recorded", Predicted(tuple(incumbent.recorded.get(row.id) for row in golden))
    return "majority", always(incumbent.most_common, golden)


def _on_texts(
    incumbent: Incumbent, live: Answers | None, candidate: Answers, policy: QueuePolicy
) -> TextScore | None:  # fmt: skip
    """None without a live model."""
    if live is None:
        return None
    groups = [one.group for one in incumbent.texts]
    return text_score(live.texts, candidate.texts, policy.label_names, groups)


def _on_training(incumbent: Incumbent, case: Case) -> TrainingScore | None:
    if incumbent.right is None or case.right is None:
        return None
    return training_score(incumbent.right, case.right, case.groups)
