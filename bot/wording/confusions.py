"""Lines about confusions: labels that a candidate predicts in place of others, compared with the live model."""

from bot.wording.format import Format
from core.learning.evaluation.scorecard import Confusion, Scorecard


def confusion_lines(scorecard: Scorecard, form: Format, most: int | None = None) -> list[str]:
    """The pairs that got better or worse on random golden examples, the largest change first and of equal ones the
    worse first. most: None for all."""
    changed = [one for one in scorecard.confusions if one.live != one.candidate]
    ranked = sorted(changed, key=lambda one: (-abs(one.candidate - one.live), one.live - one.candidate))
    return [_line(one, form) for one in ranked[:most]]


def _line(one: Confusion, form: Format) -> str:
    change = "worse" if one.candidate > one.live else "better"
    return (
        f"“{form.text(one.said)}” where “{form.text(one.label)}” is right: {one.live} before, {one.candidate} now "
        f"({change})"
    )
