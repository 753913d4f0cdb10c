"""Sentences about a queue's promise: the share of answers that may be wrong without a person having seen them."""

import math
from typing import assert_never

from bot.wording.numbers import count, percent
from core.review.promise_reading import PromiseReading
from core.vocabulary import PromiseStatus

AUDITS = "An audit is a random check; it counts three days after its prediction came, so that people have time for it."


def promise_line(reading: PromiseReading) -> str:
    """Today's reading: "at most 2% wrong and unseen (90% sure): not yet, 41 of 99 audits, about 6 days to go"."""
    promised = f"at most {percent(reading.promised)} wrong and unseen ({percent(reading.sure)} sure)"
    return f"{promised}: {_status(reading)}"


def promise_sentences(reading: PromiseReading, queue: str) -> str:
    """The promise, its state today, and what a lead can do. queue: the queue's name, for a command."""
    promised = (
        f"The promise: at most {percent(reading.promised)} of the model's answers are wrong without a person having "
        f"seen them. Goldloop says that it is kept only when it is {percent(reading.sure)} sure of it."
    )
    return f"{promised} {_today(reading, queue)}"


def _today(reading: PromiseReading, queue: str) -> str:
    match reading.status:
        case PromiseStatus.KEPT:
            return "Today it is kept, with what people look at now."
        case PromiseStatus.ABOVE_BUDGET if (reading.agreed or 0) >= (reading.items_a_day or math.inf):
            return f"Today it {_status(reading)}. A lead has allowed {reading.agreed}: they are used within minutes."
        case PromiseStatus.ABOVE_BUDGET if reading.items_a_day is not None:
            yes = f"To allow that, type `/goldloop promise {queue} yes {reading.items_a_day}`."
            return f"Today it {_status(reading)}. {yes}"
        case PromiseStatus.ABOVE_BUDGET:
            return f"Today it {_status(reading)}."
        case PromiseStatus.NOT_YET:
            return f"Today: {_status(reading)}. {_restarted(reading)}{AUDITS}"
        case _:
            assert_never(reading.status)


def _restarted(reading: PromiseReading) -> str:
    day = reading.alarm
    return f"Counting began anew with the alarm of {day:%b} {day.day}, because the traffic changed. " if day else ""


def _status(reading: PromiseReading) -> str:
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
