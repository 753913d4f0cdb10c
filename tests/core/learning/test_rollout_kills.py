"""A worker that ends in the midst of a shadow or a canary: another one goes on, and nothing is missed or doubled."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from slack_sdk import WebClient
from sqlalchemy import func, select

from bot.runtime.services import Services, assemble
from core.learning.lifecycle.canary import canary_line
from core.learning.lifecycle.shadow import shadow_report
from core.records.delivery import Notice
from core.records.rollout import ParallelPrediction
from core.vocabulary import CanaryState, NoticeKind
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, Desk, sent
from tests.core.learning.test_canary import SHARE, in_canary, settled
from tests.core.learning.test_runs import Killed
from tests.core.learning.test_shadow import begun
from tests.core.models import seeded
from tests.steps import step_of

canary_next = step_of("canaries")
look_at_canaries = step_of("looks at canaries")
shadow_next = step_of("shadows")

pytestmark = pytest.mark.slow  # a fitted model in each of them

Step = Callable[[Services], object]
SENT = 7


def at(desk: Desk, clock: Callable[[], datetime]) -> Services:
    return replace(assemble(desk.database, WebClient(), desk.policy), clock=clock)


def killed(desk: Desk, step: Step, now: datetime, looks: int) -> None:
    """A worker that takes this step again and again, and ends when it looks at its clock once too often."""
    left = iter(range(looks))

    def clock() -> datetime:
        if next(left, None) is None:
            raise Killed
        return now

    with suppress(Killed):
        while step(at(desk, clock)):
            pass


def goes_on(desk: Desk, step: Step, now: datetime) -> None:
    while step(at(desk, lambda: now)):
        pass


def predicted(desk: Desk, model_id: int) -> int:
    with desk.database.reading() as session:
        found = select(func.count()).where(ParallelPrediction.model_id == model_id)
        return session.scalar(found) or 0


@pytest.mark.parametrize("looks", range(5))
def test_a_shadow_goes_on_where_a_dead_worker_was(open_desk: OpenDesk, looks: int) -> None:
    desk = seeded(open_desk(rollout={"shadow_hours": 24}))
    model_id = begun(desk)
    desk.ingest(*(sent(f"where is parcel {number}") for number in range(SENT)), now=NOW + timedelta(hours=1))
    killed(desk, shadow_next, NOW + timedelta(hours=2), looks)
    goes_on(desk, shadow_next, NOW + timedelta(hours=2))
    assert predicted(desk, model_id) == SENT
    killed(desk, shadow_next, NOW + timedelta(hours=25), looks)
    goes_on(desk, shadow_next, NOW + timedelta(hours=25))
    with desk.database.reading() as session:
        report = shadow_report(session, model_id)
    assert report is not None
    assert report.n == SENT


@pytest.mark.parametrize("looks", range(5))
def test_a_canary_goes_on_where_a_dead_worker_was(open_desk: OpenDesk, looks: int) -> None:
    desk = seeded(open_desk(rollout={"canary_share": SHARE, "canary_hours": 96}))
    model_id = in_canary(desk)
    settled(desk, model_id, "refund", "refund", 30)
    now = NOW + timedelta(hours=24)
    for step in (canary_next, look_at_canaries):
        killed(desk, step, now, looks)
        goes_on(desk, step, now)
    with desk.database.reading() as session:
        line = canary_line(session, model_id)
        told = session.scalars(select(Notice.kind).where(Notice.kind == NoticeKind.CANARY_WORSE)).all()
    assert line is not None
    assert (line.state, line.looks_taken, line.paired.n) == (CanaryState.PROPOSED, 1, 30)
    assert len(told) == 1
    assert predicted(desk, model_id) + predicted(desk, model_id - 1) == 30
