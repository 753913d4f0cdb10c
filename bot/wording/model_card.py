"""A model card in words, line by line."""

from collections.abc import Iterator

from bot.wording.canary import canary_sentence, paired_sentence
from bot.wording.confusions import confusion_lines
from bot.wording.format import Format
from bot.wording.gate import gate_sentence
from bot.wording.model_history import decision, model_step, overruled_sentences
from bot.wording.numbers import count, points, signed
from bot.wording.runs import TRIGGERS
from bot.wording.shadow import agreement, labels_in_shadow
from bot.wording.synthesis import written_rows_sentence
from core.learning.data.synthetic import WrittenRows
from core.learning.evaluation.scorecard import LabelScore
from core.learning.lifecycle.history import Evaluated
from core.learning.lifecycle.model_card import EvaluationLine, ModelCard
from core.vocabulary import ModelState

STATES: dict[ModelState, str] = {
    ModelState.CANDIDATE: "a candidate waiting for a lead's decision",
    ModelState.LIVE: "live",
    ModelState.RETIRED: "no longer live",
    ModelState.REJECTED: "rejected",
    ModelState.SUPERSEDED: "superseded by a newer candidate",
}
USE = "It suggests labels; people review what it is unsure of. It was measured on this queue's golden examples only."


def model_card_sections(card: ModelCard, form: Format) -> Iterator[tuple[str, list[str]]]:
    """The sections of a card: headings with their lines."""
    against = " ".join(overruled_sentences(card.decisions, card.evaluations[-1].passed, form))
    head = [against] if against else []
    yield f"{form.text(card.queue_title)}: {card.name} (model {card.id})", [*head, f"State: {STATES[card.state]}.", USE]
    yield "How it was made", [*_origin_lines(card, form)]
    yield "Training data", [*_training_lines(card, form)]
    yield "Evaluation", [*_evaluation_lines(card.evaluations[-1], form)]
    if card.shadow is not None:
        yield "In shadow", [agreement(card.shadow), *labels_in_shadow(card.shadow, form)]
    if card.canary is not None:
        yield "Canary", [canary_sentence(card.canary, card.name), paired_sentence(card.canary.paired)]
    earlier = [f"{_date(one)}: compared with {_compared_with(one)}, {_verdict(one)}." for one in card.evaluations[:-1]]
    if earlier:
        yield "Earlier evaluations", earlier
    decided = [f"{line.at:%Y-%m-%d %H:%M} UTC: {decision(line, form)}." for line in card.decisions]
    yield "Decisions", decided or ["None yet. No model goes live without a lead's approval."]


def _origin_lines(card: ModelCard, form: Format) -> Iterator[str]:
    by = f"by {form.person(card.requested_by)}" if card.requested_by else TRIGGERS[card.trigger]
    yield f"Requested {card.requested_at:%Y-%m-%d %H:%M} UTC {by}, stored {card.created_at:%Y-%m-%d %H:%M} UTC."
    yield f"Learner “{form.text(card.fit.learner)}” ({form.text(card.fit.runtime)}), seed {card.fit.seed}."
    if card.fit.service_version is not None:
        yield f"Trained by a service, which calls it “{form.text(card.fit.service_version)}”."
    yield f"Parameters {card.fit.parameters}"
    yield f"Artifact {card.fit.artifact}"


def _training_lines(card: ModelCard, form: Format) -> Iterator[str]:
    data = card.training
    yield f"{count(data.rows, 'row')}: {count(data.seeds, 'seed')} and {count(data.corrections, 'correction')}."
    if data.written:
        yield written_rows_sentence(WrittenRows(data.written, data.batches))
    if data.near_golden_left_out:
        yield f"{count(data.near_golden_left_out, 'row')} left out as near-duplicates of golden examples."
    if data.erased:
        yield f"{count(data.erased, 'row')} erased since. The model may still contain words from this data."
    yield "Rows per label: " + ", ".join(f"{form.text(label)} {rows}" for label, rows in data.labels.items()) + "."
    if card.untaught:
        yield "No training rows, so never predicted: " + ", ".join(map(form.text, card.untaught)) + "."
    yield f"Snapshot {data.snapshot_hash} (policy {data.policy})"


def _evaluation_lines(line: EvaluationLine, form: Format) -> Iterator[str]:
    step = Evaluated(line.golden_hash, line.scorecard, line.passed, line.blocks, line.policy)
    yield f"{_date(line)}. {model_step(step, form)}"
    random = line.scorecard.random
    if random.n:
        low, high = signed(random.difference.low), signed(random.difference.high)
        yield f"Difference on random examples: {signed(random.difference.estimate)} points ({low} to {high})."
        yield f"Right on random examples: {random.candidate.low:.0%} to {random.candidate.high:.0%}, 95% interval."
    yield from (_label(score, form) for score in line.scorecard.labels if score.n)
    yield from (f"Confusion: {one}." for one in confusion_lines(line.scorecard, form))
    if line.scorecard.candidate_calibration is not None:
        yield f"Its confidence is off by {points(line.scorecard.candidate_calibration.error)} on average."
    yield from (f"Note: {gate_sentence(warning, form)}" for warning in line.warnings)
    yield f"Golden set {line.golden_hash}"


def _label(score: LabelScore, form: Format) -> str:
    right = f"{score.live_right} right before, {score.candidate_right} now"
    return f"{form.text(score.label)}: {count(score.n, 'random example')}, {right}."


def _date(line: EvaluationLine) -> str:
    return f"{line.at:%Y-%m-%d %H:%M} UTC"


def _compared_with(line: EvaluationLine) -> str:
    return line.compared_with or "no live model"


def _verdict(line: EvaluationLine) -> str:
    return "the gate passed it" if line.passed else "the gate refused it"
