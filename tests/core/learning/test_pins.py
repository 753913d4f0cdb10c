"""Pinned past errors: who may pin, how many, and what the gate does about them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from core.errors import NotAllowed, NotFound, Refusal
from core.learning.data.golden import golden_set, revise
from core.learning.data.golden_changes import retire_golden
from core.learning.data.inputs import Input
from core.learning.data.pins import pin, unpin
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.gate import gate
from core.learning.evaluation.scorecard import Baseline, PinScore
from core.privacy.erasure import erase
from core.records.learning import MOST_PINS, GoldenExample
from core.storage.database import PATIENT
from core.vocabulary import Coded, GateBlock, Origin, Stratum
from tests.core.desk import BILLING, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, support_policy


def add(desk: Desk, count: int, stratum: Stratum = Stratum.PAST_ERROR, text: str = "past error") -> list[int]:
    """Golden examples of the desk's queue; their ids."""
    with desk.database.transaction() as session:
        rows = [
            GoldenExample(
                queue_id=desk.queue().id, text=f"{text} {number}", fields={}, label=REFUND, created_at=NOW,
                content_hash=Input(f"{text} {number}").content_hash, stratum=stratum,
                origin=Origin.FLAGGED, inclusion_probability=1.0, label_as_of=0,
            )
            for number in range(count)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def pinned(desk: Desk, golden_id: int, person: str = CLEO) -> int:
    with desk.database.transaction(wait=PATIENT) as session:
        return pin(session, golden_id, person, NOW, desk.rules)


def unpinned(desk: Desk, golden_id: int, person: str = CLEO) -> int:
    with desk.database.transaction(wait=PATIENT) as session:
        return unpin(session, golden_id, person, desk.rules)


def example(desk: Desk, golden_id: int) -> GoldenExample:
    with desk.database.reading() as session:
        return session.get_one(GoldenExample, golden_id)


def test_a_lead_pins_and_unpins_and_repeating_changes_nothing(desk: Desk) -> None:
    first, second = add(desk, 2)
    assert [pinned(desk, first), pinned(desk, first), pinned(desk, second)] == [1, 1, 2]
    row = example(desk, first)
    assert (row.pinned_by, row.pinned_at) == (CLEO, NOW)
    with desk.database.reading() as session:
        assert [one.pinned for one in golden_set(session, desk.queue().id)] == [True, True]
    assert [unpinned(desk, first), unpinned(desk, first)] == [1, 1]
    row = example(desk, first)
    assert (row.pin, row.pinned_by, row.pinned_at) == (None, None, None)


def test_who_does_not_lead_neither_pins_nor_unpins(desk: Desk) -> None:
    [golden_id] = add(desk, 1)
    pinned(desk, golden_id)
    for act in (pinned, unpinned):
        with pytest.raises(NotAllowed, match="Only leads of Support tickets can pin and unpin past errors") as no:
            act(desk, golden_id, ANA)
        assert no.value.ask == (CLEO,)
    assert example(desk, golden_id).pin == 1


def test_only_a_past_error_that_measures_something_can_be_pinned(desk: Desk) -> None:
    [random] = add(desk, 1, Stratum.RANDOM, "random")
    withdrawn, erased = add(desk, 2)
    with desk.database.transaction() as session:
        session.execute(update(GoldenExample).where(GoldenExample.id == withdrawn).values(withdrawn_at=NOW))
        session.execute(update(GoldenExample).where(GoldenExample.id == erased).values(erased_at=NOW))
    for golden_id, words in (
        (random, "is a random example. Only past errors can be pinned"),
        (withdrawn, "was withdrawn, so it measures nothing"),
        (erased, "was erased, so it measures nothing"),
    ):
        with pytest.raises(Refusal, match=f"Golden example {golden_id} {words}"):
            pinned(desk, golden_id)
    for act in (pinned, unpinned):
        with pytest.raises(NotFound, match="Support tickets has no golden example 999"):
            act(desk, 999)


@pytest.mark.slow
def test_a_queue_pins_ten_past_errors_and_a_place_that_is_given_up_is_free_again(desk: Desk) -> None:
    ids = add(desk, MOST_PINS + 1)
    assert [pinned(desk, golden_id) for golden_id in ids[:-1]] == list(range(1, MOST_PINS + 1))
    with pytest.raises(Refusal, match=f"has 10 pinned past errors, the most possible: {ids[0]}, .*Unpin one"):
        pinned(desk, ids[-1])
    assert unpinned(desk, ids[3]) == MOST_PINS - 1
    assert pinned(desk, ids[-1]) == MOST_PINS
    assert example(desk, ids[-1]).pin == 4


@pytest.mark.parametrize("how", ["retired by a lead", "withdrawn by reviewers", "erased"])
def test_the_place_of_an_example_that_measures_nothing_any_more_is_free_again(desk: Desk, how: str) -> None:
    item_id = desk.settled(ANA, BEN, answer=BILLING, external_id="T-pinned")
    ids = add(desk, MOST_PINS)
    with desk.database.transaction() as session:
        content_hash = desk.prediction(item_id).content_hash
        session.execute(update(GoldenExample).where(GoldenExample.id == ids[3]).values(content_hash=content_hash))
    for golden_id in ids:
        pinned(desk, golden_id)
    with desk.database.transaction() as session:
        if how == "retired by a lead":
            retire_golden(session, ids[3], CLEO, "it is no ticket", NOW, desk.rules)
        elif how == "withdrawn by reviewers":
            revise(session, ids[3], desk.correction(item_id).id, None, NOW)
        else:
            erase(session, desk.rules.name, "T-pinned", NOW)
    row = example(desk, ids[3])
    assert (row.pin, row.pinned_by, row.pinned_at) == (None, None, None)
    [fresh] = add(desk, 1, text="another")
    assert pinned(desk, fresh) == MOST_PINS


def test_the_database_itself_refuses_a_pin_that_measures_nothing(desk: Desk) -> None:
    [golden_id] = add(desk, 1)
    pinned(desk, golden_id)
    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        session.execute(update(GoldenExample).where(GoldenExample.id == golden_id).values(withdrawn_at=NOW))


def test_of_two_leads_at_the_same_moment_one_gets_the_last_place(desk: Desk) -> None:
    ids = add(desk, MOST_PINS + 1)
    for golden_id in ids[: MOST_PINS - 1]:
        pinned(desk, golden_id)
    start = Barrier(2)

    def last_place(golden_id: int) -> bool:
        start.wait(10)
        try:
            return pinned(desk, golden_id) == MOST_PINS
        except Refusal:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(last_place, ids[-2:])) == [False, True]


@pytest.mark.parametrize("place", [1, MOST_PINS + 1], ids=["taken", "beyond the last"])
def test_the_database_itself_refuses_an_eleventh_place(desk: Desk, place: int) -> None:
    first, second = add(desk, 2)
    pinned(desk, first)
    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        session.execute(update(GoldenExample).where(GoldenExample.id == second).values(pin=place))
    with desk.database.reading() as session:
        assert session.scalars(select(GoldenExample.id).where(GoldenExample.pin.is_not(None))).all() == [first]


def judged(candidate: str, pin_it: bool, counts: bool = True, baseline: Baseline = "live") -> tuple[Coded, ...]:
    """A past error that the live model has right, among many examples that get better."""
    policy = support_policy().queues[0]
    golden = [GoldenRow(1, Input("pinned"), REFUND, Stratum.PAST_ERROR, counts, pin_it)]
    golden += [GoldenRow(number, Input(f"text {number}"), REFUND, Stratum.RANDOM) for number in range(2, 30)]
    live, now = Predicted((REFUND,) + (BILLING,) * 28), Predicted((candidate,) + (REFUND,) * 28)
    found = compare(golden, live, now, policy, baseline)
    assert found.pins == (PinScore((1,), (1,) if candidate != REFUND else ()) if pin_it else PinScore((), ()))
    return gate(found, policy.promotion).blocks


def test_a_pinned_past_error_that_breaks_blocks_whatever_else_is_fixed() -> None:
    broken = Coded(GateBlock.PIN_REGRESSED, {"baseline": "live", "examples": [1]})
    assert judged(BILLING, pin_it=True) == judged(BILLING, pin_it=True, counts=False) == (broken,)
    assert judged(BILLING, pin_it=False) == ()
    assert judged(REFUND, pin_it=True) == ()


def test_a_pin_says_nothing_where_there_was_no_model() -> None:
    assert judged(BILLING, pin_it=True, baseline="majority") == ()
    assert len(judged(BILLING, pin_it=True, baseline="recorded")) == 1
