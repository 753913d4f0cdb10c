"""A canary: the external id decides which model answers, both predict, and settled items decide what is proposed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.stats import binom
from slack_sdk import WebClient
from sqlalchemy import func, select

from benchmarks import canary as simulation
from bot.runtime.services import Services, assemble
from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotAllowed
from core.learning.evaluation.canary import MINIMUM, Paired, is_answered_by_new, is_compared, judge
from core.learning.lifecycle.canary import CanaryLine, StillAnswering, canary_line, paired_items
from core.learning.lifecycle.canary_decisions import end_canary, roll_canary_back
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.listing import model_lines
from core.learning.lifecycle.model_card import model_card
from core.learning.lifecycle.parallel import forget_parallel
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.serving import Serving
from core.records.delivery import Notice
from core.records.learning import Artifact
from core.records.rollout import ParallelPrediction
from core.records.webhooks import Event
from core.vocabulary import CanaryState, CanaryVerdict, Card, DecisionKind, EventKind, ItemState, NoticeKind
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, UNSURE, Desk, sent
from tests.core.models import decisions, live, promoted, seeded
from tests.core.review.test_renewal import renewed
from tests.people import ANA, BEN, CLEO, DAN, LEADS
from tests.steps import step_of

canary_next = step_of("canaries")
look_at_canaries = step_of("looks at canaries")

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


DAY = timedelta(hours=24)
PARCEL = "where is the parcel with my lamp"  # both models say delivery
SHARE = 0.5  # so that every id is in one of the two groups


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return seeded(open_desk(rollout={"canary_share": SHARE, "canary_hours": 96}))


def in_canary(desk: Desk) -> int:
    """v2 has been promoted over v1, and begins with its canary."""
    promoted(desk)
    return promoted(desk)


def services(desk: Desk, now: datetime) -> Services:
    return replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: now)


def worked(desk: Desk, now: datetime) -> None:
    while canary_next(services(desk, now)):
        pass
    look_at_canaries(services(desk, now))


def line(desk: Desk, model_id: int) -> CanaryLine:
    with desk.database.reading() as session:
        found = canary_line(session, model_id)
    assert found is not None
    return found


def ids(model_id: int, new: bool, count: int) -> list[str]:
    """External ids that this one of the two models answers."""
    every = (f"C-{number}" for number in range(10_000))
    return [next(one for one in every if is_answered_by_new(one, model_id, SHARE) == new) for _ in range(count)]


def settled(desk: Desk, model_id: int, label: str, answered: str, count: int) -> None:
    """Requests about a parcel that the former model answered so; the new one says delivery, and people say `label`.
    (Both models are fitted alike: what the former one said is made up.)"""
    chances = UNSURE if answered == REFUND else {answered: 0.6, BILLING: 0.4}
    for external_id in ids(model_id, False, count):
        item_id = desk.ticket(text=f"{PARCEL}", chances=chances, external_id=external_id, model_version="v1")
        for person in (ANA, BEN):
            desk.click(person, item_id, label)


def test_the_model_before_says_how_much_it_still_answers(desk: Desk) -> None:
    model_id = in_canary(desk)
    former = model_id - 1

    def shares() -> list[float | None]:
        with desk.database.reading() as session:
            return [one.canary_share for one in model_lines(session, desk.rules)]

    def still() -> StillAnswering | None:
        with desk.database.reading() as session:
            assert candidate_card(session, model_id, desk.policy).still_answers is None
            return candidate_card(session, former, desk.policy).still_answers

    assert (still(), shares()) == (StillAnswering("v2", 1 - SHARE), [SHARE, 1 - SHARE])
    before = desk.wanted(Card.CANDIDATE, former)
    with desk.database.transaction() as session:
        end_canary(session, CardRef(model_id), CLEO, NOW, desk.policy)
    assert (still(), shares()) == (None, [None, None])
    assert desk.wanted(Card.CANDIDATE, former) == before + 1


def told(desk: Desk) -> list[tuple[str, str]]:
    with desk.database.reading() as session:
        return [(row.kind, row.channel) for row in session.scalars(select(Notice).order_by(Notice.id))]


def announced(desk: Desk) -> list[tuple[EventKind, str, float | None]]:
    """What other systems hear of models: the event, the model and its share."""
    with desk.database.reading() as session:
        events = session.scalars(select(Event).where(Event.kind != EventKind.ITEM_SETTLED).order_by(Event.id))
        return [(event.kind, event.data["model"], event.data.get("share")) for event in events]


def test_the_hash_of_the_external_id_decides_which_model_answers(desk: Desk) -> None:
    model_id = in_canary(desk)
    serving = Serving(desk.database)
    asked = [f"T-{number}" for number in range(200)]

    def answers() -> dict[str, str]:
        found = {one: serving.answering(desk.rules, one) for one in asked}
        return {one: answering.name for one, answering in found.items() if answering}

    names = answers()
    assert names == {one: "v2" if is_answered_by_new(one, model_id, SHARE) else "v1" for one in asked}
    assert 70 <= list(names.values()).count("v2") <= 130
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    assert set(answers().values()) == {"v1"}
    assert line(desk, model_id).state is CanaryState.ENDED


def test_the_live_model_answers_alone_without_a_canary_and_where_the_former_one_cannot_be_opened(desk: Desk) -> None:
    first = promoted(desk)
    with desk.database.reading() as session:
        assert canary_line(session, first) is None, "there was no model before it"
    promoted(desk)
    with desk.database.transaction() as session:
        session.get_one(Artifact, first).runtime = "scikit-learn 0.1"
    names = {found.name for one in range(50) if (found := Serving(desk.database).answering(desk.rules, f"T-{one}"))}
    assert names == {"v2"}


def test_what_one_model_answered_is_predicted_by_the_other(desk: Desk) -> None:
    model_id = in_canary(desk)
    [by_new], [by_former] = ids(model_id, True, 1), ids(model_id, False, 1)
    desk.ingest(
        sent(PARCEL, external_id=by_new, model_version="v2"),
        sent(PARCEL, external_id=by_former, model_version="v1"),
        sent(PARCEL, external_id="T-other", model_version="sender-1"),
    )
    worked(desk, NOW + timedelta(minutes=1))
    with desk.database.reading() as session:
        found = session.scalars(select(ParallelPrediction).order_by(ParallelPrediction.prediction_id)).all()
    assert [(row.model_id, row.label) for row in found] == [(model_id - 1, DELIVERY), (model_id, DELIVERY)]


def test_below_thirty_settled_items_a_look_says_nothing(desk: Desk) -> None:
    model_id = in_canary(desk)
    settled(desk, model_id, REFUND, REFUND, MINIMUM - 1)
    for hours in (24, 48, 72, 96, 120):
        worked(desk, NOW + timedelta(hours=hours))
    found = line(desk, model_id)
    assert (found.state, found.paired) == (CanaryState.RUNNING, Paired(29, 29, 0))
    assert told(desk) == [(NoticeKind.CANARY_NOT_YET, LEADS)]
    settled_since(desk, model_id)
    worked(desk, NOW + timedelta(hours=121))
    assert line(desk, model_id).state is CanaryState.PROPOSED, "the last look is taken when there are enough"


def settled_since(desk: Desk, model_id: int) -> None:
    external_id = ids(model_id, False, MINIMUM)[-1]
    item_id = desk.ticket(text=PARCEL, external_id=external_id, model_version="v1")
    for person in (ANA, BEN):
        desk.click(person, item_id, REFUND)


@pytest.fixture
def proposed(desk: Desk) -> tuple[Desk, int]:
    """The first look found v2 worse."""
    model_id = in_canary(desk)
    settled(desk, model_id, REFUND, REFUND, MINIMUM)
    worked(desk, NOW + DAY - timedelta(seconds=1))
    assert line(desk, model_id).looks_taken == 0, "no look is due"
    worked(desk, NOW + DAY)
    return desk, model_id


def test_a_worse_model_is_proposed_for_rollback_and_nothing_happens_without_a_lead(proposed: tuple[Desk, int]) -> None:
    desk, model_id = proposed
    found = line(desk, model_id)
    assert (found.state, found.looks_taken, found.paired) == (CanaryState.PROPOSED, 1, Paired(30, 30, 0))
    assert told(desk) == [(NoticeKind.CANARY_WORSE, LEADS)]
    worked(desk, NOW + 9 * DAY)
    assert (live(desk), line(desk, model_id).state) == (model_id, CanaryState.PROPOSED)
    assert told(desk) == [(NoticeKind.CANARY_WORSE, LEADS)] * 2, "the leads are asked again, once a day"
    with desk.database.reading() as session:
        assert candidate_card(session, model_id, desk.policy).canary == found
        assert model_card(session, model_id, desk.policy).canary == found


def test_a_leads_yes_rolls_back(proposed: tuple[Desk, int]) -> None:
    desk, model_id = proposed
    with desk.database.transaction() as session, pytest.raises(NotAllowed):
        roll_canary_back(session, CardRef(model_id), DAN, NOW, desk.policy)
    with desk.database.transaction() as session:
        assert roll_canary_back(session, CardRef(model_id), CLEO, NOW, desk.policy) == "v1"
    assert (live(desk), line(desk, model_id).state) == (model_id - 1, CanaryState.ENDED)
    last = decisions(desk, model_id - 1)[-1]
    assert (last.kind, last.people["leads"]) == (DecisionKind.ROLL_BACK, [CLEO])
    assert last.reason == "canary: 30 newly wrong, 0 newly right of 30 settled items"
    assert announced(desk) == [
        (EventKind.MODEL_PROMOTED, "v1", None),
        (EventKind.MODEL_CANARY_STARTED, "v2", SHARE),
        (EventKind.MODEL_ROLLED_BACK, "v1", None),
    ]
    with desk.database.transaction() as session, pytest.raises(AlreadySettled, match="is over"):
        roll_canary_back(session, CardRef(model_id), CLEO, NOW, desk.policy)


def test_a_lead_may_let_the_new_model_answer_all(proposed: tuple[Desk, int]) -> None:
    desk, model_id = proposed
    with desk.database.transaction() as session, pytest.raises(NotAllowed):
        end_canary(session, CardRef(model_id), DAN, NOW, desk.policy)
    with desk.database.transaction() as session:
        assert end_canary(session, CardRef(model_id), CLEO, NOW, desk.policy) == "v2"
    assert (live(desk), line(desk, model_id).state) == (model_id, CanaryState.KEPT)
    assert decisions(desk, model_id)[-1].kind is DecisionKind.KEEP
    assert announced(desk)[-1] == (EventKind.MODEL_PROMOTED, "v2", None)
    with desk.database.transaction() as session, pytest.raises(AlreadySettled, match="is over"):
        end_canary(session, CardRef(model_id), CLEO, NOW, desk.policy)
    with desk.database.transaction() as session:
        assert rollback(session, desk.queue(), CLEO, "", NOW, desk.rules) == "v1"


def test_nothing_can_be_rolled_back_by_the_button_that_was_not_proposed(desk: Desk) -> None:
    model_id = in_canary(desk)
    with desk.database.transaction() as session, pytest.raises(AlreadySettled, match="No rollback of v2 is proposed"):
        roll_canary_back(session, CardRef(model_id), CLEO, NOW, desk.policy)


def test_a_model_that_is_not_worse_answers_all_after_the_last_look(desk: Desk) -> None:
    model_id = in_canary(desk)
    settled(desk, model_id, DELIVERY, REFUND, MINIMUM)
    worked(desk, NOW + 3 * DAY)
    assert (line(desk, model_id).state, line(desk, model_id).looks_taken) == (CanaryState.RUNNING, 3)
    worked(desk, NOW + 4 * DAY)
    found = line(desk, model_id)
    assert (found.state, found.paired) == (CanaryState.PASSED, Paired(30, 0, 30))
    assert told(desk) == [(NoticeKind.CANARY_PASSED, LEADS)]
    worked(desk, NOW + 5 * DAY)
    assert announced(desk) == [
        (EventKind.MODEL_PROMOTED, "v1", None),
        (EventKind.MODEL_CANARY_STARTED, "v2", SHARE),
        (EventKind.MODEL_PROMOTED, "v2", None),
    ], "it is promoted once it answers all, and once"
    serving = Serving(desk.database)
    names = {answer.name for one in range(50) if (answer := serving.answering(desk.rules, f"T-{one}"))}
    assert names == {"v2"}


def test_a_policy_without_a_canary_ends_it(desk: Desk) -> None:
    model_id = in_canary(desk)
    worked(desk.under(rollout={"canary_share": 0}), NOW)
    assert (line(desk, model_id).state, live(desk)) == (CanaryState.ENDED, model_id)
    assert announced(desk)[-1] == (EventKind.MODEL_PROMOTED, "v2", None)


def test_the_next_promotion_ends_it_and_begins_its_own(desk: Desk) -> None:
    second = in_canary(desk)
    third = promoted(desk)
    assert (line(desk, second).state, line(desk, third).state) == (CanaryState.ENDED, CanaryState.RUNNING)
    assert line(desk, third).former == "v2"
    assert [kind for kind, name, _share in announced(desk) if name == "v2"] == [EventKind.MODEL_CANARY_STARTED]


def test_open_items_are_closed_only_when_the_new_model_answers_all(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"canary_share": SHARE, "canary_hours": 96, "open_items": "close"}))
    promoted(desk)
    item_id = desk.ticket(text="what is this")
    model_id = promoted(desk)
    renewed(desk)
    assert desk.item(item_id).state is ItemState.OPEN
    with desk.database.transaction() as session:
        end_canary(session, CardRef(model_id), CLEO, NOW, desk.policy)
    renewed(desk)
    assert desk.item(item_id).state is ItemState.CLOSED


def test_what_both_said_is_forgotten_only_after_the_canary(desk: Desk) -> None:
    model_id = in_canary(desk)
    settled(desk, model_id, DELIVERY, REFUND, 1)
    worked(desk, NOW + timedelta(minutes=1))

    def forgotten() -> int:
        with desk.database.transaction() as session:
            forget_parallel(session, NOW + 90 * DAY)
            return session.scalar(select(func.count()).select_from(ParallelPrediction)) or 0

    assert forgotten() == 1
    with desk.database.transaction() as session:
        end_canary(session, CardRef(model_id), CLEO, NOW, desk.policy)
    assert forgotten() == 0


def test_two_groups_of_the_same_share_are_compared() -> None:
    every = [f"T-{number}" for number in range(5000)]
    new = {one for one in every if is_answered_by_new(one, 7, 0.1)}
    compared = {one for one in every if is_compared(one, 7, 0.1)}
    assert new < compared
    assert 400 <= len(new) <= 600
    assert 400 <= len(compared - new) <= 600
    assert {one for one in every if is_answered_by_new(one, 7, 0.05)} < new, "a larger share only adds ids"
    assert {one for one in every if is_compared(one, 7, 0.5)} == set(every)


def test_pairs_are_counted_by_who_was_right() -> None:
    def counted(*rows: tuple[str, str, str, str | None]) -> Paired:
        return paired_items([(f"T-{number}", *row) for number, row in enumerate(rows)], 7, "v2", 0.5)

    assert counted(("v2", "a", "b", "a"), ("v1", "a", "b", "b")) == Paired(2, 0, 2)
    assert counted(("v2", "a", "b", "b"), ("v1", "a", "b", "a")) == Paired(2, 2, 0)
    assert counted(("v1", "a", "b", "c"), ("v1", "a", "a", "a"), ("v2", "a", "b", None)) == Paired(3, 0, 0)
    outside = [(f"T-{number}", "v1", "a", "b", "a") for number in range(100)]
    assert paired_items(outside, 7, "v2", 0.1).n < 50


@pytest.mark.parametrize(
    ("paired", "looks", "verdict"),
    [
        (Paired(29, 29, 0), 1, CanaryVerdict.NOT_YET),
        (Paired(30, 5, 0), 1, CanaryVerdict.WORSE),
        (Paired(30, 5, 0), 4, CanaryVerdict.NOT_WORSE),
        (Paired(30, 7, 0), 4, CanaryVerdict.WORSE),
        (Paired(30, 6, 0), 4, CanaryVerdict.NOT_WORSE),
        (Paired(300, 0, 90), 4, CanaryVerdict.NOT_WORSE),
        (Paired(300, 0, 0), 4, CanaryVerdict.NOT_WORSE),
    ],
)
def test_a_look_is_one_of_those_that_were_planned(paired: Paired, looks: int, verdict: CanaryVerdict) -> None:
    """1/2 to the power of 5 is .031, of 6 .0156, of 7 .0078; the level of one look of four is .0125."""
    assert judge(paired, 0.05, looks) is verdict


def test_looking_often_does_not_break_the_promise() -> None:
    """Equally good models, and thirty further differences before each of ten looks."""
    random, canaries, looks = np.random.default_rng(7), 500, 10
    worse = random.binomial(30, 0.5, size=(canaries, looks)).cumsum(axis=1)

    def is_proposed(regressions: Sequence[int]) -> bool:
        pairs = [Paired(30 * (k + 1), int(one), 30 * (k + 1) - int(one)) for k, one in enumerate(regressions)]
        return any(judge(one, 0.05, looks) is CanaryVerdict.WORSE for one in pairs)

    assert sum(map(is_proposed, worse)) <= binom.ppf(0.99, canaries, 0.05)


def proposals(accuracy: float, boldness: float, seeds: Sequence[int]) -> int:
    former, new = simulation.model(0.88), simulation.model(accuracy, boldness)
    drawn = (simulation.traffic(np.random.default_rng(seed), 1400, former, new) for seed in seeds)
    return sum(simulation.proposes(one, simulation.two_groups(one, 0.2)) for one in drawn)


@pytest.mark.parametrize("boldness", [1.0, 1.3, 0.75])
def test_equally_good_models_are_proposed_for_rollback_no_more_often_than_promised(boldness: float) -> None:
    """Also where the new one is surer, or less sure, of the same answers."""
    seeds = range(150)
    assert proposals(0.88, boldness, seeds) <= binom.ppf(0.99, len(seeds), simulation.ALPHA)


def test_a_model_that_is_six_points_worse_is_found_in_most_canaries() -> None:
    assert proposals(0.82, 1.0, range(50)) >= 25
