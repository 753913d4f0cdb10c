"""Weak slices in words: where the model is wrong more often than elsewhere, and what helps."""

from collections.abc import Sequence
from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count, percent
from core.quality.slices import LENGTHS, Look, WeakSlice
from core.vocabulary import ErrorReason, SliceKind

NONE = "No part of the traffic is wrong more often than the rest by more than chance, as far as {rows} can tell."


def slice_sentence(weak: WeakSlice, form: Format) -> str:
    """Where, how often, and against what: "channel = “fax”: 41 of 60 wrong (68%), elsewhere 30%"."""
    share = percent(round(weak.wrong / weak.rows, 2))
    return (
        f"{slice_name(weak.look, form)}: {weak.wrong} of {count(weak.rows, 'known answer')} wrong ({share}), elsewhere "
        f"{percent(round(weak.others, 2))}"
    )


def slice_name(look: Look, form: Format) -> str:
    match look.kind:
        case SliceKind.FIELD:
            return f"{form.text(look.name)} = “{form.text(look.value)}”"
        case SliceKind.LABEL:
            return f"answers “{form.text(look.value)}”"
        case SliceKind.PAIR:
            return f"answers “{form.text(look.value)}” where “{form.text(look.other)}” is next"
        case SliceKind.LENGTH:
            return _length(int(look.value))
        case SliceKind.STRANGE_WORDS:
            return "texts of mostly unfamiliar words"
        case SliceKind.TERM:
            return f"texts with “{form.text(look.value)}”"
        case _:
            assert_never(look.kind)


def remedy(weak: WeakSlice) -> str:
    """By the reason that people gave most often."""
    why = next(iter(weak.whys), None)
    if why not in set(ErrorReason):
        return "collect more examples of these, and ask for reasons (“Why?”) on their cards"
    reason = ErrorReason(why)
    match reason:
        case ErrorReason.AMBIGUOUS | ErrorReason.GUIDELINE_GAP:
            return "rewrite the guideline for these"
        case ErrorReason.WRONG_LABEL_DEFINITION:
            return "rewrite what the label covers, and ask again about stored labels"
        case ErrorReason.NEW_CLASS:
            return "add a label for these"
        case ErrorReason.BIASED_OR_OUTDATED_DATA:
            return "collect newer examples of these"
        case ErrorReason.NOISY_INPUT | ErrorReason.MISSING_CONTEXT:
            return "change the model or what it reads: people lack something in the input, too"
        case ErrorReason.OTHER:
            return "collect more examples of these"
        case _:
            assert_never(reason)


def slice_lines(found: Sequence[WeakSlice], rows: int, form: Format, most: int = 10) -> list[str]:
    """One line each, with the numbers of the items that show it and the next step. rows: known answers that were looked
    at."""
    if not found:
        return [NONE.format(rows=count(rows, "known answer"))]
    return [
        f"{slice_sentence(weak, form)}. Items {', '.join(map(str, weak.items))}. Next: {remedy(weak)}."
        for weak in found[:most]
    ]


def _length(low: int) -> str:
    high = next((each for each in LENGTHS if each > low), None)
    return f"texts of {low} words or more" if high is None else f"texts of {max(1, low)} to {high - 1} words"
