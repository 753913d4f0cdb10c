"""Notices of disputes: one message for all that wait, at most once an hour, and only if one is new."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select

from core.records.delivery import Notice, Posting
from core.review import dispute_notices as module
from core.review.dispute_notices import tell_of_disputes
from core.vocabulary import NoticeKind
from tests.core.desk import CANNOT, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, LEADS, REVIEW

HOUR = 60


def disputed(desk: Desk) -> int:
    item_id = desk.ticket()
    for person in (ANA, BEN):
        desk.click(person, item_id, CANNOT)
    return item_id


def told(desk: Desk, minutes: float = 0) -> list[list[int]]:
    """The items of each notice so far, after a look so many minutes later."""
    with desk.database.transaction() as session:
        tell_of_disputes(session, desk.rules, NOW + timedelta(minutes=minutes))
    return [[item_id for item_id, _place in notice.values["items"]] for notice in noted(desk)]


def noted(desk: Desk) -> Sequence[Notice]:
    with desk.database.reading() as session:
        return session.scalars(
            select(Notice).where(Notice.kind == NoticeKind.DISPUTES_WAITING).order_by(Notice.id)
        ).all()


def values(desk: Desk) -> dict[str, Any]:
    [notice] = noted(desk)
    return notice.values


def test_the_leads_are_told_once_of_all_disputes_that_wait(desk: Desk) -> None:
    desk.ticket()
    assert told(desk) == []
    first, second = disputed(desk), disputed(desk)
    assert told(desk) == [[first, second]]
    assert told(desk, minutes=5 * HOUR) == [[first, second]]
    [notice] = noted(desk)
    assert (notice.channel, notice.person, notice.values["queue"]) == (LEADS, None, "Support tickets")


def test_a_dispute_that_follows_within_the_hour_waits_for_the_next_notice(desk: Desk) -> None:
    first = disputed(desk)
    told(desk)
    second = disputed(desk)
    assert told(desk, minutes=HOUR - 1) == [[first]]
    assert told(desk, minutes=HOUR) == [[first], [first, second]]


def test_a_dispute_that_is_decided_by_then_is_not_told(desk: Desk) -> None:
    first = disputed(desk)
    desk.click(CLEO, first, REFUND)
    assert told(desk) == []
    second, third = disputed(desk), disputed(desk)
    desk.click(CLEO, second, REFUND)
    assert told(desk) == [[third]]


def test_a_dispute_that_is_decided_while_it_is_named_is_not_told(desk: Desk) -> None:
    left, engine = [disputed(desk)], desk.database.engine

    def decide(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if left and "escalation" not in statement and "review_item.state" in statement:
            desk.click(CLEO, left.pop(), REFUND)

    event.listen(engine, "before_cursor_execute", decide)
    try:
        desk.database.write_if_needed(lambda session: tell_of_disputes(session, desk.rules, NOW))
    finally:
        event.remove(engine, "before_cursor_execute", decide)
    assert (left, noted(desk)) == ([], [])


def test_an_item_that_is_disputed_anew_is_told_anew(desk: Desk) -> None:
    item_id = disputed(desk)
    told(desk)
    desk.undo(BEN, item_id)
    desk.click(BEN, item_id, CANNOT)
    assert told(desk, minutes=HOUR) == [[item_id], [item_id]]


def test_long_lists_are_bounded_and_cards_that_are_posted_are_linked(desk: Desk) -> None:
    ids = [disputed(desk) for _ in range(module.MOST_NAMED + 2)]
    with desk.database.transaction() as session:
        posting = session.scalars(select(Posting).where(Posting.subject_id == ids[0])).one()
        posting.ts = "1.000100"
    told(desk)
    assert values(desk)["items"][:2] == [[ids[0], [REVIEW, "1.000100"]], [ids[1], None]]
    assert (len(values(desk)["items"]), values(desk)["more"]) == (module.MOST_NAMED, 2)
