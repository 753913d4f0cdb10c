"""Sentences about a queue's budget: items allowed and opened, predictions waiting and dropped."""

from bot.wording.numbers import count
from core.intake.budget_preview import BudgetPreview
from core.review.budget_reading import BudgetReading


def budget_line(reading: BudgetReading) -> str:
    """Today's budget: "60 a day: 60 allowed, 41 opened, 12 waiting, 3 dropped unreviewed in 7 days"."""
    asked = "volume not known yet" if reading.asked is None else f"{reading.asked} allowed"
    numbers = (
        f"{asked}, {reading.came} opened, {reading.waiting} waiting, {reading.lapsed} dropped unreviewed in 7 days"
    )
    return f"{reading.budget}: {numbers}"


def budget_sentences(reading: BudgetReading, agreed: int | None = None) -> str:
    """Today's budget in whole sentences, for the command. agreed: items a day that a lead has allowed the promise."""
    why = "" if agreed is None or agreed != reading.asked else ", as a lead has agreed for the promise"
    today = (
        f"How many items it allows is known when a whole day has passed; {reading.came} were opened today."
        if reading.asked is None
        else f"Today it allows {count(reading.asked, 'item')}{why}, of which {reading.came} were opened."
    )
    waits = f"{count(reading.waiting, 'prediction')} {'waits' if reading.waiting == 1 else 'wait'} for room."
    dropped = f"In the last 7 days, {reading.lapsed} lapsed without a review, after a week on the waiting list."
    return f"The budget is {reading.budget}. {today} {waits} {dropped}"


def preview_sentences(preview: BudgetPreview, words: str) -> str:
    """The effect that a budget would have had, and how to use it. words: the budget as typed."""
    if not preview.predictions:
        return (
            "There are no predictions from the last four weeks, so the effect of this budget can't be estimated. Only "
            "whole days before today count: if the first predictions came today, ask again tomorrow."
        )
    came = f"{preview.predictions:,} predictions came in the last {count(preview.days, 'day')}"
    items = f"{preview.items:,} item{'' if preview.items == 1 else 's'}"
    a_day = f"{preview.items / preview.days:.0f} a day"
    parts = [
        f"{came}. With a budget of {words}, {items} would have been opened ({a_day}), {preview.checks:,} of "
        f"them as random checks; {preview.opened:,} were.",
        _of_errors(preview),
        f'To use it, set `flagging.budget = "{words}"` in the policy file and run `goldloop policy reload`.',
    ]
    return " ".join(parts)


def _of_errors(preview: BudgetPreview) -> str:
    if not preview.errors:
        return "No random check found a wrong answer in that time, so what it would miss is not known."
    wrong = count(preview.errors, "wrong answer")
    return f"Of {wrong} that random checks found, it would have flagged {preview.flagged}."
