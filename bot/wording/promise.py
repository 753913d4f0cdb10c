"""Sentences about a queue's promise: how many answers may be wrong without a person having seen them."""

from typing import assert_never

from bot.wording.numbers import count, percent
from core.review.promise_reading import PromiseReading
from core.vocabulary import PromiseStatus


def promise_line(reading: PromiseReading) -> str:
    """Today's reading: "at most 2% wrong and unseen (90% sure): not yet, 41 of 99 audits, about 6 days to go"."""
    promised = f"at most {percent(reading.promised)} wrong and unseen ({percent(reading.sure)} sure)"
    return f"{promised}: {_stands(reading)}"


def promise_sentences(reading: PromiseReading, queue: str) -> str:
    """The line, and what a lead can do. queue: its name, for a command."""
    line = f"{promise_line(reading)}."
    if reading.status is PromiseStatus.ABOVE_BUDGET and reading.items_a_day is not None:
        return f"{line} To allow that, type `/goldloop promise {queue} yes {reading.items_a_day}`."
    return line


def _stands(reading: PromiseReading) -> str:
    match reading.status:
        case PromiseStatus.NOT_YET if reading.needed is None:
            return "not yet, nothing has been counted so far"
        case PromiseStatus.NOT_YET if reading.audits < (reading.needed or 0):
            when = f", about {count(reading.days, 'day')} to go" if reading.days is not None else ""
            return f"not yet, {reading.audits} of {reading.needed} audits{when}"
        case PromiseStatus.NOT_YET:
            return f"not yet, too many of {count(reading.audits, 'audit')} found a wrong answer or are not settled"
        case PromiseStatus.KEPT:
            return "kept"
        case PromiseStatus.ABOVE_BUDGET:
            needs = (
                "more items than the budget"
                if reading.items_a_day is None
                else f"about {reading.items_a_day} items a day"
            )
            within = reading.within_budget
            best = "" if within is None else f"; with the budget alone, {percent(within)} can be promised"
            return f"needs {needs}{best}"
        case _:
            assert_never(reading.status)
