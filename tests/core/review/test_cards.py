"""Cards of review items: a blind card reveals nothing, an open one no votes, and names appear only where the policy
reveals them."""

from dataclasses import astuple
from typing import Any

import pytest
from sqlalchemy import String, cast, update

from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from core.delivery import outbox, recipients
from core.delivery.outbox import Place
from core.intake.predictions import NewPrediction
from core.people.availability import pause
from core.policy import Policy
from core.records.delivery import Posting
from core.review.cards import FlagLine, FormCard, GivenReason, ItemCard, form_card, item_card
from core.review.history import item_history
from core.review.my_work import MyWorkCard, Waiting, excerpt, my_work_card
from core.vocabulary import AnswerKind, Card, Coded, DisputeReason, ErrorReason, ItemState, Reason, RecipientKind
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NONE, NOW, REFUND, SKIP, Desk, opened
from tests.people import ANA, BEN, CLEO, DAN, EVA, REVIEW

BLIND = {"review": {"blind_share": 1.0}}
BILLING_FIRST = {REFUND: 0.3, BILLING: 0.5, DELIVERY: 0.2}


def card(desk: Desk, item_id: int) -> ItemCard:
    with desk.database.reading() as session:
        return item_card(session, item_id, desk.policy)


def form(desk: Desk, item_id: int, person: str = ANA) -> FormCard | None:
    with desk.database.reading() as session:
        return form_card(session, item_id, person, desk.policy)


def story(desk: Desk, item_id: int, person: str | None) -> list[str]:
    with desk.database.reading() as session:
        return [item_step(line.step, PLAIN) for line in item_history(session, item_id, person, desk.policy)]


def mine(desk: Desk, person: str = ANA) -> MyWorkCard:
    with desk.database.reading() as session:
        return my_work_card(session, person, desk.policy.queues, NOW, desk.policy)


def test_an_open_card_shows_the_guess_first_why_it_is_here_and_no_votes(desk: Desk) -> None:
    item_id = desk.ticket("charged twice", BILLING_FIRST, fields={"Customer": "gold"})
    desk.click(ANA, item_id, REFUND, note="a secret of Ana's")
    seen = card(desk, item_id)
    assert (seen.predicted_label, seen.confidence, seen.labels) == (BILLING, 0.5, (BILLING, REFUND, DELIVERY))
    assert seen.why_flagged == (FlagLine(Coded(Reason.UNCERTAIN, {"confidence": 0.5, "threshold": 0.8})),)
    assert seen.fields == {"Customer": "gold"}
    assert seen.outcome is None
    assert ANA not in str(astuple(seen))
    assert "secret" not in str(astuple(seen))


@pytest.mark.parametrize("state", ["open", "disputed"])
def test_a_blind_card_betrays_nothing_until_it_is_settled(open_desk: OpenDesk, state: str) -> None:
    desk = open_desk(**BLIND)
    item_id = desk.ticket("charged twice", BILLING_FIRST)
    for person in (ANA, BEN) if state == "disputed" else ():
        desk.click(person, item_id, CANNOT)
    seen = card(desk, item_id)
    assert seen.state.value == state
    assert (seen.predicted_label, seen.confidence, seen.sure, seen.why_flagged) == (None, None, False, ())
    assert seen.labels == desk.rules.label_names, "nor does the order of the labels"
    assert "50%" not in str(astuple(seen))
    desk.click(CLEO if state == "disputed" else ANA, item_id, REFUND)
    desk.click(BEN, item_id, REFUND) if state == "open" else None
    seen = card(desk, item_id)
    assert (seen.predicted_label, seen.confidence) == (BILLING, 0.5)
    assert seen.why_flagged


def test_a_card_leads_to_the_input_in_the_senders_own_system(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 0.0, "link": "https://desk.example/{external_id}?from=slack"})
    assert card(desk, desk.ticket(external_id="a/7 <b>")).link == "https://desk.example/a%2F7%20%3Cb%3E?from=slack"
    plain = open_desk()
    assert card(plain, plain.ticket()).link is None


def test_a_suggestion_is_sure_from_the_policys_confidence_of_its_label_on(open_desk: OpenDesk) -> None:
    labels = [{"name": REFUND, "confidence": 0.95}, {"name": BILLING}, {"name": DELIVERY}]
    desk = open_desk(labels=labels, flagging={"audit_share": 0.0, "confidence": 0.8, "margin": 0.9})
    for chances, sure in (
        ({REFUND: 0.94, BILLING: 0.06, DELIVERY: 0.0}, False),
        ({REFUND: 0.02, BILLING: 0.79, DELIVERY: 0.19}, False),
        ({REFUND: 0.02, BILLING: 0.8, DELIVERY: 0.18}, True),
    ):
        assert card(desk, desk.ticket(chances=chances)).sure is sure


def test_a_card_without_a_guess_offers_the_labels_in_their_order(desk: Desk) -> None:
    seen = card(desk, desk.flag(NewPrediction("C1:1", "none", "hello")))
    assert (seen.predicted_label, seen.confidence, seen.labels) == (None, None, desk.rules.label_names)
    assert seen.why_flagged == (FlagLine(Coded(Reason.PERSON), DAN),)


def split(desk: Desk) -> int:
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, reason=ErrorReason.AMBIGUOUS, note="both fit")
    desk.click(BEN, item_id, BILLING)
    desk.click(EVA, item_id, DELIVERY)
    return item_id


@pytest.mark.parametrize("reveal", ["tally", "names"])
def test_a_settled_card_shows_the_tally_and_names_only_where_policy_says_so(open_desk: OpenDesk, reveal: str) -> None:
    desk = open_desk(review={"blind_share": 0.0, "reveal": reveal})
    item_id = split(desk)
    desk.click(CLEO, item_id, BILLING, note="rule 4")
    outcome = card(desk, item_id).outcome
    assert outcome is not None
    assert (outcome.label, outcome.lead, outcome.model_was_right) == (BILLING, CLEO, False)
    assert outcome.tally == {BILLING: 1, DELIVERY: 1, REFUND: 1}
    assert [(why.answer, why.reason, why.note) for why in outcome.reasons] == [
        (REFUND, ErrorReason.AMBIGUOUS, "both fit"),
        (BILLING, None, "rule 4"),
    ]
    if reveal == "names":
        assert outcome.names == {REFUND: (ANA,), BILLING: (BEN,), DELIVERY: (EVA,)}
        assert outcome.reasons[0].person == ANA
    else:
        assert not {ANA, BEN, EVA} & set(str(astuple(outcome)).split("'"))


def test_a_form_starts_with_the_persons_own_answer_and_no_one_elses(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND, guideline="Money back is a refund.")
    item_id = desk.ticket()
    desk.click(ANA, item_id, BILLING, reason=ErrorReason.OTHER, note="twice")
    anas, bens = form(desk, item_id, ANA), form(desk, item_id, BEN)
    assert anas is not None
    assert bens is not None
    assert (anas.kind, anas.label, anas.reason, anas.note) == (AnswerKind.LABEL, BILLING, ErrorReason.OTHER, "twice")
    assert (bens.kind, bens.label, bens.reason, bens.note) == (None, None, None, "")
    assert bens.guideline == "Money back is a refund."
    assert tuple(label.name for label in bens.labels) == desk.rules.label_names
    desk.click(ANA, item_id, NONE)
    anas = form(desk, item_id, ANA)
    assert anas is not None
    assert (anas.kind, anas.label) == (AnswerKind.NONE_OF_THESE, None)


def test_a_form_takes_cannot_judge_until_a_lead_has_to_decide(desk: Desk) -> None:
    item_id = desk.ticket()
    seen = form(desk, item_id)
    assert seen is not None
    assert seen.may_pass
    for person in (ANA, BEN):
        desk.click(person, item_id, CANNOT, reason=ErrorReason.MISSING_CONTEXT)
    anas, cleos = form(desk, item_id, ANA), form(desk, item_id, CLEO)
    assert anas is not None
    assert cleos is not None
    assert (anas.kind, anas.reason, anas.may_pass) == (AnswerKind.CANNOT_JUDGE, ErrorReason.MISSING_CONTEXT, True)
    assert not cleos.may_pass


def test_a_settled_card_shows_why_a_reviewer_could_not_judge(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(EVA, item_id, CANNOT, reason=ErrorReason.MISSING_CONTEXT, note="no invoice")
    desk.click(ANA, item_id, REFUND)
    desk.click(BEN, item_id, REFUND)
    outcome = card(desk, item_id).outcome
    assert outcome is not None
    assert outcome.reasons == (GivenReason("can't judge", ErrorReason.MISSING_CONTEXT, "no invoice", None),)


@pytest.mark.parametrize("reveal", ["tally", "names"])
def test_the_form_of_a_dispute_has_the_answers_for_leads_alone(open_desk: OpenDesk, reveal: str) -> None:
    desk = open_desk(review={"blind_share": 0.0, "reveal": reveal}, privacy={"mask": ["email"]})
    item_id = desk.ticket()
    desk.click(ANA, item_id, REFUND, reason=ErrorReason.AMBIGUOUS, note="ask ana@example.com")
    open_ = form(desk, item_id, CLEO)
    assert open_ is not None
    assert (open_.dispute, open_.answers) == (None, None)
    desk.click(BEN, item_id, BILLING)
    desk.click(EVA, item_id, CANNOT)
    cleos, bens = form(desk, item_id, CLEO), form(desk, item_id, BEN)
    assert cleos is not None
    assert bens is not None
    assert bens.answers is None
    assert cleos.dispute == bens.dispute == Coded(DisputeReason.NO_REVIEWER_LEFT)
    who = (ANA, BEN, EVA) if reveal == "names" else (None, None, None)
    assert cleos.answers == (
        GivenReason(REFUND, ErrorReason.AMBIGUOUS, "ask [e-mail]", who[0]),
        GivenReason(BILLING, None, "", who[1]),
        GivenReason("can't judge", None, "", who[2]),
    )


def test_there_is_no_form_of_what_is_settled_or_gone(desk: Desk) -> None:
    assert form(desk, desk.settled(ANA, BEN)) is None
    assert form(desk, 999) is None


@pytest.mark.parametrize(
    ("reveal", "person", "named"),
    [
        ("tally", None, True),
        ("tally", CLEO, True),
        ("tally", ANA, False),
        ("tally", DAN, False),
        ("names", DAN, True),
    ],
)
def test_the_story_of_a_settled_item_names_people_to_leads_and_where_policy_says_so(
    open_desk: OpenDesk, reveal: str, person: str | None, named: bool
) -> None:
    desk = open_desk(review={"blind_share": 0.0, "reveal": reveal}, guideline="Be fair.")
    item_id = split(desk)
    desk.click(CLEO, item_id, BILLING)
    lines = story(desk, item_id, person)
    assert lines[0] == "sender-1 predicted refund (50%)."
    assert lines[1] == f"Asked because the model is below 80%. Policy {desk.rules.fingerprint}."
    assert lines[2] == "Shown to reviewers with the model's prediction."
    votes = [f"{ANA} chose refund (ambiguous: several labels fit) under guideline 1: “both fit”."]
    votes += [f"{BEN} chose billing error under guideline 1.", f"{EVA} chose delivery under guideline 1."]
    sent = "Sent to a lead because 3 votes didn't settle it"
    who = f"{sent} (billing error: {BEN}; delivery: {EVA}; refund: {ANA})."
    counts = f"{sent} (1 × billing error, 1 × delivery, 1 × refund)."
    assert lines[3:-1] == ([*votes, who] if named else [counts])
    lead = CLEO if named else "a lead"
    assert lines[-1].startswith(
        f"Decided by {lead}: billing error (votes: 1 × billing error, 1 × delivery, 1 × refund); "
    )
    assert "the model was wrong; used for training (policy " in lines[-1]


def test_the_story_keeps_former_answers_and_those_that_are_no_votes(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(EVA, item_id, CANNOT)
    desk.click(ANA, item_id, BILLING)
    desk.click(ANA, item_id, REFUND)
    desk.click(BEN, item_id, REFUND)
    lines = story(desk, item_id, CLEO)
    assert f"{EVA} couldn't judge it under guideline 1." in lines
    assert f"{ANA} chose billing error under guideline 1. Changed later." in lines
    assert lines[-1].startswith("Decided: refund (2 votes); the model was right; used for training")


@pytest.mark.parametrize("policy", [{}, {"review": {"blind_share": 0.0, "reveal": "names"}}], ids=["tally", "names"])
def test_while_an_item_is_open_only_the_operator_sees_votes(open_desk: OpenDesk, policy: Any) -> None:
    desk = open_desk(**policy)
    item_id = desk.ticket()
    desk.click(ANA, item_id, BILLING)
    for person in (ANA, BEN, CLEO, DAN):
        assert not any("billing" in line for line in story(desk, item_id, person))
    assert any(ANA in line for line in story(desk, item_id, None))


def test_the_story_of_a_blind_item_keeps_the_guess_until_it_is_settled(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND)
    item_id = desk.ticket("charged twice", BILLING_FIRST)
    for person in (ANA, CLEO, DAN):
        assert story(desk, item_id, person) == ["Shown to reviewers without the model's prediction."]
    assert story(desk, item_id, None)[0] == "sender-1 predicted billing error (50%)."
    desk.click(ANA, item_id, BILLING)
    desk.click(BEN, item_id, BILLING)
    assert story(desk, item_id, ANA)[0] == "sender-1 predicted billing error (50%)."


def test_the_story_of_a_text_that_no_model_saw_blames_none(desk: Desk) -> None:
    item_id = desk.flag(NewPrediction("C1:1", "none", "hello"))
    desk.click(ANA, item_id, BILLING)
    desk.click(BEN, item_id, BILLING)
    lines = story(desk, item_id, CLEO)
    assert lines[0] == "No model was live."
    assert "no model had seen it" in lines[-1]


def test_the_story_of_an_item_that_no_label_fits_says_that_it_trains_nothing(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN, answer=NONE)
    assert story(desk, item_id, None)[-1] == (
        "Decided: None of these (2 votes); the model was wrong; not used for training: no label fits "
        f"(policy {desk.rules.fingerprint})."
    )


def test_a_blind_card_still_says_which_person_asked_for_a_look(open_desk: OpenDesk) -> None:
    desk = open_desk(**BLIND)
    flagged = NewPrediction("C1:1", "v1", "hello", label=REFUND, confidence=0.9, probabilities={REFUND: 0.9})
    seen = card(desk, desk.flag(flagged))
    assert (seen.blind, seen.predicted_label) == (True, None)
    assert seen.why_flagged == (FlagLine(Coded(Reason.PERSON), DAN),)


def test_my_card_has_my_load_what_waits_and_my_last_answers_with_undo(desk: Desk) -> None:
    waiting = desk.ticket("a long text " * 20)
    open_ = desk.ticket("money back")
    desk.click(ANA, open_, REFUND)
    skipped = desk.ticket("charged twice")
    desk.click(ANA, skipped, SKIP)
    settled = desk.settled(ANA, BEN, text="where is it")
    taken_back = desk.ticket("hello")
    desk.click(ANA, taken_back, REFUND)
    desk.undo(ANA, taken_back)
    seen = mine(desk)
    [queue] = seen.queues
    assert (queue.open, queue.done_today, queue.daily_cap) == (2, 2, 120)
    assert queue.waiting == (Waiting(waiting, excerpt("a long text " * 20), None), Waiting(taken_back, "hello", None))
    assert [(answer.subject.id, answer.words, answer.may_undo) for answer in seen.answers] == [
        (settled, REFUND, False),
        (skipped, "skipped", True),
        (open_, REFUND, True),
    ]
    assert not seen.paused
    with desk.database.transaction() as session:
        pause(session, ANA, NOW)
    assert mine(desk).paused
    assert mine(desk, DAN).answers == ()


def test_my_card_keeps_what_waits_in_each_of_several_queues_apart(desk: Desk) -> None:
    """The texts of a queue in which they do not review any more are hidden."""
    rules = desk.rules.model_copy(update={"name": "sales", "title": "Sales", "channel": "C_SALES"})
    other = opened(desk.database, Policy(queues=(rules,)))
    both = desk.policy.model_copy(update={"queues": (rules, desk.rules)})
    first, second, sold = desk.ticket("first"), desk.ticket("second"), other.ticket("sold")
    desk.click(ANA, first, REFUND)
    other.click(ANA, other.ticket("for sale"), SKIP)
    with desk.database.reading() as session:
        seen = my_work_card(session, ANA, both.queues, NOW, both)
        left = my_work_card(session, ANA, [desk.rules], NOW, both)
    assert [(queue.title, queue.open, queue.done_today) for queue in seen.queues] == [
        ("Sales", 1, 0),
        ("Support tickets", 1, 1),
    ]
    assert [[(one.item_id, one.excerpt) for one in queue.waiting] for queue in seen.queues] == [
        [(sold, "sold")],
        [(second, "second")],
    ]
    assert [(one.queue_title, one.excerpt) for one in seen.answers] == [
        ("Sales", "for sale"),
        ("Support tickets", "first"),
    ]
    assert [queue.title for queue in left.queues] == ["Support tickets"]
    assert [(one.queue_title, one.excerpt) for one in left.answers] == [("Sales", ""), ("Support tickets", "first")]


def test_my_card_says_where_the_cards_stand(desk: Desk) -> None:
    first, second, answered = (desk.ticket() for _number in range(3))
    desk.click(ANA, answered, REFUND)
    with desk.database.transaction() as session:
        outbox.show(session, Card.REVIEW_ITEM, second, recipients.person(ANA), desk.queue(), NOW)
        posted = Posting.subject_id.in_((first, answered)), Posting.recipient_kind == RecipientKind.CHANNEL
        session.execute(update(Posting).where(*posted).values(ts=cast(Posting.subject_id, String) + ".5"))
        session.execute(update(Posting).where(Posting.recipient == ANA).values(ts="9.5"))
    [queue] = mine(desk).queues
    assert [one.place for one in queue.waiting] == [Place(REVIEW, f"{first}.5"), None]
    assert [one.place for one in mine(desk).answers] == [Place(REVIEW, f"{answered}.5")]


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt(" a\n\tb ") == "a b"
    assert excerpt("x" * 81) == "x" * 79 + "…"
    assert excerpt("x" * 80) == "x" * 80


def test_a_card_follows_its_item(desk: Desk) -> None:
    item_id = desk.ticket()
    states = [card(desk, item_id).state]
    for person in (ANA, BEN):
        desk.click(person, item_id, REFUND)
        states.append(card(desk, item_id).state)
    assert states == [ItemState.OPEN, ItemState.OPEN, ItemState.SETTLED]
