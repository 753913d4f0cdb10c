"""Sentences about a drift alarm: what changed in a queue's traffic, and what to do about it."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count
from core.quality.drift import Drift
from core.vocabulary import DriftSign

NAMES: dict[DriftSign, str] = {
    DriftSign.NONE_OF_THESE: "answers for which no label fits",
    DriftSign.CORRECTIONS: "corrected answers",
    DriftSign.CONFIDENCE: "unsure predictions",
    DriftSign.VOLUME: "predictions a day",
}


def drift_sentence(drift: Drift, day: date, form: Format) -> str:
    """The count of the days until `day`, and the count expected from the days before."""
    return f"{_period(drift.days, day)}, {_seen(drift, form)}; {_expected(round(drift.expected))}."


def next_step(drift: Drift, items: Sequence[str], queue: str) -> str:
    """The next step for a sign. items: names of the items that show the change. queue: the queue's name, for a
    command."""
    match drift.sign:
        case DriftSign.NONE_OF_THESE:
            belong = "If they belong together, add a label for them to the policy file."
            return f"Look at these texts{_listed(items)}. {belong}"
        case DriftSign.CORRECTIONS:
            return (
                f"Look at some of the corrected answers{_listed(items)}. If the guideline is clear about them, train a "
                f"new model on these corrections: `/goldloop retrain {queue}`."
            )
        case DriftSign.CONFIDENCE:
            return f"Once people have settled some of them, train a new model: `/goldloop retrain {queue}`."
        case DriftSign.VOLUME:
            return "Check whether the system that sends predictions works as it should."
        case _:
            assert_never(drift.sign)


def items_words(drift: Drift) -> str:
    """The text of the button that opens the items of a sign."""
    n = drift.observed
    if drift.sign is DriftSign.NONE_OF_THESE:
        return f"No label fits {count(n, 'item')}: open {'it' if n == 1 else 'them'}"
    return f"Open {count(n, 'wrong answer')}"


def new_label_words(queue: str) -> str:
    """The instructions for adding a label. queue: the queue's name in the policy file."""
    return (
        "Open the items first: do they belong together, and would several people name them alike? Then ask the person "
        f"who runs Goldloop to add the label to `labels` of `[queues.{queue}]` in the policy file, with a description, "
        "and to run `goldloop policy reload`. Open cards offer it at once. Items that are settled as “None of these” "
        "stay so; the next model learns the label from items that come later."
    )


def _seen(drift: Drift, form: Format) -> str:
    n = drift.observed
    match drift.sign:
        case DriftSign.NONE_OF_THESE:
            return f"people said of {count(n, 'item')} that no label fits"
        case DriftSign.CORRECTIONS:
            return f"people corrected {count(n, 'answer')} “{form.text(drift.label or '')}”"
        case DriftSign.CONFIDENCE:
            return f"the model was unsure of {n:,} prediction{'' if n == 1 else 's'}"
        case DriftSign.VOLUME:
            return f"{n:,} prediction{'' if n == 1 else 's'} arrived"
        case _:
            assert_never(drift.sign)


def _expected(n: int) -> str:
    return f"about {n:,} {'was' if n == 1 else 'were'} expected" if n else "almost none were expected"


def _period(days: int, day: date) -> str:
    return f"On {day:%b} {day.day}" if days == 1 else f"In the {days} days until {day:%b} {day.day}"


def _listed(items: Sequence[str]) -> str:
    return f" ({', '.join(items)})" if items else ""
