"""A weak slice as a reason to flag: a lead's request, what it opens, and when it is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotAllowed, NotFound, Refusal
from core.intake.cuts import store_cut
from core.intake.daily_readings import read_day
from core.intake.slice_cards import SliceCard, led_slices, slice_cards, slice_examples
from core.intake.waiting import open_next
from core.intake.weak_slices import ask_about, asked_slices, slice_of_label, stop_asking, store_slices
from core.quality.slices import Look, WeakSlice
from core.records.predictions import Flag, Prediction, WaitingPrediction
from core.records.reviews import ReviewItem
from core.records.slices import SliceRequest
from core.review.cards import item_card
from core.review.known_rows import known_rows
from core.vocabulary import ErrorReason, Reason, SliceKind, WaitState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, sent
from tests.people import ANA, BEN, CLEO

FAX = Look(SliceKind.FIELD, "fax", "channel")
DAY = timedelta(days=1)


def found(desk: Desk, *looks: Look, model: str = "sender-1", rows: int = 60) -> list[CardRef]:
    """A look that found these; a prediction of the model came before."""
    desk.ingest(sent(chances=SURE, model_version=model))
    weak = [WeakSlice(look, rows, 41, 0.3, 0.001, whys={"ambiguous": 2}, missed=BILLING) for look in looks]
    with desk.database.transaction() as session:
        store_slices(session, desk.queue().id, model, weak, [], NOW)
    return [card.subject for card in cards(desk)]


def cards(desk: Desk, now: datetime = NOW) -> list[SliceCard]:
    with desk.database.reading() as session:
        return slice_cards(session, desk.queue().id, desk.rules, now)


def ask(desk: Desk, subject: CardRef, person: str = CLEO, now: datetime = NOW) -> int:
    with desk.database.transaction() as session:
        return ask_about(session, subject, person, now, desk.policy)


def stop(desk: Desk, subject: CardRef, person: str = CLEO, now: datetime = NOW) -> None:
    with desk.database.transaction() as session:
        stop_asking(session, subject, person, now, desk.policy)


def faxed(desk: Desk, n: int = 1, now: datetime = NOW, **more: Any) -> int:
    """How many of so many sure predictions by fax are flagged."""
    rows = [sent(chances=SURE, fields={"channel": "fax"}, **more) for _ in range(n)]
    return desk.ingest(*rows, now=now).flagged


def cut_at_half(desk: Desk) -> None:
    """A hundred predictions came yesterday; the few that are as unsure as this are the budget's."""
    desk.ingest(*(sent(chances=SURE) for _ in range(100)), now=NOW - DAY)
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", [0.5] * 6 + [0.0] * 194, {}, NOW)


def reasons(desk: Desk) -> list[tuple[str, Any]]:
    with desk.database.reading() as session:
        return [(flag.reason, flag.values) for flag in session.scalars(select(Flag).order_by(Flag.id))]


def test_a_prediction_in_an_asked_slice_is_flagged_and_no_other(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    assert faxed(desk) == 0, "no lead asked for it"
    request = ask(desk, fax)
    assert faxed(desk) == 1
    assert desk.ingest(sent(chances=SURE, fields={"channel": "mail"})).flagged == 0
    values = {"request": request, "kind": "field", "value": "fax", "name": "channel", "other": ""}
    assert reasons(desk) == [(Reason.WEAK_SLICE, values)]
    with desk.database.reading() as session:
        stored = session.get_one(SliceRequest, request)
        assert (stored.asked_by, stored.asked_at, stored.opened) == (CLEO, NOW, 1)


def test_an_unsure_prediction_in_it_is_flagged_because_it_is_unsure(desk: Desk) -> None:
    ask(desk, found(desk, FAX)[0])
    assert desk.ingest(sent(fields={"channel": "fax"})).flagged == 1
    assert [reason for reason, _values in reasons(desk)] == [Reason.UNCERTAIN]


def test_no_more_items_are_opened_than_the_policy_allows(open_desk: OpenDesk) -> None:
    desk = open_desk(slices={"items": 3})
    [fax] = found(desk, FAX)
    ask(desk, fax)
    assert (faxed(desk, 2), faxed(desk, 4), faxed(desk)) == (2, 1, 0)
    assert cards(desk)[0].asking is None, "it is over, and can be asked for again"
    ask(desk, fax)
    assert faxed(desk) == 1


def test_what_is_sent_again_takes_no_room(open_desk: OpenDesk) -> None:
    desk = open_desk(slices={"items": 2})
    ask(desk, found(desk, FAX)[0])
    row = sent(chances=SURE, fields={"channel": "fax"})
    assert (desk.ingest(row).flagged, desk.ingest(row).flagged, faxed(desk, 2)) == (1, 0, 1)


def test_it_lapses_after_the_days_and_when_another_model_answers(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    ask(desk, fax)
    assert faxed(desk, now=NOW + 13 * DAY) == 1
    assert faxed(desk, now=NOW + 14 * DAY) == 0
    ask(desk, fax, now=NOW + 14 * DAY)
    assert faxed(desk, now=NOW + 14 * DAY) == 1
    desk.ingest(sent(chances=SURE, model_version="sender-2"), now=NOW + 15 * DAY)
    assert faxed(desk, now=NOW + 15 * DAY, model_version="sender-2") == 0
    with pytest.raises(Refusal, match="Another model answers now"):
        ask(desk, fax, now=NOW + 15 * DAY)


def test_a_lead_takes_it_back_and_open_items_stay(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    request = ask(desk, fax)
    faxed(desk)
    stop(desk, fax)
    assert faxed(desk) == 0
    with desk.database.reading() as session:
        assert session.get_one(SliceRequest, request).ended_by == CLEO
        assert len(session.scalars(select(ReviewItem)).all()) == 1
    with pytest.raises(AlreadySettled):
        stop(desk, fax)


@pytest.mark.parametrize("verb", [ask, stop])
def test_only_leads_decide(desk: Desk, verb: Any) -> None:
    [fax] = found(desk, FAX)
    if verb is stop:
        ask(desk, fax)
    with pytest.raises(NotAllowed):
        verb(desk, fax, ANA)
    assert len(reasons(desk)) == 0


def test_a_slice_is_asked_about_once_and_only_so_many_at_a_time(open_desk: OpenDesk) -> None:
    desk = open_desk(slices={"asked": 1})
    first, second = found(desk, FAX, Look(SliceKind.LABEL, REFUND))
    ask(desk, first)
    with pytest.raises(Refusal, match="already"):
        ask(desk, first)
    with pytest.raises(Refusal, match=r"slices\.asked = 1"):
        ask(desk, second)
    stop(desk, first)
    ask(desk, second)


def test_a_policy_that_allows_none_ends_them_all(desk: Desk) -> None:
    ask(desk, found(desk, FAX)[0])
    without = desk.under(slices={"asked": 0})
    assert faxed(without) == 0
    assert cards(without)[0].asking is None


def test_a_card_of_a_lost_row_is_about_no_other(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    with pytest.raises(NotFound):
        ask(desk, CardRef(fax.id, 7))
    with pytest.raises(NotFound):
        ask(desk, CardRef(99))


def test_the_audit_stays_as_it_is(open_desk: OpenDesk) -> None:
    """The lot falls on the same rows, with the same probability."""
    flagging = {"audit_share": 0.3}
    texts = [f"text {number}" for number in range(40)]

    def audited(desk: Desk) -> list[str]:
        desk.ingest(*(sent(text, SURE, fields={"channel": "fax"}) for text in texts))
        with desk.database.reading() as session:
            drawn = select(Prediction.text, Prediction.lot_probability).join(Flag).where(Flag.reason == Reason.AUDIT)
            return sorted(text for text, share in session.execute(drawn) if share == 0.3 and text in texts)

    desk = open_desk(flagging=flagging)
    ask(desk, found(desk, FAX)[0])
    with_slice = audited(desk)
    plain = replace(desk, policy=desk.policy)
    with desk.database.transaction() as session:
        for flag in session.scalars(select(Flag)):
            session.delete(flag)
    stop(plain, cards(plain)[0].subject)
    texts = [f" {text}" for text in texts]  # the same content
    assert [text.strip() for text in audited(plain)] == with_slice


def test_a_blind_card_hides_the_reason(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    ask(desk, found(desk, FAX)[0])
    faxed(desk)
    with desk.database.reading() as session:
        assert item_card(session, 1, desk.policy).why_flagged == ()


def test_under_a_budget_it_waits_for_room_behind_the_unsure_and_leaves_the_line_when_it_is_over(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(flagging={"budget": "3 a day"}, slices={"items": 1})
    [fax] = found(desk, FAX)
    request = ask(desk, fax)
    cut_at_half(desk)
    faxed(desk, 2)
    desk.ingest(sent("unsure", {REFUND: 0.5, BILLING: 0.5}))
    with desk.database.transaction() as session:
        open_next(session, desk.rules, NOW)
    with desk.database.reading() as session:
        line = select(WaitingPrediction.state).order_by(WaitingPrediction.state)
        of_slice = session.scalars(line.where(WaitingPrediction.reason == Reason.WEAK_SLICE)).all()
        unsure = session.scalars(line.where(WaitingPrediction.reason == Reason.UNCERTAIN)).all()
        assert (of_slice, unsure) == ([WaitState.LAPSED, WaitState.OPENED], [WaitState.OPENED])
        assert session.get_one(SliceRequest, request).opened == 1


def test_taking_it_back_empties_the_line(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "3 a day"})
    [fax] = found(desk, FAX)
    ask(desk, fax)
    cut_at_half(desk)
    faxed(desk, 2)
    stop(desk, fax)
    with desk.database.reading() as session:
        assert set(session.scalars(select(WaitingPrediction.state))) == {WaitState.LAPSED}


def test_rows_of_an_asked_slice_say_nothing_about_other_slices_or_days(desk: Desk) -> None:
    ask(desk, found(desk, FAX)[0])
    faxed(desk)
    for person in (ANA, BEN):
        desk.click(person, 1, BILLING)
    with desk.database.reading() as session:
        assert known_rows(session, desk.queue().id) == []
        day = read_day(session, desk.queue().id, (NOW - DAY, NOW + DAY), 1)
    assert (day.rows, day.settled) == (2, {})


def test_a_look_that_finds_it_no_more_takes_it_off_the_list(desk: Desk) -> None:
    first, second = found(desk, FAX, Look(SliceKind.LABEL, REFUND))
    ask(desk, first)
    with desk.database.transaction() as session:
        store_slices(session, desk.queue().id, "sender-1", [], [], NOW + DAY)
    [left] = cards(desk)
    assert left.subject == first, "people are asked about it"
    assert left.asking is not None
    assert (left.asking.person, left.asking.opened, left.asking.items) == (CLEO, 0, 50)
    stop(desk, first)
    assert cards(desk) == []
    again = found(desk, Look(SliceKind.LABEL, REFUND), rows=70)
    assert again == [second], "the same row"
    assert cards(desk)[0].weak.rows == 70


def test_an_alarm_may_be_about_a_label_that_no_look_found(desk: Desk) -> None:
    [fax] = found(desk, FAX)
    with desk.database.transaction() as session:
        label = slice_of_label(session, desk.queue().id, "sender-1", REFUND, NOW)
        assert slice_of_label(session, desk.queue().id, "sender-1", REFUND, NOW + DAY) == label
    assert [card.subject for card in cards(desk)] == [fax]
    ask(desk, CardRef(label))
    assert desk.ingest(sent(chances=SURE)).flagged == 1


def test_a_lead_sees_the_slices_of_the_led_queues_and_their_wrong_answers(desk: Desk) -> None:
    wrong = desk.ticket("by fax", fields={"channel": "fax"})
    right = desk.ticket("by fax, too", fields={"channel": "fax"})
    other = desk.ticket("by mail", fields={"channel": "mail"})
    for item_id, label in ((wrong, BILLING), (right, REFUND), (other, BILLING)):
        for person in (ANA, BEN):
            desk.click(person, item_id, label, reason=ErrorReason.AMBIGUOUS)
    [fax] = found(desk, FAX)
    with desk.database.reading() as session:
        [card] = led_slices(session, CLEO, desk.policy, NOW)
        assert (card.subject, card.weak.whys, card.weak.missed) == (fax, {"ambiguous": 2}, BILLING)
        assert led_slices(session, ANA, desk.policy, NOW) == []
        _card, [example] = slice_examples(session, fax, CLEO, NOW, desk.policy)
        assert (example.item_id, example.text, example.said, example.settled) == (wrong, "by fax", REFUND, BILLING)
        with pytest.raises(NotAllowed):
            slice_examples(session, fax, ANA, NOW, desk.policy)


def test_nothing_is_asked_without_a_wish(desk: Desk) -> None:
    found(desk, FAX)
    with desk.database.reading() as session:
        assert asked_slices(session, desk.queue().id, desk.rules, NOW) == []
