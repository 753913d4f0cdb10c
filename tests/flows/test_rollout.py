"""From candidate to live, gently, as leads see it in Slack. On SQLite: the verbs are tested on both databases."""

import pytest
from sqlalchemy import update

from bot.runtime.clock import utc_now
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.models import live_model_id
from core.learning.lifecycle.presenting import model_changed
from core.records.rollout import Canary
from core.storage.database import PATIENT
from core.vocabulary import CanaryState
from tests.flows.conftest import StartLoop, seeds
from tests.loop import Loop
from tests.people import LEADS, support_policy

pytestmark = pytest.mark.usefixtures("sqlite_only")

CHECK = "white_check_mark"


def started(start_loop: StartLoop, **rollout: float) -> Loop:
    loop = start_loop(support_policy(rollout=rollout))
    with loop.database.transaction() as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    return loop


def promoted(loop: Loop, name: str) -> None:
    loop.retrain()
    loop.cleo.react(loop.card(f": {name} compared with", channel=LEADS), CHECK)
    loop.card(f"{name} is live", channel=LEADS)


@pytest.mark.slow
def test_a_candidate_is_in_shadow_before_a_check_mark_counts(start_loop: StartLoop) -> None:
    loop = started(start_loop, shadow_hours=0.004)
    loop.retrain()
    card = loop.card("It is in shadow until", channel=LEADS)
    loop.cleo.react(card, CHECK)
    loop.told(loop.cleo, "v1 is in shadow until", channel=LEADS)
    report = loop.card("No predictions arrived during its shadow", channel=LEADS)
    assert report.ts == card.ts
    loop.cleo.unreact(report, CHECK)
    loop.cleo.react(report, CHECK)
    loop.card("v1 is live", channel=LEADS)


@pytest.mark.slow
def test_a_lead_rolls_a_canary_back_by_the_button(start_loop: StartLoop) -> None:
    loop = started(start_loop, canary_share=0.2)
    promoted(loop, "v1")
    promoted(loop, "v2")
    card = loop.card("v2 answers 20% of the requests, v1 the rest", channel=LEADS)
    assert "Roll back to v1" not in card.buttons
    with loop.database.transaction(wait=PATIENT) as session:
        counts = {"n": 40, "regressions": 9, "improvements": 1, "looks_taken": 1}
        session.execute(update(Canary).values(state=CanaryState.PROPOSED, **counts))
        model_changed(session, live_model_id(session, "support") or 0, utc_now())
    proposed = loop.card("so a rollback is proposed", channel=LEADS)
    loop.dan.click(proposed, "Roll back to v1")
    loop.told(loop.dan, "Only leads of Support tickets can decide on models", channel=LEADS)
    loop.cleo.click(proposed, "Roll back to v1")
    loop.told(loop.cleo, "v1 is live again.", channel=LEADS)
    loop.card("9 newly wrong, 1 newly right of 40 settled items", channel=LEADS)


@pytest.mark.slow
def test_a_lead_lets_the_new_model_answer_all(start_loop: StartLoop) -> None:
    loop = started(start_loop, canary_share=0.2)
    promoted(loop, "v1")
    promoted(loop, "v2")
    loop.cleo.click(loop.card("v2 answers 20% of the requests", channel=LEADS), "Let v2 answer all")
    loop.told(loop.cleo, "v2 answers all requests now.", channel=LEADS)
    loop.card("A lead ended its canary", channel=LEADS)
