"""A promise day by day: what the audit found beside what was promised."""

from datetime import timedelta

import pytest

from core.intake.promise_days import PromiseDays, promise_days
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, sent
from tests.people import ANA, BEN

DAY = timedelta(days=1)
PROMISED = {"audit_share": 0.999999, "budget": "100%", "promise": "2%"}


def found(desk: Desk) -> PromiseDays | None:
    with desk.database.reading() as session:
        return promise_days(session, desk.rules, NOW)


def audited(desk: Desk, *labels: str, ago: int) -> None:
    """Settled audits of accepted rows, on one day."""
    for label in labels:
        item_id = desk.ticket(chances=SURE, now=NOW - ago * DAY)
        for person in (ANA, BEN):
            desk.click(person, item_id, label)


def test_without_a_promise_there_is_nothing_to_show(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.999999})
    audited(desk, REFUND, ago=1)
    assert found(desk) is None


def test_each_day_shows_the_wrong_and_unseen_of_its_week(open_desk: OpenDesk) -> None:
    plain = open_desk(flagging={"audit_share": 0.999999})
    audited(plain, REFUND, BILLING, ago=9)
    audited(plain, REFUND, REFUND, ago=1)
    desk = plain.under(flagging=PROMISED)
    days = found(desk)
    assert days is not None
    assert (days.promised, len(days.days)) == (0.02, 9)
    first, last = days.days[0].found, days.days[-1].found
    assert first is not None
    assert last is not None
    assert (days.days[0].audits, days.days[-1].audits) == (2, 2)
    assert first.estimate == pytest.approx(0.5)
    assert last.estimate < 0.25


def test_what_a_rule_sent_to_people_is_not_unseen(open_desk: OpenDesk) -> None:
    plain = open_desk(flagging={"audit_share": 0.999999})
    audited(plain, BILLING, ago=1)
    plain.ingest(*(sent() for _ in range(3)), now=NOW - DAY)
    days = found(plain.under(flagging=PROMISED))
    assert days is not None
    last = days.days[-1].found
    assert last is not None
    assert last.high <= 0.25
