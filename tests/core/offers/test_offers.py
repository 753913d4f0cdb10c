"""What a lead is offered for a weak slice or an alarm: when, at what cost, and what becomes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.delivery.card_refs import CardRef
from core.errors import Invalid, NotAllowed, Refusal
from core.intake.drift_card import alarm_examples
from core.offers.cost import Cost, Gain, cost, gain, seconds_an_answer
from core.offers.table import OFFERS, Offer, offers_for, take_offer
from core.offers.targets import target_meant
from core.quality.slices import Look
from core.records.discovery import Scan
from core.records.drift import DriftAlarm
from core.records.learning import Live
from core.records.slices import FoundSlice, SliceRequest
from core.vocabulary import DriftSign, OfferAbout, OfferKind, Reason, SliceKind
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, sent
from tests.core.intake.test_weak_slices import FAX, found
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, CLEO

SOURCES = [{"name": "archive", "address": "/data/archive.jsonl", "text": "text"}]


def offers(desk: Desk, subject: CardRef, about: OfferAbout = OfferAbout.SLICE) -> dict[OfferKind, Offer]:
    with desk.database.reading() as session:
        target = target_meant(session, about, subject, desk.policy)
        return {one.kind: one for one in offers_for(session, target, desk.rules, NOW)}


def take(
    desk: Desk, kind: OfferKind, subject: CardRef, choice: str = "", about: OfferAbout = OfferAbout.SLICE,
    person: str = CLEO,
) -> int:  # fmt: skip
    with desk.database.transaction() as session:
        target = target_meant(session, about, subject, desk.policy)
        return take_offer(session, kind, target, choice, person, NOW, desk.policy)


def alarm(desk: Desk, sign: DriftSign = DriftSign.CORRECTIONS, label: str | None = REFUND) -> CardRef:
    desk.ingest(sent(chances=SURE))
    stored = {"sign": sign, "label": label, "days": 1, "observed": 3, "expected": 1.0, "p_value": 1e-9}
    with desk.database.transaction() as session:
        row = DriftAlarm(
            queue_id=desk.queue().id, began_at=NOW - timedelta(days=1), signs=[stored], policy_fingerprint="",
            created_at=NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return CardRef.of(row.id, row.created_at)


def test_every_kind_has_its_entry() -> None:
    assert set(OFFERS) == set(OfferKind)


def test_people_are_offered_for_a_slice_until_they_are_asked(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    assert list(offers(desk, fax)) == [OfferKind.ASK_PEOPLE], "the policy lists no source"
    take(desk, OfferKind.ASK_PEOPLE, fax)
    assert offers(desk, fax) == {}
    with desk.database.reading() as session:
        assert session.scalars(select(SliceRequest.asked_by)).one() == CLEO


def test_nothing_is_offered_that_the_policy_does_not_allow(open_desk: OpenDesk) -> None:
    desk = open_desk(slices={"asked": 0})
    assert offers(desk, found(desk, FAX)[0]) == {}


@pytest.mark.parametrize(
    ("look", "label"),
    [(FAX, BILLING), (Look(SliceKind.LABEL, REFUND), REFUND), (Look(SliceKind.PAIR, REFUND, other=BILLING), REFUND)],
)
@pytest.mark.slow
def test_a_scan_looks_for_the_slices_label_or_for_the_one_that_it_misses(
    open_desk: OpenDesk, look: Look, label: str
) -> None:
    desk = seeded(open_desk(discovery={"sources": SOURCES}))
    promoted(desk)
    [subject] = found(desk, look, model="v1")
    offered = offers(desk, subject)
    assert (offered[OfferKind.FIND_MORE].choices, offered[OfferKind.FIND_MORE].label) == (("archive",), label)
    assert offered[OfferKind.ASK_PEOPLE].label is None, "they are asked about the slice"
    scan_id = take(desk, OfferKind.FIND_MORE, subject, "archive")
    with desk.database.reading() as session:
        scan = session.get_one(Scan, scan_id)
        assert (scan.source, scan.label, scan.foreign, scan.requested_by) == (SOURCES[0]["address"], label, False, CLEO)
    with pytest.raises(Invalid, match="does not list"):
        take(desk, OfferKind.FIND_MORE, subject, "mail")


def test_an_alarm_about_a_label_offers_its_answers_and_one_about_none_another_kind(open_desk: OpenDesk) -> None:
    desk = open_desk(discovery={"sources": SOURCES})
    wrong = alarm(desk)
    assert set(offers(desk, wrong, OfferAbout.ALARM)) == {OfferKind.FIND_MORE, OfferKind.ASK_PEOPLE}
    take(desk, OfferKind.ASK_PEOPLE, wrong, about=OfferAbout.ALARM)
    assert desk.ingest(sent(chances=SURE)).flagged == 1
    with desk.database.transaction() as session:
        assert session.scalars(select(FoundSlice.is_weak)).one() is False
        session.execute(update(DriftAlarm).values(signs=[{"sign": "none_of_these", "label": None}]))
    assert list(offers(desk, wrong, OfferAbout.ALARM)) == [OfferKind.FIND_MORE]
    with pytest.raises(Refusal, match="no label"):
        take(desk, OfferKind.ASK_PEOPLE, wrong, about=OfferAbout.ALARM)
    with desk.database.transaction() as session:
        session.execute(update(DriftAlarm).values(signs=[{"sign": "volume", "label": None}]))
    assert offers(desk, wrong, OfferAbout.ALARM) == {}


@pytest.mark.parametrize(("kind", "choice"), [(OfferKind.ASK_PEOPLE, ""), (OfferKind.FIND_MORE, "archive")])
def test_only_leads_take_an_offer(open_desk: OpenDesk, kind: OfferKind, choice: str) -> None:
    desk = open_desk(discovery={"sources": SOURCES})
    with pytest.raises(NotAllowed):
        take(desk, kind, found(desk, FAX)[0], choice, person=ANA)


def test_without_data_an_answer_takes_fifteen_seconds_and_an_item_all_its_votes(desk: Desk) -> None:
    with desk.database.reading() as session:
        assert cost(session, desk.queue().id, 50, desk.rules) == Cost(50, 150, 37.5, assumed=True)


def test_an_answer_takes_the_median_gap_of_a_person_cut_at_two_minutes(desk: Desk) -> None:
    """Eleven answers of Ana, 20 seconds apart but for a night, and one of Ben beside each."""
    at = NOW
    for number in range(11):
        at += timedelta(hours=9) if number == 5 else timedelta(seconds=20)
        item_id = desk.ticket()
        for person in (ANA, BEN):
            desk.click(person, item_id, REFUND, now=at)
    with desk.database.reading() as session:
        assert seconds_an_answer(session, desk.queue().id) == 20
        assert cost(session, desk.queue().id, 30, desk.rules) == Cost(30, 60, 20.0, assumed=False)


def test_the_gain_counts_settled_items_of_the_reason_and_those_that_correct_the_model(desk: Desk) -> None:
    take(desk, OfferKind.ASK_PEOPLE, found(desk, FAX)[0])
    for label in (REFUND, BILLING, BILLING):
        desk.ingest(sent(chances=SURE, fields={"channel": "fax"}))
        with desk.database.reading() as session:
            item_id = session.scalar(select(SliceRequest.opened)) or 0
        for person in (ANA, BEN):
            desk.click(person, item_id, label)
    desk.settled(ANA, BEN, answer=BILLING)
    with desk.database.reading() as session:
        assert gain(session, desk.queue().id, Reason.WEAK_SLICE) == Gain(3, 2)
        assert gain(session, desk.queue().id, Reason.DISCOVERY) == Gain(0, 0)


def test_a_lead_opens_the_items_of_an_alarm(desk: Desk) -> None:
    wrong = desk.settled(ANA, BEN, answer=BILLING, text="charged twice", now=NOW - timedelta(hours=1))
    subject = alarm(desk)
    with desk.database.reading() as session:
        _card, [example] = alarm_examples(session, subject, CLEO, desk.policy)
        assert (example.item_id, example.text, example.settled) == (wrong, "charged twice", BILLING)
        with pytest.raises(NotAllowed):
            alarm_examples(session, subject, ANA, desk.policy)


def test_each_queue_has_a_row_that_asking_locks(desk: Desk) -> None:
    with desk.database.reading() as session:
        assert session.get(Live, desk.queue().id) is not None
