"""Notices: each is sent once, claimed by one process, retried or given up."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select

from core.delivery import notices
from core.delivery.notices import DueNotice
from core.records.delivery import Notice
from core.storage import leases
from core.storage.database import Database
from core.vocabulary import NoticeKind
from tests.core.desk import NOW, Desk
from tests.people import ANA, LEADS

SECOND = timedelta(seconds=1)


def say(desk: Desk, key: str, person: str | None = None, channel: str = LEADS, sentence: str = "hello") -> None:
    with desk.database.transaction() as session:
        values = {"sentence": sentence, "ask": []}
        notices.notify(session, NoticeKind.NOT_A_LEAD, key, channel, person, values, NOW)


def hear(
    desk: Desk, who: str = "one", after: timedelta = 0 * SECOND, full_channels: Collection[str] = ()
) -> DueNotice | None:
    with desk.database.transaction() as session:
        return notices.claim_next(session, who, NOW + after, full_channels)


def test_a_notice_is_said_once_however_often_it_is_asked_for(desk: Desk) -> None:
    say(desk, "k1", sentence="first")
    say(desk, "k1", sentence="second")
    due = hear(desk)
    assert due is not None
    assert (due.kind, due.values["sentence"]) == (NoticeKind.NOT_A_LEAD, "first")
    assert hear(desk, "two") is None
    with desk.database.transaction() as session:
        notices.mark_delivered(session, due.id, NOW)
    say(desk, "k1")
    assert hear(desk, after=timedelta(days=1)) is None


def test_words_to_one_person_do_not_wait_for_a_full_channel(desk: Desk) -> None:
    say(desk, "all")
    say(desk, "one", person=ANA)
    due = hear(desk, full_channels=[LEADS])
    assert due is not None
    assert due.person == ANA
    assert hear(desk, full_channels=[LEADS]) is None
    assert hear(desk) is not None


def test_a_notice_that_a_dead_deliverer_held_is_free_at_once(desk: Desk) -> None:
    say(desk, "k1")
    say(desk, "k2")
    hear(desk, "dead")
    hear(desk, "alive")
    with desk.database.transaction() as session:
        leases.release_dead(session, Notice, lambda name: name == "dead")
    due = hear(desk, "other")
    assert due is not None
    assert due.maybe_said
    assert hear(desk, "other") is None


def test_a_notice_that_failed_is_tried_again_or_given_up(desk: Desk) -> None:
    say(desk, "k1")
    for after, how in ((0, {}), (2, {"retry_after": 5.0}), (7, {"permanent": "is_archived"})):
        due = hear(desk, after=after * SECOND)
        assert due is not None
        assert hear(desk, after=after * SECOND) is None
        with desk.database.transaction() as session:
            notices.mark_failed(session, due.id, NOW + after * SECOND, **how)
    assert hear(desk, after=timedelta(days=1)) is None
    assert broken_notices(desk.database) == ["is_archived"]


def broken_notices(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Notice.failure_reason)))
