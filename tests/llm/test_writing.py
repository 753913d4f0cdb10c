"""A batch, from the request to the decision, with every answer that a language model's server may give."""

import json
import logging
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Refusal
from core.learning.data.golden_import import add_golden
from core.learning.data.synthetic import written_rows
from core.offers.cost import Gain, Spend
from core.offers.table import offers_for, take_offer
from core.offers.targets import target_meant
from core.offers.write_examples import WRITE_EXAMPLES
from core.privacy.erasure import erase
from core.quality.slices import Look
from core.records.predictions import Prediction
from core.records.reviews import Assignment
from core.records.synthetic import SyntheticCall
from core.storage.database import PATIENT
from core.synthesis.batches import retire_batch
from core.synthesis.calls import begin_call
from core.synthesis.deciding import decide_batches
from core.synthesis.requests import Wanted, plan_batch
from core.synthesis.writing import Answered, write_batch
from core.text.content_hash import content_hash
from core.vocabulary import BatchProblem, CallProblem, Card, ItemState, OfferAbout, OfferKind, SliceKind, SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NONE, NOW, REFUND, Desk
from tests.core.intake.test_weak_slices import found
from tests.core.models import ticking
from tests.llm.recorded import RecordedModel, serving
from tests.llm.scene import (
    CORRECTED,
    PLAIN,
    batch,
    card,
    claimed,
    client,
    requested,
    sample,
    texts,
    with_model,
    written,
)
from tests.people import ANA, BEN, CLEO, EVA

pytestmark = pytest.mark.slow
GOLDEN = "the golden mirror came with a crack so return what i paid"
KEPT = 10
WRITE = OfferKind.WRITE_EXAMPLES


def decided(desk: Desk, *answers: str) -> SyntheticState | None:
    """People settle the sample's items so, in their order."""
    for item_id, answer in zip(sample(desk), answers, strict=False):
        for person in (ANA, BEN):
            desk.click(person, item_id, answer)
    with desk.database.transaction(wait=PATIENT) as session:
        return decide_batches(session, desk.rules, NOW)


def rows(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [row.input.text for row in written_rows(session, desk.queue().id, desk.rules)]


def calls(desk: Desk) -> list[SyntheticCall]:
    with desk.database.reading() as session:
        return list(session.scalars(select(SyntheticCall).order_by(SyntheticCall.id)))


def test_what_people_confirm_is_admitted(open_desk: OpenDesk) -> None:
    model = RecordedModel()
    with serving(model) as address:
        desk = with_model(open_desk, address, "ten-good")
        done = written(desk)
    assert (done.state, done.counts["written"], done.counts["kept"], done.counts["asked"]) == (
        SyntheticState.SAMPLED, 10, KEPT, KEPT,
    )  # fmt: skip
    assert model.headers["authorization"] == "Bearer sk-secret"
    assert "ana@example.org" not in model.prompts[0]
    [call] = calls(desk)
    assert sorted(call.sent["hashes"]) == sorted(map(content_hash, CORRECTED))
    assert json.loads(call.answer)["usage"]["total_tokens"] == 460
    assert (done.spent.tokens, done.spent.silent, done.spent.sent) == (460, 0, 4)
    assert rows(desk) == [], "before people have confirmed"
    assert decided(desk, *[REFUND] * 9) is None
    assert card(desk, 1).counts["confirmed"] == 9
    assert decided(desk) is None
    for person in (ANA, BEN):
        desk.click(person, sample(desk)[9], BILLING)
    assert decided(desk) is SyntheticState.ADMITTED
    assert len(rows(desk)) == 9, "what people did not confirm is dropped"
    assert desk.wanted(Card.SYNTHETIC, 1) > 2


def test_what_people_do_not_confirm_is_refused_as_soon_as_that_is_certain(open_desk: OpenDesk) -> None:
    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, "ten-good")
        written(desk)
    assert decided(desk, REFUND, NONE) is None
    for person in (ANA, BEN):
        desk.click(person, sample(desk)[2], BILLING)
    assert decided(desk) is SyntheticState.REFUSED
    assert {desk.item(one).state for one in sample(desk)[3:]} == {ItemState.CLOSED}
    assert batch(desk, 1).problem_values == {"confirmed": 1, "asked": 3}
    assert rows(desk) == []
    requested(desk)  # the queue may have another one


@pytest.mark.parametrize(
    ("model", "state", "counts", "problem"),
    [
        ("no-usage", SyntheticState.SAMPLED, {"kept": KEPT}, None),
        ("busy-then-good", SyntheticState.SAMPLED, {"kept": KEPT}, None),
        ("broken-then-good", SyntheticState.SAMPLED, {"kept": KEPT}, None),
        ("cut", SyntheticState.SAMPLED, {"written": 2, "kept": 2, "asked": 2}, CallProblem.CUT),
        ("wrong-shape", SyntheticState.REFUSED, {"written": 0}, CallProblem.WRONG_SHAPE),
        ("refusal", SyntheticState.REFUSED, {"written": 0}, CallProblem.REFUSED),
        ("empty", SyntheticState.REFUSED, {"written": 0}, CallProblem.EMPTY),
        ("huge", SyntheticState.REFUSED, {"written": 0}, CallProblem.TOO_LONG),
        ("copies", SyntheticState.SAMPLED, {"near_training": 1, "kept": 1}, None),
        ("other-language", SyntheticState.REFUSED, {"language": 2, "kept": 0}, None),
        ("marked-up", SyntheticState.SAMPLED, {"form": 2, "kept": 1}, None),
        ("talks-to-reviewers", SyntheticState.SAMPLED, {"form": 2, "kept": 1}, None),
    ],
)
def test_each_answer_comes_to_what_it_is_worth(
    open_desk: OpenDesk, model: str, state: SyntheticState, counts: dict[str, int], problem: CallProblem | None
) -> None:
    slept: list[float] = []
    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, model)
        done = written(desk, client(slept=slept))
    assert done.state is state
    assert {name: done.counts.get(name) for name in counts} == counts
    assert dict(done.spent.problems) == ({problem: 1} if problem else {})
    assert slept == {"busy-then-good": [7], "broken-then-good": [2]}.get(model, [])
    if state is SyntheticState.REFUSED:
        assert done.problem is not None
        assert done.problem.code == BatchProblem.NOTHING_LEFT
    if model == "huge":
        assert len(calls(desk)[0].answer) == 0
    if model == "no-usage":
        assert (done.spent.tokens, done.spent.silent) == (0, 1)


def test_a_text_near_a_golden_example_refuses_the_batch_and_is_logged(
    open_desk: OpenDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, "golden")
        with desk.database.transaction() as session:
            add_golden(session, GOLDEN, REFUND, CLEO, "typical", NOW, desk.rules)
        with caplog.at_level(logging.ERROR):
            done = written(desk)
    assert done.state is SyntheticState.REFUSED
    assert done.problem is not None
    assert done.problem.as_dict() == {"code": "golden_leak", "values": {"leaks": 1, "written": 2}}
    assert {one.text for one in texts(desk)} == {""}
    assert sample(desk) == []
    assert [vars(one)["leaks"] for one in caplog.records if one.name.startswith("core.synthesis")] == [1]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("wrong-key", "refused the key (status 401). Check GOLDLOOP_LLM_KEY."),
        ("no-schema", "did not understand the request (status 400). It has to support response_format json_schema."),
        ("moved", "refused the request (status 302)"),
    ],
)
def test_what_will_not_be_answered_later_fails_with_a_sentence(
    open_desk: OpenDesk, model: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(RecordedModel()) as address, caplog.at_level(logging.DEBUG):
        desk = with_model(open_desk, address, model)
        done = written(desk)
    assert done.state is SyntheticState.FAILED
    assert done.problem is not None
    assert sentence in done.problem.values["sentence"]
    assert "sk-secret" not in caplog.text
    assert CORRECTED[0] not in caplog.text


@pytest.mark.parametrize("model", ["always-busy", "always-broken", "late"])
def test_a_server_that_is_busy_is_asked_three_times_then_the_batch_is_put_off(open_desk: OpenDesk, model: str) -> None:
    recorded = RecordedModel()
    with serving(recorded) as address:
        desk = with_model(open_desk, address, model, calls=2, seconds=1 if model == "late" else 20)
        batch_id = requested(desk)
        claim = claimed(desk)
        with pytest.raises(jobs.WorkFailed, match="3 times"):
            write_batch(desk.database, claim, ticking(), desk.policy, client())
        assert model == "late" or recorded.seen[model] == 3
        with desk.database.transaction() as session:
            assert not jobs.fail(session, claim, "busy", NOW)
        later = claimed(desk, hours=1)
    assert batch(desk, batch_id).state is SyntheticState.REQUESTED
    write_batch(desk.database, later, ticking(), desk.policy, lambda _ask: Answered("{}"))
    answered = [CallProblem.WRONG_SHAPE] * 2
    expected = [CallProblem.LOST, *answered[:1]] if model == "late" else [CallProblem.BUSY, *answered]
    assert [call.problem for call in calls(desk)] == expected, "what was refused has cost nothing"


class Killed(BaseException):
    """As if the process had been killed: nothing after it is done."""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_batch_whose_process_was_killed_goes_on_and_makes_no_call_twice(open_desk: OpenDesk, after: int) -> None:
    recorded = RecordedModel()
    with serving(recorded) as address:
        desk = with_model(open_desk, address, "ten-good", calls=3)
        batch_id = requested(desk)
        claim, real = claimed(desk), client()

        def until_killed(ask: Any) -> Answered:
            if ask.position > after:
                raise Killed
            return real(ask)

        with pytest.raises(Killed):
            write_batch(desk.database, claim, ticking(), desk.policy, until_killed)
        with desk.database.transaction() as session:
            jobs.release(session, claim, NOW)
        write_batch(desk.database, claimed(desk), ticking(), desk.policy, real)
    assert recorded.seen["ten-good"] == 2, "the third was lost, and counts"
    assert [call.problem == CallProblem.LOST for call in calls(desk)] == [place == after for place in range(3)]
    assert card(desk, batch_id).counts["written"] == 20


def test_no_cap_is_exceeded(open_desk: OpenDesk) -> None:
    recorded = RecordedModel()
    with serving(recorded) as address:
        desk = with_model(open_desk, address, "no-usage", calls=20, tokens=4000)
        done = written(desk)
    assert recorded.seen["no-usage"] == done.spent.calls == 2, "a call that says nothing counts as the most it can be"


def test_a_batch_can_be_retired_at_any_time(open_desk: OpenDesk) -> None:
    def retired(desk: Desk, batch_id: int) -> SyntheticState:
        with desk.database.transaction(wait=PATIENT) as session:
            return retire_batch(session, batch_id, CLEO, NOW)

    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, "ten-good")
        first = requested(desk)
        real = client()

        def withdrawn(ask: Any) -> Answered:
            retired(desk, first)
            return real(ask)

        write_batch(desk.database, claimed(desk), ticking(), desk.policy, withdrawn)
        assert (batch(desk, first).state, calls(desk)[0].answer) == (SyntheticState.RETIRED, "")
        second = written(desk).batch_id
        assert retired(desk, second) is SyntheticState.SAMPLED
        assert {desk.item(one).state for one in sample(desk)} == {ItemState.CLOSED}
        assert texts(desk)[0].text
    with pytest.raises(AlreadySettled, match="it trains nothing"):
        retired(desk, second)
    with pytest.raises(NotFound):
        retired(desk, 99)


def test_a_text_that_is_erased_meanwhile_is_not_sent(open_desk: OpenDesk) -> None:
    with serving(RecordedModel(check_prompt=False)) as address:
        desk = with_model(open_desk, address, "ten-good", calls=2)
        batch_id = requested(desk)
        with desk.database.transaction() as session:
            ticket = session.scalars(select(Prediction).where(Prediction.text == CORRECTED[0])).one().external_id
            erase(session, desk.rules.name, ticket, NOW)
        assert batch(desk, batch_id).state is SyntheticState.REQUESTED, "nothing was sent yet"
        with desk.database.transaction() as session:
            ask = begin_call(session, batch_id, desk.rules, NOW)
        assert ask is not None
        assert CORRECTED[0] not in ask.prompt[1]["content"]
        assert content_hash(CORRECTED[0]) not in calls(desk)[0].sent["hashes"]


def test_a_text_much_like_one_that_is_sent_stays_in_the_house(open_desk: OpenDesk) -> None:
    desk = with_model(open_desk, "http://127.0.0.1:9/v1", "ten-good")
    desk.settled(ANA, BEN, answer=REFUND, text=f"{CORRECTED[1]} soon")
    with desk.database.reading() as session:
        shown = [one.shown.text for one in plan_batch(session, desk.rules, PLAIN).examples]
    assert len(shown) == len(CORRECTED)
    assert CORRECTED[1] not in shown, "the newest one is sent"


def test_only_those_who_read_the_language_are_asked(open_desk: OpenDesk) -> None:
    wanted = Wanted(REFUND, target="refund requests in French", language="fr")
    readers = [{"language": "fr", "people": [ANA, EVA, CLEO]}]
    recorded = RecordedModel(check_prompt=False)
    with serving(recorded) as address:
        desk = with_model(open_desk, address, "other-language", readers=readers)
        done = written(desk, wanted=wanted)
    assert (done.state, done.counts["kept"]) == (SyntheticState.SAMPLED, 2)
    assert "What is wanted: refund requests in French" in recorded.prompts[0]
    with desk.database.reading() as session:
        assert set(session.scalars(select(Assignment.person))) == {ANA, EVA}, "Cleo reviews nothing"


@pytest.mark.parametrize(
    ("rules", "wanted", "error", "words"),
    [
        ({"enabled": False}, Wanted(REFUND), Refusal, "enabled = true"),
        ({"model": ""}, Wanted(REFUND), Refusal, "model is missing"),
        ({}, Wanted("nothing"), Invalid, "not a label"),
        ({}, Wanted(REFUND, REFUND), Invalid, "not mistaken for itself"),
        ({}, Wanted(BILLING), Refusal, "at least 3 are needed"),
        ({}, Wanted(REFUND, language="xx"), Invalid, "cannot be recognised"),
        ({}, Wanted(REFUND, language="fr"), Refusal, "No reviewer of Support tickets is named for “fr”"),
        ({"readers": [{"language": "fr", "people": [ANA]}]}, Wanted(REFUND, language="fr"), Refusal, "takes 2"),
        ({"tokens": 1000}, Wanted(REFUND), Refusal, "Not even one call"),
    ],
)
def test_what_may_not_be_written_is_refused_before_anything_is_sent(
    open_desk: OpenDesk, rules: dict[str, Any], wanted: Wanted, error: type[Exception], words: str
) -> None:
    given = {"model": "ten-good"} | rules
    desk = with_model(open_desk, "http://127.0.0.1:9/v1", given.pop("model"), **given)
    with desk.database.reading() as session, pytest.raises(error, match=words):
        plan_batch(session, desk.rules, wanted)


def test_a_queue_without_a_model_has_no_batch(open_desk: OpenDesk) -> None:
    desk = open_desk(synthetic={"enabled": True, "address": "http://127.0.0.1:9/v1", "model": "large"})
    with desk.database.reading() as session, pytest.raises(Refusal, match="no live model"):
        plan_batch(session, desk.rules, Wanted(REFUND))


def test_a_queue_has_one_batch_at_a_time_and_the_same_one_goes_on(open_desk: OpenDesk) -> None:
    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, "ten-good")
        assert requested(desk) == requested(desk)
        with pytest.raises(Refusal, match="is being written, for “refund”"):
            requested(desk, Wanted(REFUND, BILLING))
        write_batch(desk.database, claimed(desk), ticking(), desk.policy, client())
    with pytest.raises(Refusal, match="Reviewers are asked about batch 1"):
        requested(desk)


def test_a_lead_takes_the_offer_of_a_weak_label_once_at_a_time(open_desk: OpenDesk) -> None:
    with serving(RecordedModel()) as address:
        desk = with_model(open_desk, address, "ten-good")
        [weak] = found(desk, Look(SliceKind.LABEL, REFUND), model="v1")
        with desk.database.transaction() as session:
            target = target_meant(session, OfferAbout.SLICE, weak, desk.policy)
            [offer] = (one for one in offers_for(session, target, desk.rules, NOW) if one.kind is WRITE)
            assert (offer.cost.items, offer.spend) == (10, Spend("ten-good", 8, 1, 4_085, None))
            with pytest.raises(NotAllowed):
                take_offer(session, WRITE, target, "", ANA, NOW, desk.policy)
            batch_id = take_offer(session, WRITE, target, "", CLEO, NOW, desk.policy)
            assert WRITE not in {one.kind for one in offers_for(session, target, desk.rules, NOW)}
        write_batch(desk.database, claimed(desk), ticking(), desk.policy, client())
    assert batch(desk, batch_id).requested_by == CLEO
    assert card(desk, batch_id).state is SyntheticState.SAMPLED
    with desk.database.reading() as session:
        assert WRITE_EXAMPLES.gain(session, desk.queue().id) == Gain(0, 0)


@pytest.mark.parametrize(
    "synthetic", [{}, {"enabled": True, "address": "http://127.0.0.1:9/v1", "model": "large", "tokens": 1000}]
)
def test_without_the_policys_leave_or_a_call_within_its_caps_nothing_is_offered_to_be_written(
    open_desk: OpenDesk, synthetic: dict[str, Any]
) -> None:
    desk = open_desk(synthetic=synthetic)
    [weak] = found(desk, Look(SliceKind.LABEL, REFUND))
    with desk.database.reading() as session:
        target = target_meant(session, OfferAbout.SLICE, weak, desk.policy)
        assert WRITE not in {one.kind for one in offers_for(session, target, desk.rules, NOW)}
