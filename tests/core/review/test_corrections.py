"""A settled item: its correction, where that goes (the provenance firewall), and a lead's settling of a dispute."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.learning.data.golden import Chosen, destination, golden_set
from core.learning.data.inputs import ImageRef, Input
from core.learning.data.snapshots import gather
from core.records.learning import GoldenExample
from core.review.cards import item_card
from core.text.content_hash import content_hash, unit_interval
from core.vocabulary import (
    NONE_OF_THESE,
    Card,
    Destination,
    DisputeReason,
    ErrorReason,
    ItemState,
    Origin,
    Settler,
    Stratum,
)
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, SURE, UNSURE, Desk
from tests.people import ANA, BEN, CLEO, EVA, support_policy

BLIND = {"review": {"blind_share": 1.0}}
RULES = support_policy(review={"blind_share": 0.5}, golden={"random_share": 0.4}).queues[0]
DRAWN = next(h for h in map(content_hash, "abcdefghij") if unit_interval(h, "golden") < 0.4)
PASSED = next(h for h in map(content_hash, "abcdefghij") if unit_interval(h, "golden") >= 0.4)

GOLDEN, TRAINING, NOWHERE = Destination.GOLDEN, Destination.TRAINING, Destination.NOWHERE
RANDOM, PAST_ERROR = Stratum.RANDOM, Stratum.PAST_ERROR
FIREWALL: list[tuple[str, bool, bool, str | None, str, tuple[Destination, Stratum | None, float]]] = [
    # what it is                      blind, right, label, content -> destination, stratum, inclusion probability
    ("blind, an error, not drawn", True, False, REFUND, PASSED, (GOLDEN, PAST_ERROR, 0.9 * 0.5 * 0.6)),
    ("blind, an error, drawn", True, False, REFUND, DRAWN, (GOLDEN, RANDOM, 0.9 * 0.5 * 0.4)),
    ("blind, confirmed, drawn", True, True, REFUND, DRAWN, (GOLDEN, RANDOM, 0.9 * 0.5 * 0.4)),
    ("blind, confirmed, not drawn", True, True, REFUND, PASSED, (TRAINING, None, 0.0)),
    ("seen, an error", False, False, REFUND, DRAWN, (TRAINING, None, 0.0)),
    ("seen, confirmed, drawn", False, True, REFUND, DRAWN, (TRAINING, None, 0.0)),
    ("none of these, blind", True, False, None, DRAWN, (NOWHERE, None, 0.0)),
    ("none of these, seen", False, False, None, PASSED, (NOWHERE, None, 0.0)),
]


def chosen(blind: bool, right: bool, label: str | None, digest: str, lot: float = 0.1, audited: bool = False) -> Chosen:
    return destination(
        blind=blind,
        audited=audited,
        model_was_right=right,
        label=label,
        drawn_by=digest,
        lot=lot,
        policy=RULES,
    )


@pytest.mark.parametrize(
    ("blind", "right", "label", "digest", "expected"), [row[1:] for row in FIREWALL], ids=[row[0] for row in FIREWALL]
)
def test_a_correction_goes_where_the_table_says(
    blind: bool, right: bool, label: str | None, digest: str, expected: tuple[Destination, Stratum | None, float]
) -> None:
    made = chosen(blind, right, label, digest)
    assert (made.destination, made.stratum) == expected[:2]
    assert made.probability == pytest.approx(expected[2])


@pytest.mark.parametrize(("right", "expected"), [(True, (TRAINING, None)), (False, (GOLDEN, PAST_ERROR))])
def test_a_find_of_a_scan_is_never_golden_by_chance(right: bool, expected: tuple[Destination, Stratum | None]) -> None:
    """The lot would have chosen it."""
    made = destination(
        blind=True, audited=False, model_was_right=right, label=REFUND, drawn_by=DRAWN, lot=0.1, policy=RULES,
        discovered=True,
    )  # fmt: skip
    assert (made.destination, made.stratum) == expected


@settings(deadline=None)
@given(
    st.booleans(), st.booleans(), st.booleans(), st.none() | st.just(REFUND), st.text(max_size=9), st.floats(0.01, 0.99)
)
def test_only_blind_answers_with_a_label_are_golden_and_only_they_have_odds(
    audited: bool, blind: bool, right: bool, label: str | None, text: str, lot: float
) -> None:
    made = chosen(blind, right, label, content_hash(text), lot, audited)
    assert made.destination is not GOLDEN or (blind and label is not None)
    assert (made.probability > 0) == (made.destination is GOLDEN) == (made.stratum is not None)
    assert made.probability <= (lot if audited else 1 - lot)


@given(st.booleans(), st.booleans(), st.text(max_size=9))
def test_an_audited_answer_never_trains_and_is_no_past_error(blind: bool, right: bool, text: str) -> None:
    """Half of them, by content, are golden whether the model was right or wrong; the others serve estimates."""
    made = chosen(blind, right, REFUND, content_hash(text), 0.1, audited=True)
    if blind and unit_interval(content_hash(text), "audited golden") < 0.5:
        assert made == Chosen(GOLDEN, RANDOM, Origin.AUDITED, 0.1 * 0.5)
    else:
        assert made == Chosen(Destination.HELD_OUT)


def test_about_half_of_the_audited_contents_become_golden() -> None:
    """Within the 99 % quantiles of a binomial with 1,000 draws at 1/2."""
    texts = [content_hash(f"text {number}") for number in range(1000)]
    kept = [chosen(True, True, REFUND, digest, 0.1, audited=True).destination for digest in texts]
    assert 459 <= kept.count(GOLDEN) <= 541
    assert kept.count(GOLDEN) + kept.count(Destination.HELD_OUT) == 1000


@given(st.text(max_size=9))
def test_whether_an_example_is_a_random_one_does_not_depend_on_whether_the_model_was_right(text: str) -> None:
    right, wrong = (chosen(True, was_right, REFUND, content_hash(text)) for was_right in (True, False))
    assert (right.stratum is RANDOM) == (wrong.stratum is RANDOM)


def golden(desk: Desk) -> dict[str, tuple[str, Stratum, float]]:
    with desk.database.reading() as session:
        rows = session.scalars(select(GoldenExample)).all()
        return {row.text: (row.label, row.stratum, row.inclusion_probability) for row in rows}


def test_a_correction_keeps_how_it_came_about(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, DELIVERY, note="I do not know")
    desk.click(BEN, item_id, BILLING, reason=ErrorReason.GUIDELINE_GAP)
    desk.click(ANA, item_id, BILLING, reason=ErrorReason.AMBIGUOUS, note="twice charged")
    correction = desk.correction(item_id)
    assert (correction.label, correction.model_was_right) == (BILLING, False)
    assert (correction.settled_by, correction.lead, correction.tally) == (Settler.CONSENSUS, None, {BILLING: 2})
    assert (correction.destination, correction.policy_fingerprint) == (TRAINING, desk.rules.fingerprint)
    assert correction.reason in (ErrorReason.AMBIGUOUS, ErrorReason.GUIDELINE_GAP)
    assert correction.note == "twice charged"
    assert correction.settled_at == desk.item(item_id).settled_at == NOW


def test_the_reason_is_the_one_most_winners_gave_and_losers_reasons_do_not_count(open_desk: OpenDesk) -> None:
    desk = open_desk(reviewers=[ANA, BEN, EVA, "U_FAY"], consensus={"votes": 5, "rule": "majority"})
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, reason=ErrorReason.OTHER, note="a loser's note")
    desk.click(BEN, item_id, BILLING, reason=ErrorReason.AMBIGUOUS)
    desk.click(EVA, item_id, BILLING, reason=ErrorReason.NEW_CLASS, note="a winner's note")
    desk.click("U_FAY", item_id, BILLING, reason=ErrorReason.NEW_CLASS)
    correction = desk.correction(item_id)
    assert (correction.reason, correction.note) == (ErrorReason.NEW_CLASS, "a winner's note")
    assert correction.tally == {BILLING: 3, REFUND: 1}


def test_a_confirmation_is_a_correction_too(desk: Desk) -> None:
    correction = desk.correction(desk.settled(ANA, BEN, answer=REFUND))
    assert (correction.model_was_right, correction.destination) == (True, TRAINING)


def test_none_of_these_is_an_error_of_the_model_and_never_trains(desk: Desk) -> None:
    correction = desk.correction(desk.settled(ANA, BEN, answer=NONE))
    assert (correction.label, correction.model_was_right, correction.destination) == (None, False, NOWHERE)
    assert correction.tally == {NONE_OF_THESE: 2}
    assert golden(desk) == {}


def test_an_error_found_blind_becomes_golden_with_its_odds(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND, golden={"random_share": 0.0})
    error = desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    confirmed = desk.settled(ANA, BEN, answer=REFUND, text="money back")
    assert desk.correction(error).destination is GOLDEN
    assert desk.correction(confirmed).destination is TRAINING
    assert golden(desk) == {"charged twice": (BILLING, Stratum.PAST_ERROR, 1.0)}


IMAGE, FIELDS = "https://files.example/A.png", {"Patient": "P-7"}


@pytest.mark.parametrize(
    ("blind", "share", "answer", "goes_to"),
    [
        (1.0, 1.0, REFUND, (GOLDEN, RANDOM)),
        (1.0, 0.0, BILLING, (GOLDEN, PAST_ERROR)),
        (1.0, 0.0, REFUND, (TRAINING, None)),
        (0.0, 1.0, BILLING, (TRAINING, None)),
    ],
    ids=["drawn", "an error found blind", "confirmed, not drawn", "seen"],
)
def test_an_image_goes_where_a_text_would_and_is_kept_as_one(
    open_desk: OpenDesk, blind: float, share: float, answer: str, goes_to: tuple[Destination, Stratum | None]
) -> None:
    desk = open_desk(review={"blind_share": blind}, golden={"random_share": share})
    item_id = desk.settled(ANA, BEN, answer=answer, text=None, image_url=IMAGE, fields=FIELDS)
    assert desk.correction(item_id).destination is goes_to[0]
    with desk.database.reading() as session:
        examples = golden_set(session, desk.queue().id)
    image = Input(image=ImageRef(IMAGE), fields=FIELDS)
    kept = [(one.input, one.label, one.stratum, one.content_hash) for one in examples]
    assert kept == ([(image, answer, goes_to[1], image.content_hash)] if goes_to[0] is GOLDEN else [])


def test_the_same_image_is_one_golden_example(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND)
    for ticket in ("first", "second"):
        desk.settled(ANA, BEN, answer=BILLING, text=None, image_url=IMAGE, fields={"Ticket": ticket})
    with desk.database.reading() as session:
        [example] = golden_set(session, desk.queue().id)
    assert example.input.fields == {"Ticket": "first"}


def test_an_audited_item_is_golden_with_the_product_of_its_odds(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.999}, golden={"audited_share": 1.0})
    desk.settled(ANA, BEN, answer=REFUND, text="money back", chances=SURE)
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    assert golden(desk) == {"money back": (REFUND, RANDOM, 0.999), "charged twice": (BILLING, RANDOM, 0.999)}
    with desk.database.reading() as session:
        assert {one.origin for one in golden_set(session, desk.queue().id)} == {Origin.AUDITED}


def test_the_other_audited_items_neither_train_nor_become_past_errors(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 1.0}, golden={"audited_share": 0.0})
    for answer, chances in ((REFUND, SURE), (BILLING, SURE), (REFUND, UNSURE), (BILLING, UNSURE)):
        item_id = desk.settled(ANA, BEN, answer=answer, chances=chances)
        assert desk.correction(item_id).destination is Destination.HELD_OUT
    assert golden(desk) == {}
    with desk.database.reading() as session:
        assert gather(session, desk.queue().id, desk.rules) == []


def test_the_same_text_is_one_golden_example_with_its_first_label(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND)
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    desk.settled(ANA, BEN, answer=DELIVERY, text="Charged  TWICE", model_version="sender-2")
    assert {text: label for text, (label, _stratum, _odds) in golden(desk).items()} == {"charged twice": BILLING}


def disputed(desk: Desk, text: str = "") -> int:
    item_id = desk.ticket(text)
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, item_id, answer, now=NOW - timedelta(hours=1))
    return item_id


def test_a_lead_settles_a_dispute_with_reason_and_note(desk: Desk) -> None:
    item_id = disputed(desk)
    item = desk.item(item_id)
    assert (item.disputed_because, item.disputed_values) == (DisputeReason.NO_AGREEMENT, {"count": 3})
    receipt = desk.click(CLEO, item_id, BILLING, reason=ErrorReason.WRONG_LABEL_DEFINITION, note="see rule 4")
    assert (receipt.settled, receipt.adjudicated, receipt.may_undo) == (True, True, False)
    correction = desk.correction(item_id)
    assert (correction.label, correction.settled_by, correction.lead) == (BILLING, Settler.LEAD, CLEO)
    assert (correction.reason, correction.note) == (ErrorReason.WRONG_LABEL_DEFINITION, "see rule 4")
    assert correction.tally == {REFUND: 1, BILLING: 1, DELIVERY: 1}
    item = desk.item(item_id)
    assert (item.state, item.disputed_because, item.disputed_values) == (ItemState.SETTLED, "", {})


def test_a_lead_may_choose_a_label_that_no_vote_had(open_desk: OpenDesk) -> None:
    desk = open_desk(labels=[REFUND, BILLING, DELIVERY, "praise"])
    item_id = disputed(desk)
    desk.click(CLEO, item_id, "praise")
    assert desk.correction(item_id).label == "praise"


def test_a_leads_answer_to_a_blind_dispute_goes_through_the_firewall(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND)
    item_id = disputed(desk, text="charged twice")
    with desk.database.reading() as session:
        assert item_card(session, item_id, desk.policy).predicted_label is None, "nor does the lead see the guess"
    desk.click(CLEO, item_id, BILLING)
    assert desk.correction(item_id).destination is GOLDEN
    assert golden(desk)["charged twice"][1] is Stratum.PAST_ERROR


def test_settling_asks_for_the_card_to_be_drawn(desk: Desk) -> None:
    item_id = disputed(desk)
    before = desk.wanted(Card.REVIEW_ITEM, item_id)
    desk.click(CLEO, item_id, BILLING)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == before + 1
