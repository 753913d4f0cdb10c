"""Sentences about answers and tallies."""

from collections.abc import Mapping

from bot.wording.format import Format
from bot.wording.numbers import count
from core.vocabulary import Destination, ErrorReason, shown_answer

REASONS: dict[ErrorReason, str] = {
    ErrorReason.NOISY_INPUT: "noisy input",
    ErrorReason.MISSING_CONTEXT: "missing context",
    ErrorReason.AMBIGUOUS: "ambiguous: several labels fit",
    ErrorReason.GUIDELINE_GAP: "the guideline doesn't cover it",
    ErrorReason.WRONG_LABEL_DEFINITION: "the label's definition is wrong",
    ErrorReason.NEW_CLASS: "a new kind of case",
    ErrorReason.BIASED_OR_OUTDATED_DATA: "the training data is biased or outdated",
    ErrorReason.OTHER: "something else",
}

DESTINATIONS: dict[Destination, str] = {
    Destination.TRAINING: "used for training",
    Destination.GOLDEN: "added to the golden set, never used for training",
    Destination.HELD_OUT: "kept to measure the model, never used for training",
    Destination.NOWHERE: "not used for training: no label fits",
    Destination.BATCH: "counted for its batch of written texts, which is admitted or refused as a whole",
}


def support(label: str | None, tally: dict[str, int], form: Format) -> str:
    """How many votes an outcome has: "(2 votes)", or "(2 of 3 votes; 1 × delivery)". Empty without votes."""
    answer, total = shown_answer(label), sum(tally.values())
    mine, others = tally.get(answer, 0), {other: n for other, n in tally.items() if other != answer}
    if not others:
        return f" ({count(total, 'vote')})" if total else ""
    return f" ({mine} of {count(total, 'vote')}; {votes(others, form)})"


def votes(tally: Mapping[str, int], form: Format) -> str:
    return ", ".join(f"{number} × {form.text(answer)}" for answer, number in tally.items())
