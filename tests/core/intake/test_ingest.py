"""Intake of predictions: checked field by field, stored once, sent to people if flagged."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from core.errors import Invalid, Refusal
from core.intake.ingest import PIECE, Ingested, record_predictions
from core.intake.limits import LONGEST_TEXT
from core.intake.names import KNOWN
from core.intake.predictions import NewPrediction, checked_prediction
from core.records.predictions import Flag, Prediction
from core.records.reviews import ReviewItem
from core.vocabulary import Card, ItemState, Reason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, UNSURE, Desk, sent
from tests.people import ANA, BEN, DAN, support_policy

RULES = support_policy().queues[0]
LONE_SURROGATE = "\ud800"


def test_the_same_external_id_and_model_version_is_the_same_row(desk: Desk) -> None:
    row = sent("first words", external_id="T-7")
    stored = desk.ingest(row, row | {"text": "other words"}, row | {"model_version": "sender-2"})
    assert (stored.new, stored.repeated, stored.flagged) == (2, 1, 2)
    again = desk.ingest(row | {"text": "third words"}, row | {"external_id": "T-8"})
    assert (again.new, again.repeated, again.flagged) == (1, 1, 1)
    with desk.database.reading() as session:
        assert session.scalar(select(Prediction.text).where(Prediction.external_id == "T-7").limit(1)) == "first words"
        assert session.scalar(select(func.count()).select_from(ReviewItem)) == 3


def test_a_checked_row_has_every_field_of_a_prediction() -> None:
    """It is made without the checks of its class."""
    assert vars(checked_prediction(sent("words"), RULES)).keys() == NewPrediction.__dataclass_fields__.keys()


def test_an_empty_batch_is_nothing(desk: Desk) -> None:
    stored = desk.ingest()
    assert (stored.new, stored.repeated, stored.flagged) == (0, 0, 0)


def test_a_thousand_at_once_are_taken_and_only_the_doubtful_are_shown(desk: Desk) -> None:
    rows = [sent(chances=UNSURE if number % 250 == 0 else SURE) for number in range(1000)]
    stored = desk.ingest(*rows)
    assert (stored.new, stored.repeated, stored.flagged) == (1000, 0, 4)


def test_each_row_of_a_batch_that_is_stored_in_pieces_counts_once(desk: Desk) -> None:
    doubtful = {0, PIECE - 1, PIECE, 2 * PIECE}
    rows = [sent(f"message {n}", UNSURE if n in doubtful else SURE, external_id=f"T-{n}") for n in range(2 * PIECE + 1)]
    assert desk.ingest(rows[PIECE + 3], rows[PIECE]) == Ingested(new=2, repeated=0, flagged=1)
    stored = desk.ingest(rows[0], *rows)
    assert stored == Ingested(new=len(rows) - 2, repeated=3, flagged=3)
    with desk.database.reading() as session:
        asked = select(Prediction.external_id).join(ReviewItem).order_by(Prediction.id)
        assert list(session.scalars(asked)) == [f"T-{n}" for n in (PIECE, 0, PIECE - 1, 2 * PIECE)]
        assert session.scalar(select(func.count()).select_from(Prediction)) == len(rows)


def test_nothing_of_a_batch_is_stored_if_its_last_piece_is_refused(desk: Desk) -> None:
    batch = [checked_prediction(sent(chances=SURE), desk.rules) for _number in range(PIECE + 1)]
    without_id: Any = {"external_id": None}
    for last in (batch[-1], replace(batch[-1], probabilities=UNSURE, confidence=UNSURE[REFUND])):
        with pytest.raises(IntegrityError), desk.database.transaction() as session:
            record_predictions(session, [*batch[:-1], replace(last, **without_id)], NOW, desk.rules)
        with desk.database.reading() as session:
            assert session.scalar(select(func.count()).select_from(Prediction)) == 0


@pytest.mark.slow
def test_the_longest_texts_are_taken_together_too(desk: Desk) -> None:
    """They are more than what is sent to PostgreSQL at once."""
    rows = [sent("\x01" * LONGEST_TEXT, UNSURE if number % 2 else SURE) for number in range(60)]
    stored = desk.ingest(*rows)
    assert (stored.new, stored.repeated, stored.flagged) == (60, 0, 30)
    stored = desk.ingest(*rows, sent())
    assert (stored.new, stored.repeated, stored.flagged) == (1, 60, 1)


def test_a_flag_keeps_its_reason_probability_and_policy(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 1.0})
    desk.ingest(sent("doubtful", UNSURE), sent("sure", SURE))
    with desk.database.reading() as session:
        flags = [
            (flag.prediction.text, flag.reason, flag.inclusion_probability, flag.person, flag.policy_fingerprint)
            for flag in session.scalars(select(Flag).order_by(Flag.id))
        ]
    print_of = desk.rules.fingerprint
    assert flags == [
        ("doubtful", Reason.AUDIT, 1.0, None, print_of),
        ("doubtful", Reason.UNCERTAIN, 1.0, None, print_of),
        ("sure", Reason.AUDIT, 1.0, None, print_of),
    ]


def odds(desk: Desk) -> dict[str, tuple[float, float]]:
    with desk.database.reading() as session:
        rows = session.scalars(select(Prediction)).all()
        return {row.text: (row.lot_probability, row.flag_probability) for row in rows}


def test_a_prediction_keeps_the_odds_of_the_lot_apart_from_those_of_being_flagged(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.25})
    desk.ingest(sent("doubtful", UNSURE), sent("sure", SURE))
    assert odds(desk) == {"doubtful": (0.25, 1.0), "sure": (0.25, 0.25)}


def test_a_persons_report_changes_no_odds_and_is_no_draw(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.001}, review={"blind_share": 1.0})
    row = sent("let pass", SURE)
    desk.ingest(row)
    desk.flag(checked_prediction(row, desk.rules))
    desk.flag(NewPrediction("C1:1", "v1", "never sent", label=REFUND, confidence=0.9))
    assert odds(desk) == {"let pass": (0.001, 0.001), "never sent": (0.0, 0.0)}
    with desk.database.reading() as session:
        assert set(session.scalars(select(Flag.reason))) == {Reason.PERSON}


def test_an_audited_prediction_is_blind_whatever_the_blind_share(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 1.0}, review={"blind_share": 0.0})
    assert desk.item(desk.ticket(chances=SURE)).blind
    assert desk.item(desk.ticket(chances=UNSURE)).blind


def test_the_lot_falls_on_as_many_flagged_rows_as_on_others(open_desk: OpenDesk) -> None:
    """Within the 99 % quantiles of a binomial with 1,000 draws at .2."""
    desk = open_desk(flagging={"audit_share": 0.2})
    for chances in (SURE, UNSURE):
        rows = [sent(f"lot {chances[REFUND]} {number}", chances) for number in range(1000)]
        desk.ingest(*rows)
        mine = Prediction.confidence == chances[REFUND]
        with desk.database.reading() as session:
            drawn = select(func.count()).select_from(Flag).join(Prediction).where(mine, Flag.reason == Reason.AUDIT)
            assert 168 <= (session.scalar(drawn) or 0) <= 233


def test_the_audit_draws_its_share_and_never_again_what_was_there(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.2})
    rows = [sent(f"audit {number}", SURE) for number in range(200)]
    assert 25 <= desk.ingest(*rows).flagged <= 55
    assert desk.ingest(*rows).flagged == 0


def test_the_lot_of_a_prediction_is_the_same_on_every_machine_and_in_every_order(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.2})
    rows = [sent(f"audit {number}", SURE) for number in range(30)]
    for row in reversed(rows):
        desk.ingest(row)
    with desk.database.reading() as session:
        drawn = session.scalars(select(Prediction.text).join(Flag).order_by(Prediction.id.desc()))
        assert list(drawn) == [f"audit {number}" for number in (1, 5, 13, 17, 24, 28)]


def test_a_content_that_was_audited_is_audited_whenever_it_comes(open_desk: OpenDesk) -> None:
    """Else it could train by way of its repeat, whatever model has answered."""
    desk = open_desk(flagging={"audit_share": 0.5})
    texts = [f"audit {number}" for number in range(20)]
    for version in ("sender-1", "sender-2"):
        desk.ingest(*(sent(text, UNSURE, model_version=version) for text in texts))
    with desk.database.reading() as session:
        audited = select(Prediction.text).join(Flag).where(Flag.reason == Reason.AUDIT)
        drawn = [
            set(session.scalars(audited.where(Prediction.model_version == version)))
            for version in ("sender-1", "sender-2")
        ]
    assert drawn[0] == drawn[1]
    assert 0 < len(drawn[0]) < 20


def test_blindness_follows_from_the_content_and_needs_a_guess_to_hide(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 0.5})
    texts = [f"text number {number}" for number in range(12)]
    first = [desk.item(desk.ticket(text)).blind for text in texts]
    second = [desk.item(desk.ticket(text.upper(), model_version="sender-2")).blind for text in texts]
    assert first == second
    assert {True, False} == set(first)
    everything = desk.under(review={"blind_share": 1.0})
    item_id = everything.flag(NewPrediction("C1:1", "none", "no model has seen this"))
    assert everything.item(item_id).blind is False


def test_a_person_asks_for_a_look_whatever_the_model_thinks(desk: Desk) -> None:
    sure = checked_prediction(sent("look at this", SURE, external_id="C1:17"), desk.rules)
    item_id = desk.flag(sure)
    assert desk.item(item_id).state is ItemState.OPEN
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 1
    with desk.database.reading() as session:
        [flag] = session.scalars(select(Flag))
        assert (flag.reason, flag.person, flag.inclusion_probability) == (Reason.PERSON, DAN, 1.0)
    with pytest.raises(Refusal, match=rf"already under review \(item {item_id}\)"):
        desk.flag(sure, ANA)


def test_a_person_may_ask_for_a_look_at_what_the_rules_let_pass(desk: Desk) -> None:
    row = sent("let pass", SURE)
    assert desk.ingest(row).flagged == 0
    item_id = desk.flag(checked_prediction(row, desk.rules))
    assert desk.prediction(item_id).text == "let pass"
    with pytest.raises(Refusal, match="already under review"):
        desk.flag(checked_prediction(row, desk.rules))


def test_a_text_that_no_model_has_seen_can_be_flagged(desk: Desk) -> None:
    item_id = desk.flag(NewPrediction("C1:1", "none", "what is this?"))
    assert desk.prediction(item_id).label is None
    desk.click(ANA, item_id, REFUND)
    assert desk.click(BEN, item_id, REFUND).settled


def test_a_message_flagged_again_after_a_promotion_is_the_same_item(desk: Desk) -> None:
    item_id = desk.flag(NewPrediction("C1:1", "none", "what is this?"))
    with pytest.raises(Refusal, match=f"already under review \\(item {item_id}\\)"):
        desk.flag(NewPrediction("C1:1", "v1", "what is this?", label=REFUND, confidence=0.9))


def test_fields_keep_the_order_in_which_they_were_sent(desk: Desk) -> None:
    fields = {"Ticket number": "7", "Tier": "gold", "A": "b"}
    item_id = desk.ticket(fields=fields)
    assert list(desk.prediction(item_id).fields.items()) == list(fields.items())


def test_what_is_stored_is_what_was_sent_to_the_last_digit_and_sign(desk: Desk) -> None:
    words = 'Zürich 😀 \u2028 "quoted" \\ back\x7f'
    chances = {REFUND: 0.1 + 0.2, BILLING: 1e-17}
    desk.ingest(sent(words, chances, external_id=words, fields={words: words}))
    desk.ingest(sent(external_id="alone", label=REFUND, confidence=0.1 + 0.7, probabilities=None))
    with desk.database.reading() as session:
        whole, alone = session.scalars(select(Prediction).order_by(Prediction.id))
    assert (whole.external_id, whole.text, whole.fields) == (words, words, {words: words})
    assert (whole.probabilities, whole.confidence, whole.image_url) == (chances, 0.1 + 0.2, None)
    assert (alone.probabilities, alone.confidence, alone.created_at) == (None, 0.1 + 0.7, NOW)


def test_items_are_opened_in_the_order_in_which_their_predictions_came(desk: Desk) -> None:
    ids = [f"T-{number * 7 % 50}" for number in range(50)]
    desk.ingest(*(sent(external_id=one) for one in ids[10:20]))
    desk.ingest(*(sent(external_id=one) for one in ids))
    with desk.database.reading() as session:
        shown = session.scalars(select(Prediction.external_id).join(ReviewItem).order_by(ReviewItem.id))
        assert list(shown) == ids[10:20] + ids[:10] + ids[20:]


GOOD: dict[str, Any] = {"external_id": "T-1", "model_version": "m", "text": "refund me", "probabilities": UNSURE}
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("an unknown key", {"lable": "refund"}, "lable", "“lable” is not a known field"),
    ("the surplus column of a broken CSV", {None: ["x"], "z": 1}, "None", "is not a known field"),  # type: ignore[dict-item]
    ("no external id", {"external_id": None}, "external_id", "external_id is missing."),
    ("a blank external id", {"external_id": "  "}, "external_id", "1 to 200 characters"),
    ("a long external id", {"external_id": "x" * 201}, "external_id", "1 to 200 characters"),
    ("a NUL in the external id", {"external_id": "a\x00b"}, "external_id", "1 to 200 characters"),
    ("half a surrogate in the external id", {"external_id": LONE_SURROGATE}, "external_id", "1 to 200 characters"),
    ("a truth value as id", {"external_id": True}, "external_id", "1 to 200 characters"),
    ("no model version", {"model_version": ""}, "model_version", "model_version is missing."),
    ("a misspelt field", {"lable": "refund"}, "lable", "“lable” is not a known field. Did you mean label?"),
    ("a field by another word", {"Ticket ID": "1"}, "Ticket ID", "Did you mean external_id?"),
    ("a field that is none", {"odd": "1"}, "odd", "Valid fields: confidence, external_id, "),
    ("neither text nor image", {"text": " \n"}, "text", "needs text, image or image_url"),
    ("a text that is no text", {"text": 7}, "text", "text must be a string"),
    ("a text that is too long", {"text": "x" * (LONGEST_TEXT + 1)}, "text", "100,001 characters; the limit is 100,000"),
    ("a text of NULs only", {"text": "\x00\x00"}, "text", "needs text, image or image_url"),
    ("an image of another scheme", {"image_url": "javascript:alert(1)"}, "image_url", "http or https address"),
    ("an image that is no address", {"image_url": "http://[broken"}, "image_url", "http or https address"),
    ("an image with a NUL", {"image_url": "https://a/\x00"}, "image_url", "http or https address"),
    ("half a surrogate, image", {"image_url": f"https://a/{LONE_SURROGATE}"}, "image_url", "http or https address"),
    ("a long image address", {"image_url": "https://" + "a" * 3000}, "image_url", "at most 3,000 characters"),
    ("fields that are a list", {"fields": ["a"]}, "fields", "at most 20 entries"),
    ("too many fields", {"fields": {str(n): n for n in range(21)}}, "fields", "at most 20 entries"),
    ("an unknown label", {"label": "spam"}, "label", "“spam” is not a label of support (refund, billing error"),
    ("a label that is a list", {"label": ["refund"]}, "label", "is not a label"),
    ("no label, no probabilities", {"probabilities": None}, "label", "needs a label or probabilities"),
    ("a label alone", {"probabilities": None, "label": REFUND}, "confidence", "needs a confidence or a probability"),
    ("a label outside the probabilities", {"label": REFUND, "probabilities": {BILLING: 1}}, "confidence", "“refund”"),
    ("an unknown label with a probability", {"probabilities": {"spam": 1}}, "probabilities", "“spam” is not a label"),
    ("no probabilities in the object", {"probabilities": {}}, "probabilities", "an object of labels and numbers"),
    ("probabilities as a list", {"probabilities": [0.5]}, "probabilities", "an object of labels and numbers"),
    ("a negative probability", {"probabilities": {REFUND: -0.1}}, "probabilities", "from 0 to 1"),
    ("a probability above 1", {"probabilities": {REFUND: 1.1}}, "probabilities", "from 0 to 1"),
    ("a probability that is not a number", {"probabilities": {REFUND: float("nan")}}, "probabilities", "from 0 to 1"),
    ("none after a number", {"probabilities": {BILLING: 0.4, REFUND: float("nan")}}, "probabilities", "refund must"),
    ("none before a number", {"probabilities": {REFUND: float("nan"), BILLING: 0.4}}, "probabilities", "refund must"),
    ("one of 400 digits", {"probabilities": {BILLING: 0.4, REFUND: 10**400}}, "probabilities", "refund must"),
    ("a probability as text", {"probabilities": {REFUND: "0.5"}}, "probabilities", "from 0 to 1"),
    ("a truth value as probability", {"probabilities": {REFUND: True}}, "probabilities", "from 0 to 1"),
    ("probabilities of more than 1", {"probabilities": {REFUND: 0.6, BILLING: 0.5}}, "probabilities", "up to 1.100"),
    ("an endless confidence", {"confidence": float("inf")}, "confidence", "from 0 to 1"),
    ("a confidence of 400 digits", {"confidence": 10**400}, "confidence", "from 0 to 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_refusal_names_the_field_and_what_is_allowed(change: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        checked_prediction(GOOD | change, RULES)
    assert refusal.value.field == field
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_what_may_be_left_out_is_taken_from_the_rest() -> None:
    assert set(vars(checked_prediction(GOOD, RULES))) == {*NewPrediction.__dataclass_fields__}
    assert checked_prediction(GOOD, RULES).label == REFUND
    assert checked_prediction(GOOD, RULES).confidence == 0.5
    named = checked_prediction(GOOD | {"label": BILLING}, RULES)
    assert (named.label, named.confidence) == (BILLING, 0.4)
    alone = checked_prediction(GOOD | {"probabilities": None, "label": BILLING, "confidence": 1}, RULES)
    assert (alone.label, alone.confidence, alone.probabilities) == (BILLING, 1.0, None)
    image = checked_prediction(GOOD | {"text": None, "image_url": "https://files.example/A.png"}, RULES)
    assert (image.text, image.image_url) == ("", "https://files.example/A.png")
    numbered = checked_prediction(GOOD | {"external_id": 7, "model_version": " v1 "}, RULES)
    assert (numbered.external_id, numbered.model_version) == ("7", "v1")
    whole = checked_prediction(GOOD | {"probabilities": {REFUND: 0, BILLING: 1}}, RULES)
    assert whole.probabilities == {REFUND: 0.0, BILLING: 1.0}
    assert all(type(value) is float for value in whole.probabilities.values())
    tied = checked_prediction(GOOD | {"probabilities": {BILLING: 0.5, REFUND: 0.5}}, RULES)
    assert tied.label == max(BILLING, REFUND)
    rounded = checked_prediction(GOOD | {"probabilities": {REFUND: 0.51, BILLING: 0.5}}, RULES)
    assert rounded.confidence == 0.51


def test_what_no_database_takes_is_left_out_of_texts_and_fields(desk: Desk) -> None:
    dirty = f"a\x00b{LONE_SURROGATE}c"
    row = sent(dirty, fields={f"na\x00me{LONE_SURROGATE}": dirty, "long": "x" * 600})
    assert desk.ingest(row).new == 1
    with desk.database.reading() as session:
        stored = session.scalars(select(Prediction)).one()
        assert stored.text == "ab?c"
        assert stored.fields == {"name?": "ab?c", "long": "x" * 500}


texts = st.text(st.characters(codec=None), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.sampled_from(RULES.label_names), inner),
    max_leaves=6,
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KNOWN, json_values)))
def test_any_row_is_taken_or_refused_in_words(row: dict[str, Any]) -> None:
    for given_row in (row, GOOD | row):
        try:
            taken = checked_prediction(given_row, RULES)
        except Invalid:
            continue
        assert taken.label in RULES.label_names
        assert taken.confidence is not None
        assert 0 <= taken.confidence <= 1
        for text in (taken.external_id, taken.model_version, taken.text, taken.image_url or "", *taken.fields.items()):
            assert "\x00" not in text
            "".join(text).encode()
