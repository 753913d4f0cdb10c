"""Cards of runs and models, and the history of a model."""

import pytest
from sqlalchemy import select

from bot.wording.format import PLAIN
from bot.wording.model_history import model_step
from core.delivery.card_refs import CardRef
from core.errors import NotFound
from core.learning.data.golden import golden_set
from core.learning.lifecycle.cards import candidate_card, run_card
from core.learning.lifecycle.decisions import approve, overrule
from core.learning.lifecycle.history import model_history
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.rollback import rollback
from core.records.learning import ModelVersion
from core.vocabulary import Coded, DecisionKind, ModelState, Origin, RunState, RunStep, Trigger
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, Desk
from tests.core.models import REFUSED, candidate, evaluated_again, model, promoted, requested, seeded, trained
from tests.people import ANA, BEN, CLEO, DAN

pytestmark = pytest.mark.slow  # most fit a model


def story(desk: Desk, model_id: int) -> list[str]:
    with desk.database.reading() as session:
        return [model_step(line.step, PLAIN) for line in model_history(session, model_id, desk.policy)]


def test_the_card_of_a_run_follows_it(desk: Desk) -> None:
    seeded(desk)
    run_id = requested(desk) or 0
    with desk.database.reading() as session:
        card = run_card(session, run_id, desk.policy)
    assert (card.state, card.progress, card.model) == (RunState.REQUESTED, Coded(RunStep.WAITING), None)
    assert (card.trigger, card.requested_by, card.queue_title) == (Trigger.COMMAND, CLEO, "Support tickets")


def test_the_card_of_a_candidate_has_all_that_a_lead_needs(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN], promotion={"approvals": 2}))
    desk.settled(ANA, BEN, answer=BILLING, text="taken twice")
    first = candidate(desk)
    with desk.database.transaction() as session:
        approve(session, first, DAN, 1, NOW, desk.policy)
    with desk.database.reading() as session:
        card = candidate_card(session, first, desk.policy)
    assert (card.name, card.state, card.live_name) == ("v1", ModelState.CANDIDATE, None)
    assert (card.passed, card.outdated, card.blocks) == (True, False, ())
    assert (card.approvals, card.approvals_needed, card.corrections) == ((DAN,), 2, 1)
    assert card.decisions == ()
    candidate(desk)
    with desk.database.reading() as session:
        assert candidate_card(session, first, desk.policy).superseded_by == "v2"


def test_the_card_names_what_the_random_golden_examples_stand_for(desk: Desk) -> None:
    seeded(desk)
    desk = desk.under(flagging={"audit_share": 1.0, "confidence": 0.1}, golden={"audited_share": 1.0})
    desk.settled(ANA, BEN, answer=BILLING)
    trained(desk)
    with desk.database.reading() as session:
        seeds = len(golden_set(session, 1)) - 1
        model_id = session.scalars(select(ModelVersion.id)).one()
        card = candidate_card(session, model_id, desk.policy)
    assert card.random_origins == {Origin.SEED: seeds, Origin.AUDITED: 1}
    calibration = card.scorecard.candidate_calibration
    assert calibration is not None
    assert (calibration.n, calibration.accepted) == (seeds + 1, 1), "seeds say nothing about traffic"


def test_the_card_says_when_its_report_is_out_of_date(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    promoted(desk)
    model_id = candidate(desk, passed=False)
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    with desk.database.reading() as session:
        card = candidate_card(session, model_id, desk.policy)
    assert (card.outdated, card.live_name, card.blocks) == (True, "v2", (REFUSED,))
    evaluated_again(desk)
    with desk.database.reading() as session:
        card = candidate_card(session, model_id, desk.policy)
    assert (card.outdated, card.live_name) == (False, "v1")


def test_a_decision_is_on_the_card_it_was_about(desk: Desk) -> None:
    seeded(desk)
    model_id = candidate(desk, passed=False)
    with desk.database.transaction() as session:
        seen = newest_evaluation(session, model_id).id
        overrule(session, CardRef(model_id), seen, CLEO, "the labels were wrong", NOW, desk.policy)
    with desk.database.reading() as session:
        [line] = candidate_card(session, model_id, desk.policy).decisions
    assert (line.kind, line.leads, line.reason) == (DecisionKind.OVERRULE, (CLEO,), "the labels were wrong")


def test_the_story_of_a_model_goes_from_request_to_roll_back(desk: Desk) -> None:
    seeded(desk)
    desk.settled(ANA, BEN, answer=BILLING, text="taken twice")
    done = trained(desk)
    with desk.database.transaction() as session:
        approve(session, 1, CLEO, 1, NOW.replace(hour=10), desk.policy)
    promoted(desk, now=NOW.replace(hour=11))
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "worse on mondays", NOW.replace(hour=12), desk.rules)
    asked, weight, snapshot, *rest = story(desk, 1)
    policy = desk.rules.fingerprint
    assert asked == f"Training requested by {CLEO} (policy {policy})."
    assert weight == "Rows that correct the model have weight 2, as set in the policy."
    assert "rows, including 1 correction" in snapshot
    assert (
        f"fitted by the learner “text”, seed {done.seed} (parameters {model(desk, 1).parameters_fingerprint[:12]}"
        in rest[0]
    )
    assert rest[1].startswith("Compared with always guessing the most common label of its training rows on golden set ")
    assert rest[1].endswith(f"The gate passed it (policy {policy}).")
    assert rest[2].startswith(f"Promoted by {CLEO} (snapshot ")
    assert rest[3].startswith(f"v2 promoted by {CLEO} (snapshot ")
    assert rest[4].startswith(f"Brought back by {CLEO}: “worse on mondays” (snapshot ")
    assert len(rest) == 5
    *_made, promotion, taken_back = story(desk, 2)
    assert promotion.startswith(f"Promoted by {CLEO} (snapshot ")
    assert taken_back.startswith(f"v1 brought back by {CLEO}: “worse on mondays” (snapshot ")


def test_there_is_no_story_of_a_model_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no model 9"):
        story(desk, 9)
