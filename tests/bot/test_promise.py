"""What is said about a promise, by how it stands."""

from datetime import date

import pytest

from bot.wording.promise import promise_line, promise_sentences
from core.review.promise_reading import PromiseReading
from core.vocabulary import PromiseStatus

AT_MOST = "at most 2% wrong and unseen (90% sure): "
NOT_YET, KEPT, ABOVE = PromiseStatus.NOT_YET, PromiseStatus.KEPT, PromiseStatus.ABOVE_BUDGET


def reading(status: PromiseStatus, audits: int = 41, needed: int | None = 99, **more: object) -> PromiseReading:
    facts = {"days": 6, "items_a_day": 85, "within_budget": 0.031, "agreed": None} | more
    return PromiseReading(0.02, 0.9, status, audits, needed, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        (reading(NOT_YET, 0, None), "not yet, nothing has been counted so far"),
        (reading(NOT_YET), "not yet, 41 of 99 audits, about 6 days to go"),
        (reading(NOT_YET, days=1), "not yet, 41 of 99 audits, about 1 day to go"),
        (reading(NOT_YET, days=None), "not yet, 41 of 99 audits"),
        (reading(NOT_YET, 120), "not yet, too many of 120 audits found a wrong answer or are not settled"),
        (reading(KEPT, 120), "kept"),
        (reading(ABOVE), "needs about 85 items a day; with the budget alone, 3.1% can be promised"),
        (reading(ABOVE, items_a_day=None, within_budget=None), "needs more items than the budget"),
    ],
)
def test_a_promise_says_how_it_stands(stands: PromiseReading, words: str) -> None:
    assert promise_line(stands) == AT_MOST + words


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        (reading(NOT_YET), "Today: not yet, 41 of 99 audits, about 6 days to go. An audit is a random check;"),
        (
            reading(NOT_YET, 0, 12, alarm=date(2026, 11, 30)),
            "Counting began anew with the alarm of Nov 30, because the traffic changed. An audit is",
        ),
        (reading(KEPT), "Today it is kept, with what people look at now."),
        (reading(ABOVE), "Today it needs about 85 items a day;"),
        (reading(ABOVE, agreed=84), "To allow that, type `/goldloop promise support yes 85`."),
        (reading(ABOVE, agreed=85), "can be promised. A lead has allowed 85: they are used within minutes."),
    ],
)
def test_a_lead_is_told_what_is_promised_in_whole_sentences(stands: PromiseReading, words: str) -> None:
    said = promise_sentences(stands, "support")
    assert said.startswith(
        "The promise: at most 2% of the model's answers are wrong without a person having seen them."
    )
    assert words in said


def test_a_lead_is_told_how_to_say_yes_to_the_number() -> None:
    assert promise_sentences(reading(ABOVE), "support").endswith("type `/goldloop promise support yes 85`.")
    for stands in (reading(KEPT), reading(NOT_YET), reading(ABOVE, items_a_day=None)):
        assert "yes" not in promise_sentences(stands, "support")
