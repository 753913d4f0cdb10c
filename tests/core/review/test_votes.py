"""Votes: who may give which answer to which item, and the effect of a click that comes late or twice."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Outdated, Refusal
from core.people.availability import pause, resume
from core.people.members import Person, sync_members
from core.review.votes import NewAnswer, Receipt, cast_vote
from core.vocabulary import AnswerKind, Card, Coded, DisputeReason, ErrorReason, InactiveReason, ItemState, Role
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NONE, NOW, REFUND, SKIP, Desk, said
from tests.people import ANA, BEN, CLEO, DAN, EVA

FAY, GIL = "U_FAY", "U_GIL"  # Fay reviews and leads; Gil reviews, but his account is deactivated
UNDO = "undo"

Clicks = tuple[tuple[str, str], ...]
OPEN: Clicks = ()
ANA_SAID_REFUND: Clicks = ((ANA, REFUND),)
ANA_SKIPPED: Clicks = ((ANA, SKIP),)
SPLIT: Clicks = ((ANA, REFUND), (BEN, BILLING))
DISPUTED: Clicks = (*SPLIT, (EVA, DELIVERY))
CLOSE: Clicks = (*SPLIT, (EVA, REFUND))
UNJUDGED: Clicks = ((ANA, CANNOT), (BEN, CANNOT))
SETTLED: Clicks = ((ANA, REFUND), (BEN, REFUND))
BY_LEAD: Clicks = (*DISPUTED, (CLEO, BILLING))


@dataclass(frozen=True)
class Row:
    """One row of the state machine: what had been clicked, who clicks what now, and what comes of it."""

    sentence: str
    before: Clicks
    person: str
    click: str
    state: ItemState
    told: type[Refusal] | None = None
    words: str = ""


WAITS, DECIDED, DISPUTE = ItemState.OPEN, ItemState.SETTLED, ItemState.DISPUTED
TABLE = [
    Row("a reviewer votes", OPEN, ANA, REFUND, WAITS),
    Row("a reviewer says none of these", OPEN, ANA, NONE, WAITS),
    Row("a reviewer cannot judge", OPEN, ANA, CANNOT, WAITS),
    Row("a reviewer skips", OPEN, ANA, SKIP, WAITS),
    Row("a label that the queue does not have", OPEN, ANA, "spam", WAITS, Invalid, "“spam” is not a label of Support"),
    Row("a non-reviewer votes", OPEN, DAN, REFUND, WAITS, NotAllowed, "Only reviewers of Support tickets can vote"),
    Row("a non-reviewer skips", OPEN, DAN, SKIP, WAITS, NotAllowed, "Only reviewers"),
    Row("a deactivated reviewer votes", OPEN, GIL, REFUND, WAITS, NotAllowed, InactiveReason.DEACTIVATED),
    Row("a lead votes too early", OPEN, CLEO, REFUND, WAITS, NotAllowed, "Reviewers are still voting"),
    Row("a lead who reviews votes as a reviewer", OPEN, FAY, REFUND, WAITS),
    Row("nothing can be taken back yet", OPEN, ANA, UNDO, WAITS, NotFound, "You have no answer to item"),
    Row("a non-reviewer takes back", ANA_SAID_REFUND, DAN, UNDO, WAITS, NotFound, "You have no answer to item"),
    Row("the second equal vote settles", ANA_SAID_REFUND, BEN, REFUND, DECIDED),
    Row("a contrary vote does not", ANA_SAID_REFUND, BEN, BILLING, WAITS),
    Row("the same person is not a second vote", ANA_SAID_REFUND, ANA, REFUND, WAITS),
    Row("a change of mind", ANA_SAID_REFUND, ANA, BILLING, WAITS),
    Row("a vote becomes a skip", ANA_SAID_REFUND, ANA, SKIP, WAITS),
    Row("a vote is taken back", ANA_SAID_REFUND, ANA, UNDO, WAITS),
    Row("a skip becomes a vote", ANA_SKIPPED, ANA, REFUND, WAITS),
    Row("a skip is taken back", ANA_SKIPPED, ANA, UNDO, WAITS),
    Row("a changed vote settles", SPLIT, BEN, REFUND, DECIDED),
    Row("the third different vote goes to a lead", SPLIT, EVA, DELIVERY, DISPUTE),
    Row("the second who cannot judge sends it to a lead", ((ANA, CANNOT),), BEN, CANNOT, DISPUTE),
    Row("a lead settles a dispute", DISPUTED, CLEO, BILLING, DECIDED),
    Row("a lead settles that none fits", DISPUTED, CLEO, NONE, DECIDED),
    Row("a lead cannot skip a dispute", DISPUTED, CLEO, SKIP, DISPUTE, Refusal, "Choose a label or “None of these”"),
    Row("a lead has to judge", DISPUTED, CLEO, CANNOT, DISPUTE, Refusal, "needs your decision"),
    Row("a lead who reviews settles it as a lead", DISPUTED, FAY, REFUND, DECIDED),
    Row("a changed vote that is one ahead leaves it disputed", DISPUTED, BEN, REFUND, DISPUTE),
    Row("a changed vote that is two ahead settles a dispute", CLOSE, BEN, REFUND, DECIDED),
    Row("a vote taken back reopens it", DISPUTED, BEN, UNDO, WAITS),
    Row("a silent reviewer comes too late", UNJUDGED, EVA, REFUND, DISPUTE, Refusal, "needed; yours was not counted"),
    Row("who could not judge votes after all", UNJUDGED, BEN, REFUND, WAITS),
    Row("who skipped finds it full", ((ANA, SKIP), (BEN, REFUND), (EVA, BILLING), (FAY, DELIVERY)), ANA, REFUND,
        DISPUTE, Refusal, "3 votes. No more are needed; yours was not counted"),
    Row("a non-reviewer on a dispute", DISPUTED, DAN, REFUND, DISPUTE, NotAllowed, "Only reviewers"),
    Row("a late vote", SETTLED, EVA, BILLING, DECIDED, AlreadySettled, "refund (2 of 2 votes). Your click"),
    Row("a late change of mind", SETTLED, ANA, BILLING, DECIDED, AlreadySettled, "is already decided: refund"),
    Row("a late skip", SETTLED, EVA, SKIP, DECIDED, AlreadySettled, "is already decided"),
    Row("a late undo", SETTLED, ANA, UNDO, DECIDED, AlreadySettled, "is already decided"),
    Row("a lead after the votes", SETTLED, CLEO, BILLING, DECIDED, AlreadySettled, "is already decided"),
    Row("a second lead's answer", BY_LEAD, FAY, REFUND, DECIDED, AlreadySettled, "by a lead. Your click"),
    Row("the same lead's second answer", BY_LEAD, CLEO, REFUND, DECIDED, AlreadySettled, "by you. Your click"),
]  # fmt: skip


@pytest.mark.slow
def test_each_click_has_the_effect_that_the_table_says(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=[ANA, BEN, EVA, FAY], leads=[CLEO, FAY])
    with desk.database.transaction() as session:
        people = [Person(ANA), Person(BEN), Person(EVA), Person(FAY), Person(GIL, InactiveReason.DEACTIVATED)]
        sync_members(session, desk.queue().id, Role.REVIEWER, people)
    for row in TABLE:
        item_id = desk.ticket()
        for person, click in row.before:
            desk.click(person, item_id, click)
        before = spoken(desk, item_id)
        if row.told is None:
            clicked(desk, row, item_id)
        else:
            with pytest.raises(row.told) as refusal:
                clicked(desk, row, item_id)
            assert type(refusal.value) is row.told, row.sentence
            assert row.words in str(refusal.value), row.sentence
            assert spoken(desk, item_id) == before, f"{row.sentence}: refused, but something was written"
        assert desk.item(item_id).state is row.state, row.sentence
        assert len(desk.corrections(item_id)) == (row.state is DECIDED), row.sentence


def clicked(desk: Desk, row: Row, item_id: int) -> None:
    if row.click == UNDO:
        desk.undo(row.person, item_id)
    else:
        desk.click(row.person, item_id, row.click)


def spoken(desk: Desk, item_id: int) -> list[tuple[str, AnswerKind, str | None, bool]]:
    return [(answer.person, answer.kind, answer.label, answer.is_current) for answer in desk.answers(item_id)]


def test_an_item_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="Item 999 does not exist"):
        desk.click(ANA, 999, REFUND)
    with pytest.raises(NotFound, match="Item 999 does not exist"):
        desk.undo(ANA, 999)


def test_a_change_of_mind_supersedes_and_deletes_nothing(desk: Desk) -> None:
    item_id = desk.ticket()
    first = desk.click(ANA, item_id, BILLING, reason=ErrorReason.AMBIGUOUS, note="a wrong amount?")
    second = desk.click(ANA, item_id, REFUND)
    assert (first.before, first.may_undo) == (None, True)
    assert (second.before, second.label) == (BILLING, REFUND)
    assert spoken(desk, item_id) == [
        (ANA, AnswerKind.LABEL, BILLING, False),
        (ANA, AnswerKind.LABEL, REFUND, True),
    ]
    assert desk.answers(item_id)[0].note == "a wrong amount?"
    assert desk.click(BEN, item_id, REFUND).settled


def test_an_older_click_delivered_late_never_undoes_a_newer_one(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, at=2_000)
    for late in (BILLING, SKIP):
        with pytest.raises(Outdated, match=r"arrived late and changed nothing\. Your current answer: refund"):
            desk.click(ANA, item_id, late, at=1_000)
    with pytest.raises(Outdated):
        desk.undo(ANA, item_id, at=1_999)
    assert spoken(desk, item_id) == [(ANA, AnswerKind.LABEL, REFUND, True)]


def test_a_vote_that_arrives_after_it_was_taken_back_stays_taken_back(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, at=1_000)
    desk.undo(ANA, item_id, at=3_000)
    with pytest.raises(Outdated, match="Your current answer: withdrawn"):
        desk.click(ANA, item_id, BILLING, at=2_000)
    assert desk.click(ANA, item_id, BILLING, at=4_000).label == BILLING


def test_a_click_delivered_again_is_the_same_receipt_and_no_second_row(desk: Desk) -> None:
    for answer in (REFUND, NONE, CANNOT, SKIP):
        item_id = desk.ticket()
        desk.click(ANA, item_id, BILLING, at=1_000)
        first, *again = [desk.click(ANA, item_id, answer, at=2_000) for _delivery in range(3)]
        assert again == [first, first]
        assert first.before == BILLING
        first, *again = [desk.undo(ANA, item_id, at=3_000) for _delivery in range(3)]
        assert again == [first, first]
        assert len(desk.answers(item_id)) == 3


def test_a_form_that_is_sent_again_counts_once_and_what_was_changed_in_it_counts_too(desk: Desk) -> None:
    item_id = desk.ticket()
    sent = replace(said(REFUND, 1_000, ErrorReason.AMBIGUOUS, "wants money"), in_form=True)
    first = in_form(desk, item_id, sent)
    assert in_form(desk, item_id, sent) == first, "as it was"
    assert len(desk.answers(item_id)) == 1
    changed = in_form(desk, item_id, replace(sent, label=BILLING, note="no, a wrong amount"))
    assert (changed.label, changed.before) == (BILLING, REFUND)
    assert [(one.note, one.is_current) for one in desk.answers(item_id)] == [
        ("wants money", False),
        ("no, a wrong amount", True),
    ]


def test_a_form_that_is_changed_and_sent_again_after_the_end_is_refused(desk: Desk) -> None:
    item_id = desk.ticket()
    sent = replace(said(REFUND, 1_000), in_form=True)
    in_form(desk, item_id, sent)
    desk.click(BEN, item_id, REFUND)
    with pytest.raises(AlreadySettled):
        in_form(desk, item_id, replace(sent, note="too late"))


def test_a_receipt_names_what_was_said_before_if_that_was_something_else(desk: Desk) -> None:
    item_id = desk.ticket()
    said_in_turn = (REFUND, REFUND, NONE, CANNOT, CANNOT, SKIP, NONE)
    before = [desk.click(ANA, item_id, answer).before for answer in said_in_turn]
    assert before == [None, None, REFUND, "None of these", None, "can't judge", "skipped"]


@pytest.mark.parametrize(
    ("clicks", "dispute"),
    [
        (SPLIT, None),
        (SETTLED, None),
        (DISPUTED, Coded(DisputeReason.NO_AGREEMENT, {"count": 3})),
        ((*DISPUTED, (BEN, REFUND)), Coded(DisputeReason.NO_AGREEMENT, {"count": 3})),
        (UNJUDGED, Coded(DisputeReason.CANNOT_JUDGE, {"count": 2})),
        ((*SPLIT, (EVA, SKIP)), Coded(DisputeReason.NO_REVIEWER_LEFT)),
        ((*DISPUTED, (BEN, UNDO)), None),
        (BY_LEAD, None),
    ],
    ids=["open", "settled", "no agreement", "still none", "cannot judge", "no one left", "taken back", "by a lead"],
)
def test_a_receipt_says_why_a_lead_decides_after_it(desk: Desk, clicks: Clicks, dispute: Coded | None) -> None:
    item_id = desk.ticket()
    receipts = [desk.undo(who, item_id) if what == UNDO else desk.click(who, item_id, what) for who, what in clicks]
    assert receipts[-1].dispute == dispute
    assert receipts[0].dispute is None


def test_a_receipt_says_what_was_stored_with_the_answer(desk: Desk) -> None:
    item_id = desk.ticket()
    why: dict[str, Any] = {"reason": ErrorReason.AMBIGUOUS, "note": "both fit"}
    plain = desk.click(ANA, item_id, REFUND)
    assert (plain.reason, plain.has_note) == (None, False)
    first, again = (desk.click(BEN, item_id, BILLING, at=2_000, **why) for _delivery in range(2))
    assert (first.reason, first.has_note) == (ErrorReason.AMBIGUOUS, True)
    assert again == first
    desk.click(EVA, item_id, DELIVERY)
    lead = desk.click(CLEO, item_id, BILLING, **why)
    assert (lead.adjudicated, lead.reason, lead.has_note) == (True, ErrorReason.AMBIGUOUS, True)


def test_a_late_click_of_a_reviewer_who_leads_too_settles_no_dispute(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=[ANA, BEN, CLEO])
    item_id = desk.ticket()
    for person, answer, at in ((ANA, REFUND, 10), (BEN, BILLING, 20), (CLEO, DELIVERY, 40)):
        desk.click(person, item_id, answer, at=at)
    assert desk.item(item_id).state is ItemState.DISPUTED
    with pytest.raises(Outdated, match="An older click arrived late"):
        desk.click(CLEO, item_id, BILLING, at=30)
    assert desk.corrections(item_id) == []
    assert desk.click(CLEO, item_id, BILLING, at=50).adjudicated


def in_form(desk: Desk, item_id: int, sent: NewAnswer) -> Receipt:
    with desk.database.transaction() as session:
        return cast_vote(session, CardRef(item_id), ANA, sent, NOW, desk.policy)


def test_a_click_delivered_again_says_that_it_settled_only_if_it_did(desk: Desk) -> None:
    item_id = desk.ticket()
    ana, ben = (NOW + timedelta(seconds=second) for second in (1, 2))
    before = desk.click(ANA, item_id, REFUND, at=1_000, now=ana)
    first = desk.click(BEN, item_id, REFUND, at=2_000, now=ben)
    assert desk.click(BEN, item_id, REFUND, at=2_000, now=NOW + timedelta(seconds=3)) == first
    assert desk.click(ANA, item_id, REFUND, at=1_000, now=NOW + timedelta(seconds=3)) == before
    assert (first.settled, first.may_undo, before.settled) == (True, False, False)
    assert len(desk.corrections(item_id)) == 1


def test_votes_keep_the_guideline_they_were_cast_under_and_whether_the_guess_was_shown(open_desk: OpenDesk) -> None:
    desk = open_desk(guideline="Money back is a refund.")
    shown = desk.ticket()
    desk.click(ANA, shown, REFUND)
    desk = desk.under(guideline="Money back is a refund, vouchers too.", review={"blind_share": 1.0})
    blind = desk.ticket()
    desk.click(ANA, blind, REFUND)
    desk.click(BEN, shown, REFUND)
    assert [(a.person, a.guideline_version, a.suggestion_shown) for a in desk.answers(shown)] == [
        (ANA, 1, True),
        (BEN, 2, True),
    ]
    assert [(a.person, a.guideline_version, a.suggestion_shown) for a in desk.answers(blind)] == [(ANA, 2, False)]
    assert desk.correction(shown).guideline_version == 2


def test_an_open_card_is_not_drawn_again_for_an_answer(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND)
    desk.undo(ANA, item_id)
    desk.click(BEN, item_id, REFUND)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 1
    desk.click(ANA, item_id, REFUND)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 2, "it is settled"


def test_a_card_is_drawn_again_when_its_item_goes_to_a_lead_and_when_it_comes_back(desk: Desk) -> None:
    item_id = desk.ticket()
    for person, answer in DISPUTED:
        desk.click(person, item_id, answer)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 2
    desk.undo(EVA, item_id)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 3


def test_a_click_that_comes_again_has_had_its_receipt(desk: Desk) -> None:
    item_id = desk.ticket()
    receipts = [desk.click(ANA, item_id, REFUND, at=1_000) for _ in range(3)]
    assert [receipt.repeated for receipt in receipts] == [False, True, True]


def test_the_daily_cap_is_kept_in_the_time_zone_of_the_queue(open_desk: OpenDesk) -> None:
    desk = open_desk(workload={"daily_cap": 2}, time_zone="Asia/Tokyo")
    evening = datetime(2026, 11, 24, 23, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    first, second, third, fourth = (desk.ticket() for _number in range(4))
    desk.click(ANA, first, REFUND, now=evening)
    desk.click(ANA, second, REFUND, now=evening)
    with pytest.raises(Refusal, match="You've reached today's limit of 2 votes in Support tickets"):
        desk.click(ANA, third, REFUND, now=evening)
    assert not desk.answers(third)
    assert desk.click(ANA, second, BILLING, now=evening).label == BILLING, "a changed vote is no further one"
    desk.click(ANA, third, SKIP, now=evening)
    desk.undo(ANA, first, now=evening)
    assert desk.click(ANA, fourth, REFUND, now=evening).label == REFUND, "what was taken back does not count"
    with pytest.raises(Refusal, match="today"):
        desk.click(ANA, third, REFUND, now=evening + timedelta(minutes=29))
    assert desk.click(ANA, third, REFUND, now=evening + timedelta(minutes=31)).label == REFUND
    assert desk.click(BEN, third, REFUND, now=evening).settled, "everybody has a cap of their own"


def test_the_daily_cap_holds_on_the_longest_day(open_desk: OpenDesk) -> None:
    desk = open_desk(workload={"daily_cap": 1}, time_zone="Antarctica/Troll")
    began = datetime(2026, 10, 25, 0, 5, tzinfo=ZoneInfo("Antarctica/Troll"))  # on which clocks go back by two hours
    first, second = desk.ticket(), desk.ticket()
    desk.click(ANA, first, REFUND, now=began)
    with pytest.raises(Refusal, match="today"):
        desk.click(ANA, second, REFUND, now=began.astimezone(UTC) + timedelta(hours=25, minutes=50))
    assert desk.click(ANA, second, REFUND, now=began.astimezone(UTC) + timedelta(hours=26)).label == REFUND


def test_who_has_paused_is_not_waited_for_but_may_vote(desk: Desk) -> None:
    with desk.database.transaction() as session:
        pause(session, EVA, NOW)
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND)
    desk.click(BEN, item_id, BILLING)
    assert desk.item(item_id).state is ItemState.DISPUTED
    assert desk.item(item_id).disputed_because == DisputeReason.NO_REVIEWER_LEFT
    with desk.database.transaction() as session:
        resume(session, EVA)
        pause(session, ANA, NOW)
    other = desk.ticket()
    desk.click(ANA, other, REFUND)
    assert desk.item(other).state is ItemState.OPEN
    assert desk.click(EVA, other, REFUND).settled


def test_who_has_skipped_or_may_not_act_is_not_waited_for(desk: Desk) -> None:
    with desk.database.transaction() as session:
        people = [Person(ANA), Person(BEN), Person(EVA, InactiveReason.GUEST)]
        sync_members(session, desk.queue().id, Role.REVIEWER, people)
    item_id = desk.ticket()
    desk.click(ANA, item_id, SKIP)
    assert desk.item(item_id).state is ItemState.OPEN
    desk.click(BEN, item_id, REFUND)
    assert desk.item(item_id).disputed_because == DisputeReason.NO_REVIEWER_LEFT


def test_a_receipt_names_the_answer_that_it_replaces_but_none_that_was_withdrawn(desk: Desk) -> None:
    item_id = desk.ticket()
    assert desk.click(ANA, item_id, REFUND).before is None
    assert desk.click(ANA, item_id, BILLING).before == REFUND
    desk.undo(ANA, item_id)
    assert desk.click(ANA, item_id, REFUND).before is None
