"""Sentences about the steps of a model: its training, and the decisions about it."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.decisions import DECIDED, people, quoted
from bot.wording.format import Format
from bot.wording.gate import BASELINES, SHORT, gate_sentence
from bot.wording.numbers import count
from bot.wording.report import counts_sentence
from bot.wording.runs import TRIGGERS
from bot.wording.weighing import weighing
from core.learning.data.erased_rows import RowSource
from core.learning.lifecycle.cards import DecisionLine
from core.learning.lifecycle.history import Evaluated, Fitted, Requested, RowsErased, SnapshotTaken, Step, Weighed
from core.vocabulary import DecisionKind, Source

SOURCES: dict[Source, str] = {
    Source.SEED: "seed",
    Source.CORRECTION: "correction",
    Source.SYNTHETIC: "synthetic text",
}
NAMED = 5  # erased rows named in one sentence


def model_step(step: Step, form: Format) -> str:
    match step:
        case Requested():
            by = f"by {form.person(step.person)}" if step.person else TRIGGERS[step.trigger]
            return f"Training requested {by} (policy {step.policy})."
        case Weighed():
            return weighing(step.choice, form)
        case SnapshotTaken():
            return _snapshot(step)
        case Fitted():
            return (
                f"{step.model} fitted by the learner “{form.text(step.learner)}”, seed {step.seed} "
                f"(parameters {step.parameters[:12]}, artifact {step.artifact[:12]}, {form.text(step.library)})."
            )
        case Evaluated():
            return _evaluated(step, form)
        case DecisionLine():
            words = decision(step, form)
            opening = words if step.instead else words[0].upper() + words[1:]
            return f"{opening} (snapshot {step.snapshot_hash[:12]}, policy {step.policy_fingerprint})."
        case RowsErased():
            return f"{erased_sentence(step.rows)} The next model will not be trained on them."
        case _:
            assert_never(step)


def erased_sentence(rows: Sequence[RowSource]) -> str:
    """The sentence on erased training rows. rows: at least one."""
    named = ", ".join(f"{SOURCES[row.source]} {row.id}" for row in rows[:NAMED])
    rest = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"{count(len(rows), 'row')} of its training data erased since ({named}{rest})."


def decision(line: DecisionLine, form: Format) -> str:
    """A decision, beginning with a small letter: "promoted by …", or "v2 promoted by …" of a later model."""
    reason = f": {quoted(line.reason, form)}" if line.reason else ""
    about = f"{line.instead} " if line.instead else ""
    return f"{about}{DECIDED[line.kind]} {people(line.leads, form)}".rstrip() + reason


def overruled_sentences(lines: Sequence[DecisionLine], gate_passed: bool, form: Format) -> tuple[str, ...]:
    """The sentences on a promotion against the report: the fact, then by whom and why. Empty: the model was not
    promoted so."""
    line = next((one for one in lines if one.kind is DecisionKind.OVERRULE and not one.instead), None)
    if line is None:
        return ()
    problem = "it had learned from text that was erased" if gate_passed else "the golden gate refused it"
    return f"Promoted although {problem}.", f"By {people(line.leads, form)}: {quoted(line.reason, form)}."


def _snapshot(step: SnapshotTaken) -> str:
    left = (
        f"; {count(step.near_golden, 'row')} left out as near-duplicates of golden examples" if step.near_golden else ""
    )
    corrections = count(step.corrections, "correction")
    return f"Snapshot {step.content_hash[:12]}: {count(step.rows, 'row')}, including {corrections}{left}."


def _evaluated(step: Evaluated, form: Format) -> str:
    card = step.scorecard
    random, past, before = card.random, card.past_errors, SHORT[card.baseline]
    verdict = "The gate passed it" if step.passed else "The gate refused it"
    blocks = "".join(f" {gate_sentence(block, form).rstrip('.')}." for block in step.blocks)
    return (
        f"Compared with {BASELINES[card.baseline]} on golden set {step.golden_hash[:12]}. Random examples right: "
        f"{before} {random.live_right}/{random.n}, candidate {random.candidate_right}/{random.n}. "
        f"{counts_sentence(card.pooled)} Past errors: {len(past.fixed)} fixed, {len(past.newly_wrong)} newly wrong. "
        f"{verdict} (policy {step.policy}).{blocks}"
    )
