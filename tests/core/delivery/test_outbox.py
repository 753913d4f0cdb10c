"""Messages that are out of date, as rows: folded together, claimed by one deliverer, never forgotten, never doubled."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.delivery import backlog, outbox
from core.delivery.backlog import draw_by_policy
from core.delivery.outbox import Due
from core.delivery.pausing import pause_queue, resume_queue
from core.delivery.recipients import leads_of, person, reviewers_of
from core.errors import DatabaseUnavailable
from core.policy import Policy
from core.records.delivery import Posting
from core.records.drift import DriftAlarm
from core.storage import leases
from core.storage.leases import LEASE, LONGEST_PAUSE
from core.vocabulary import Card
from tests.core.desk import NOW, REFUND, Desk
from tests.core.offers.test_offers import alarm
from tests.people import ANA, BEN, EVA, LEADS, REVIEW, support_policy

SECOND = timedelta(seconds=1)


def show(
    desk: Desk, subject: int, urgent: bool = False, card: Card = Card.REVIEW_ITEM, after: timedelta = 0 * SECOND
) -> None:
    recipient = (reviewers_of if card is Card.REVIEW_ITEM else leads_of)(desk.queue())
    with desk.database.transaction() as session:
        outbox.show(session, card, subject, recipient, desk.queue(), NOW + after, urgent)


def claim(
    desk: Desk,
    who: str = "one",
    after: timedelta = 0 * SECOND,
    may_update: bool = True,
    may_update_open: bool = True,
    full_channels: Collection[str] = (),
) -> Due | None:
    with desk.database.transaction() as session:
        return outbox.claim_next(
            session,
            who,
            NOW + after,
            may_update=may_update,
            may_update_open=may_update_open,
            full_channels=full_channels,
        )


def shown(desk: Desk, due: Due | None, ts: str | None = None, after: timedelta = 0 * SECOND) -> None:
    assert due is not None
    with desk.database.transaction() as session:
        outbox.mark_delivered(session, due.id, due.version, ts or f"{due.subject_id}.0", NOW + after)


def failed(desk: Desk, due: Due | None, after: timedelta = 0 * SECOND, **how: object) -> None:
    assert due is not None
    with desk.database.transaction() as session:
        outbox.mark_failed(session, due.id, NOW + after, **how)  # type: ignore[arg-type]


def posted(desk: Desk, *subjects: int) -> None:
    """Messages about these rows are in the channel and up to date."""
    for subject in subjects:
        show(desk, subject)
        shown(desk, claim(desk))


def posting(desk: Desk, subject: int) -> Posting:
    with desk.database.reading() as session:
        return session.scalars(select(Posting).where(Posting.subject_id == subject)).one()


def test_a_hundred_changes_are_one_message(desk: Desk) -> None:
    for _change in range(100):
        show(desk, 1)
    due = claim(desk)
    assert due is not None
    assert (due.subject_id, due.version, due.delivered_version, due.ts, due.channel) == (1, 100, 0, None, REVIEW)
    shown(desk, due)
    assert claim(desk) is None


def test_what_changes_while_it_is_drawn_is_drawn_again(desk: Desk) -> None:
    show(desk, 1)
    due = claim(desk)
    show(desk, 1)
    assert claim(desk, "two") is None, "it is claimed"
    shown(desk, due)
    again = claim(desk)
    assert again is not None
    assert (again.ts, again.version, again.delivered_version) == ("1.0", 2, 1)


def test_each_recipient_has_its_message_in_its_channel(desk: Desk) -> None:
    show(desk, 1)
    show(desk, 1, card=Card.CANDIDATE)
    dues = [claim(desk), claim(desk)]
    assert {(due.card, due.channel) for due in dues if due} == {(Card.REVIEW_ITEM, REVIEW), (Card.CANDIDATE, LEADS)}


def test_two_deliverers_never_get_the_same_posting(desk: Desk) -> None:
    for subject in range(24):
        show(desk, subject)
    start = Barrier(6)

    def deliver(who: str) -> list[int]:
        start.wait(10)
        taken: list[int] = []
        misses = 0
        while misses < 3:  # a locked row is skipped, so "none" may only mean "not now"
            due = claim(desk, who)
            misses = 0 if due else misses + 1
            taken += [due.subject_id] if due else []
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [subject for each in pool.map(deliver, "abcdef") for subject in each]
    assert sorted(taken) == list(range(24))


def test_settled_cards_come_before_open_ones_and_older_before_newer(desk: Desk) -> None:
    show(desk, 1, after=SECOND)
    show(desk, 2)
    show(desk, 3, urgent=True, after=SECOND)
    show(desk, 4, urgent=True)
    order = []
    while (due := claim(desk, after=2 * SECOND)) is not None:
        order.append(due.subject_id)
    assert order == [4, 3, 2, 1]


def test_only_what_the_rates_allow_is_claimed(desk: Desk) -> None:
    posted(desk, 1, 2)
    show(desk, 1)
    show(desk, 2, urgent=True)
    show(desk, 3)
    show(desk, 4, card=Card.RUN)
    cases: list[tuple[str, bool, bool, list[str], set[int]]] = [
        ("no update is left, both channels are free", False, False, [], {3, 4}),
        ("no update is left, and a channel is full", False, False, [REVIEW], {4}),
        ("updates of open cards are not allowed", True, False, [REVIEW, LEADS], {2}),
        ("every update is allowed, no post", True, True, [REVIEW, LEADS], {1, 2}),
        ("everything is allowed", True, True, [], {1, 2, 3, 4}),
        ("nothing is allowed", False, False, [REVIEW, LEADS], set()),
    ]
    for number, (sentence, may_update, may_update_open, full, allowed) in enumerate(cases, start=1):
        later = number * (LEASE + SECOND)  # what the former case claimed is free again
        claimed = set()
        while due := claim(
            desk, after=later, may_update=may_update, may_update_open=may_update_open, full_channels=full
        ):
            claimed.add(due.subject_id)
        assert claimed == allowed, sentence


def test_a_failure_is_tried_again_after_pauses_that_double(desk: Desk) -> None:
    show(desk, 1)
    now, pauses = 0 * SECOND, []
    for _attempt in range(12):
        failed(desk, claim(desk, after=now), after=now)
        pause = posting(desk, 1).next_attempt_at - NOW - now
        assert claim(desk, after=now + pause - timedelta(milliseconds=1)) is None
        pauses.append(pause)
        now += pause
    assert pauses[:4] == [2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND]
    assert pauses[-1] == LONGEST_PAUSE
    shown(desk, claim(desk, after=now), after=now)
    show(desk, 1)
    failed(desk, claim(desk, after=now), after=now)
    assert posting(desk, 1).next_attempt_at == NOW + now + 2 * SECOND, "a success starts the count anew"


def test_slack_says_when_to_come_back(desk: Desk) -> None:
    show(desk, 1)
    failed(desk, claim(desk), retry_after=30.0)
    assert claim(desk, after=29 * SECOND) is None
    assert claim(desk, after=30 * SECOND) is not None


def test_a_message_that_is_gone_is_posted_anew(desk: Desk) -> None:
    posted(desk, 1)
    show(desk, 1)
    failed(desk, claim(desk), forget_ts=True)
    due = claim(desk, after=2 * SECOND)
    assert due is not None
    assert (due.ts, due.maybe_posted) == (None, False)


def test_what_cannot_be_mended_is_given_up_with_its_reason(desk: Desk) -> None:
    show(desk, 1)
    failed(desk, claim(desk), permanent="channel_not_found")
    assert posting(desk, 1).failure_reason == "channel_not_found"
    assert claim(desk, after=timedelta(days=1)) is None


def test_a_first_post_with_an_unknown_outcome_is_looked_for_first(desk: Desk) -> None:
    show(desk, 1)
    first = claim(desk)
    assert first is not None
    assert not first.maybe_posted
    failed(desk, first, outcome_unknown=True)
    second = claim(desk, after=2 * SECOND)
    assert second is not None
    assert second.maybe_posted
    failed(desk, second, after=2 * SECOND, retry_after=1)
    third = claim(desk, after=4 * SECOND)
    assert third is not None
    assert not third.maybe_posted, "a clear no of Slack is a known outcome"


def test_a_deliverer_that_died_leaves_its_posting_to_be_looked_for(desk: Desk) -> None:
    show(desk, 1)
    claim(desk, "dead")
    assert claim(desk, "other", after=LEASE) is None
    due = claim(desk, "other", after=LEASE + SECOND)
    assert due is not None
    assert due.maybe_posted


def test_what_a_dead_deliverer_held_is_free_at_once(desk: Desk) -> None:
    posted(desk, 1)
    show(desk, 1)
    show(desk, 2)
    claim(desk, "dead")
    claim(desk, "alive")
    with desk.database.transaction() as session:
        leases.release_dead(session, Posting, lambda name: name == "dead")
    due = claim(desk, "other")
    assert due is not None
    assert due.subject_id == 1
    assert claim(desk, "other") is None


def test_shown_only_grows_when_an_older_drawing_is_marked_late(desk: Desk) -> None:
    show(desk, 1)
    old = claim(desk, "slow")
    show(desk, 1)
    shown(desk, claim(desk, "quick", after=LEASE + SECOND))
    shown(desk, old)
    assert posting(desk, 1).delivered_version == 2
    assert claim(desk, after=LEASE + SECOND) is None


def test_a_message_is_found_by_its_coordinates_and_the_reverse(desk: Desk) -> None:
    show(desk, 5, card=Card.CANDIDATE)
    with desk.database.reading() as session:
        assert outbox.coordinates(session, Card.CANDIDATE, 5, leads_of(desk.queue())) is None
    shown(desk, claim(desk), ts="17.5")
    with desk.database.reading() as session:
        assert outbox.coordinates(session, Card.CANDIDATE, 5, leads_of(desk.queue())) == (LEADS, "17.5")
        assert outbox.subject_at(session, LEADS, "17.5", Card.CANDIDATE) == 5
        assert outbox.subject_at(session, LEADS, "17.5", Card.REVIEW_ITEM) is None
        assert outbox.subject_at(session, REVIEW, "17.5", Card.CANDIDATE) is None


def test_a_message_is_redrawn_where_it_stands_when_the_policy_names_another_channel(desk: Desk) -> None:
    item = desk.ticket()
    shown(desk, claim(desk), ts="1.0")
    moved = desk.under(channel="C_MOVED")
    moved.click(ANA, item, REFUND)
    moved.click(BEN, item, REFUND)
    due = claim(moved)
    assert due is not None
    assert (due.channel, due.ts) == (REVIEW, "1.0")
    shown(moved, due)
    assert claim(moved) is None, "one message, in its old channel"
    moved.ticket()
    new = claim(moved)
    assert new is not None
    assert new.channel == "C_MOVED"


def test_each_recipient_has_a_message_of_its_own_and_all_are_redrawn(desk: Desk) -> None:
    item = desk.ticket()
    with desk.database.transaction() as session:
        outbox.show(session, Card.REVIEW_ITEM, item, person(ANA), desk.queue(), NOW)
        outbox.show(session, Card.REVIEW_ITEM, item, person(ANA), desk.queue(), NOW)
    for channel in (REVIEW, ANA):
        due = claim(desk)
        assert due is not None
        assert (due.channel, due.recipient.id) == (channel, channel)
        shown(desk, due, ts=f"{due.id}.0")
    assert claim(desk) is None
    desk.click(BEN, item, REFUND)
    desk.click(EVA, item, REFUND)
    again = [claim(desk), claim(desk)]
    assert [due and (due.recipient, due.ts is not None) for due in again] == [
        (reviewers_of(desk.queue()), True),
        (person(ANA), True),
    ]


def test_open_cards_are_drawn_anew_where_the_policy_is_another(desk: Desk) -> None:
    open_, settled = desk.ticket(), desk.settled(ANA, BEN)
    for _ in (open_, settled):
        shown(desk, claim(desk))

    def wanted_under(policy: Policy) -> tuple[int, int]:
        with desk.database.transaction() as session:
            draw_by_policy(session, policy, NOW)
        return desk.wanted(Card.REVIEW_ITEM, open_), desk.wanted(Card.REVIEW_ITEM, settled)

    before = (desk.wanted(Card.REVIEW_ITEM, open_), desk.wanted(Card.REVIEW_ITEM, settled))
    once = (before[0] + 1, before[1])
    assert wanted_under(desk.policy) == once, "it was not known under which"
    assert wanted_under(desk.policy) == once
    shown(desk, claim(desk))
    assert wanted_under(support_policy(labels=["refund", "praise"])) == (before[0] + 2, before[1])


def test_the_newest_alarm_is_drawn_anew_where_the_policy_is_another(desk: Desk) -> None:
    """Its offers depend on the sources that the policy lists."""
    older = alarm(desk)
    with desk.database.transaction() as session:
        session.execute(update(DriftAlarm).values(began_at=NOW - timedelta(days=9)))
    newest = alarm(desk)
    with desk.database.transaction() as session:
        for one in (older, newest):
            outbox.show(session, Card.DRIFT, one.id, leads_of(desk.queue()), desk.queue(), NOW)
    shown(desk, claim(desk))
    shown(desk, claim(desk))
    with desk.database.transaction() as session:
        draw_by_policy(session, desk.policy, NOW)
    assert (desk.wanted(Card.DRIFT, older.id), desk.wanted(Card.DRIFT, newest.id)) == (1, 2)


def test_a_card_that_was_given_up_is_not_waited_for(desk: Desk) -> None:
    with desk.database.transaction() as session:
        outbox.show(session, Card.CANDIDATE, 5, leads_of(desk.queue()), desk.queue(), NOW)
    due = claim(desk)
    assert due is not None
    with desk.database.transaction() as session:
        assert refused_as_busy(session)
        outbox.mark_failed(session, due.id, NOW, outcome_unknown=True, permanent="missing_scope")
        session.flush()
        assert not refused_as_busy(session)


def refused_as_busy(session: Session) -> bool:
    try:
        return outbox.subject_at(session, LEADS, "99.9", Card.CANDIDATE) is not None
    except DatabaseUnavailable:
        return True


def test_a_paused_queue_posts_no_new_cards_and_all_that_waited_afterwards(desk: Desk) -> None:
    posted(desk, 1)
    assert paused(desk)
    assert not paused(desk), "it is paused already"
    show(desk, 1)
    show(desk, 2)
    show(desk, 3, card=Card.CANDIDATE)
    found = [claim(desk), claim(desk)]
    assert {(due.card, due.subject_id) for due in found if due} == {(Card.REVIEW_ITEM, 1), (Card.CANDIDATE, 3)}
    assert claim(desk) is None
    for due in found:
        shown(desk, due)
    with desk.database.reading() as session:
        assert backlog.waiting(session).count == 0, "what is paused on purpose is not late"
    with desk.database.transaction() as session:
        assert resume_queue(session, "support")
        assert not resume_queue(session, "support")
    waited = claim(desk)
    assert waited is not None
    assert waited.subject_id == 2


def paused(desk: Desk) -> bool:
    with desk.database.transaction() as session:
        return pause_queue(session, "support", NOW)
