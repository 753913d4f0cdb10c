"""A queue's models as other systems read them: what stage of going live each is in."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from slack_sdk import WebClient

from bot.runtime.services import assemble
from core.delivery.card_refs import CardRef
from core.learning.lifecycle.canary_decisions import end_canary
from core.learning.lifecycle.listing import model_lines
from core.vocabulary import CanaryState, ShadowState
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, Desk
from tests.core.models import candidate, promoted, seeded
from tests.people import CLEO
from tests.steps import step_of

shadow_next = step_of("shadows")

pytestmark = pytest.mark.slow  # a fitted model in each of them


def stages(desk: Desk) -> list[tuple[str, ShadowState | None, CanaryState | None, float | None]]:
    with desk.database.reading() as session:
        return [(one.name, one.shadow, one.canary, one.canary_share) for one in model_lines(session, desk.rules)]


def worked(desk: Desk, now: datetime) -> None:
    while shadow_next(replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: now)):
        pass


def test_a_candidate_goes_through_its_shadow(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"shadow_hours": 24}))
    candidate(desk)
    assert stages(desk) == [("v1", ShadowState.WAITING, None, None)]
    for hours, state in ((0, ShadowState.RUNNING), (25, ShadowState.FINISHED)):
        worked(desk, NOW + timedelta(hours=hours))
        assert stages(desk) == [("v1", state, None, None)]


def test_a_candidate_that_the_gate_refused_has_no_shadow(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"shadow_hours": 24}))
    candidate(desk, passed=False)
    assert stages(desk) == [("v1", None, None, None)]


def test_a_promoted_model_goes_through_its_canary(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"canary_share": 0.2}))
    promoted(desk)
    second = promoted(desk)
    assert stages(desk) == [("v2", None, CanaryState.RUNNING, 0.2), ("v1", None, None, 0.8)]
    with desk.database.transaction() as session:
        end_canary(session, CardRef(second), CLEO, NOW, desk.policy)
    assert stages(desk) == [("v2", None, CanaryState.KEPT, None), ("v1", None, None, None)]
