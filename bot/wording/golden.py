"""Sentences about the golden set: origins, power, changes and suspected labels."""

from typing import assert_never

from bot.wording.format import Format
from bot.wording.numbers import count, points
from core.learning.data.pins import PastError
from core.learning.lifecycle.golden_summary import Change, GoldenSummary
from core.learning.lifecycle.label_suspects import Suspicion
from core.vocabulary import GoldenChangeKind, Origin, QuestionAbout, SuspectReason

ORIGINS: dict[Origin, str] = {
    Origin.SEED: "from seed data",
    Origin.FLAGGED: "from flagged traffic",
    Origin.AUDITED: "from audited traffic",
    Origin.IMPORTED: "from an imported test set",
    Origin.ADDED: "added by a lead",
}
MOST_TEXT = 80  # characters of an example in a list
AGE_BANDS = ("under 30 days", "30 to 90 days", "90 days to a year", "over a year")


SUSPECTED: dict[SuspectReason, str] = {
    SuspectReason.OUT_OF_FOLD: "models that were trained without it say",
    SuspectReason.SEED_CONFLICT: "the seed data says",
}


def suspect(one: Suspicion, form: Format) -> str:
    """The reason for which a stored label may be wrong."""
    about, source, subject_id = one.key
    subject = "golden example" if about is QuestionAbout.GOLDEN else source
    labels = f"{form.text(one.label)}; {SUSPECTED[one.reason]} {form.text(one.suggested)}"
    return f"{subject} {subject_id}: {labels} (+{one.score:.2f})"


def past_error(one: PastError, form: Format) -> str:
    """One line: id, label, the pin and the beginning of the text."""
    by, at = one.pinned_by, one.pinned_at
    pin = f", pinned by {form.person(by)} {at:%Y-%m-%d}" if by and at else ""
    text = " ".join(one.text.split())
    shown = text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"
    return f"golden example {one.id}: {form.text(one.label)}{pin}: {form.text(shown)}"


def origins(counts: dict[Origin, int]) -> str:
    """The origins of random examples: "60 from seed data, 20 from audited traffic"."""
    return ", ".join(f"{counts[origin]} {words}" for origin, words in ORIGINS.items() if counts.get(origin))


def power(summary: GoldenSummary) -> str:
    """The power of the set in plain words."""
    if summary.random == 0:
        return "There are no random examples, so no drop in accuracy can be detected."
    examples = count(summary.random, "random example")
    if summary.detectable_drop is None:
        return f"With {examples}, no drop in accuracy can be detected reliably. Add more."
    return f"With {examples}, a drop of {points(summary.detectable_drop)} is detected 8 times in 10."


def golden_change(change: Change, form: Format) -> str:
    who = form.person(change.person) if change.person else "Reviewers"
    why = f": {form.text(change.reason)}" if change.reason else ""
    match change.kind:
        case GoldenChangeKind.ADDED:
            return f"{who} added golden example {change.golden_id}{why}"
        case GoldenChangeKind.RELABELLED:
            former = form.text(change.former_label or "")
            return f"{who} relabelled golden example {change.golden_id} (it was {former}){why}"
        case GoldenChangeKind.RETIRED:
            return f"{who} retired golden example {change.golden_id}{why}"
        case _:
            assert_never(change.kind)
