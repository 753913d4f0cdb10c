"""Sentences about weak slices: where the model is wrong more often than elsewhere, and what helps."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from bot.wording.answers import REASONS
from bot.wording.format import Format
from bot.wording.numbers import count, percent
from core.intake.slice_cards import Asking
from core.quality.slices import LENGTHS, Look, WeakSlice
from core.vocabulary import ErrorReason, SliceKind

COUNTED = (
    "Counted among the answers that people settled. Most of these are ones of which the model was unsure; of all "
    "answers, fewer are wrong."
)
NONE = "No weak slices: among {rows}, no part is wrong more often than the rest by more than chance."


def slice_sentence(weak: WeakSlice, form: Format) -> str:
    """The slice, the share of wrong answers in it, and the share elsewhere: "channel = “fax”: 41 of 60 settled answers
    wrong (68%), elsewhere 30%."."""
    if not weak.rows:
        return f"{slice_name(weak.look, form)}."
    share = percent(round(weak.wrong / weak.rows, 2))
    return (
        f"{slice_name(weak.look, form)}: {weak.wrong} of {count(weak.rows, 'settled answer')} wrong ({share}), "
        f"elsewhere {percent(round(weak.others, 2))}."
    )


def whys_sentence(whys: Mapping[str, int]) -> str:
    """The reasons that people gave; empty: they gave none."""
    return f"Reasons: {_counted(whys)}." if whys else ""


def label_whys(whys: Mapping[str, Mapping[str, int]], form: Format, most: int = 10) -> list[str]:
    """One line for each label that the model gave wrongly, with the reasons that people gave."""
    lines = [f"“{form.text(label)}”: {_counted(reasons)}" for label, reasons in list(whys.items())[:most]]
    return [f"Reasons for wrong answers, by the model's label: {'; '.join(lines)}."] if lines else []


def _counted(whys: Mapping[str, int]) -> str:
    known = [f"{REASONS[ErrorReason(why)]} ({n})" for why, n in whys.items() if why in set(ErrorReason)]
    return ", ".join(known) or REASONS[ErrorReason.OTHER]


def asking_sentence(asking: Asking, form: Format, until: str) -> str:
    """The sentence on a request. until: its end, in words."""
    opened = f"{asking.opened} of at most {count(asking.items, 'item')}"
    person = form.person(asking.person)
    return f"People are asked about these at the request of {person}: {opened} opened, until {until}."


def slice_name(look: Look, form: Format) -> str:
    match look.kind:
        case SliceKind.FIELD:
            return f"{form.text(look.name)} = “{form.text(look.value)}”"
        case SliceKind.LABEL:
            return f"predicted “{form.text(look.value)}”"
        case SliceKind.PAIR:
            return f"predicted “{form.text(look.value)}”, with “{form.text(look.other)}” second"
        case SliceKind.LENGTH:
            return _length(int(look.value))
        case SliceKind.STRANGE_WORDS:
            return "texts of mostly unfamiliar words"
        case SliceKind.TERM:
            return f"texts with “{form.text(look.value)}”"
        case _:
            assert_never(look.kind)


def remedy(weak: WeakSlice) -> str:
    """The next step, by the reason that people gave most often."""
    why = next(iter(weak.whys), None)
    if why not in set(ErrorReason):
        return "collect more examples of these, and ask for reasons (“Why?”) on their cards"
    reason = ErrorReason(why)
    match reason:
        case ErrorReason.AMBIGUOUS | ErrorReason.GUIDELINE_GAP:
            return "rewrite the guideline for these cases"
        case ErrorReason.WRONG_LABEL_DEFINITION:
            return "rewrite the description of the label, and ask again about its stored labels"
        case ErrorReason.NEW_CLASS:
            return "add a label for these"
        case ErrorReason.BIASED_OR_OUTDATED_DATA:
            return "collect newer examples of these"
        case ErrorReason.NOISY_INPUT | ErrorReason.MISSING_CONTEXT:
            return "improve the input, or what the model reads of it: people find it noisy or incomplete, too"
        case ErrorReason.OTHER:
            return "collect more examples of these"
        case _:
            assert_never(reason)


def slice_lines(found: Sequence[WeakSlice], rows: int, form: Format, most: int = 10) -> list[str]:
    """One line per slice, with the numbers of the items that show it and the next step. rows: the number of settled
    answers that were searched."""
    if not found:
        return [NONE.format(rows=count(rows, "settled answer"))]
    return [
        " ".join(
            part
            for part in (
                slice_sentence(weak, form),
                whys_sentence(weak.whys),
                f"Items {', '.join(map(str, weak.items))}.",
                f"Next: {remedy(weak)}.",
            )
            if part
        )
        for weak in found[:most]
    ]


def _length(low: int) -> str:
    high = next((each for each in LENGTHS if each > low), None)
    return f"texts of {low} words or more" if high is None else f"texts of {max(1, low)} to {high - 1} words"
