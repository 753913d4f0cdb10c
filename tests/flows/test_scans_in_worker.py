"""Scans in a worker: worked on in processes of their own, and their finds shown to people."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.runtime.services import Services, assemble, slack_client
from bot.worker.executors.local import LocalExecutor
from bot.worker.scans import find_piece, scan_next
from core.discovery.cards import scan_card
from core.discovery.scans import Wanted, request_scan
from core.discovery.sources import Columns
from core.records.discovery import Find
from core.records.jobs import Job
from core.storage.database import PATIENT, Database
from core.vocabulary import OPERATOR, FindState, ScanState
from tests.core.desk import Desk, opened
from tests.core.discovery.test_scans import TEXTS
from tests.core.models import promoted, seeded
from tests.people import support_policy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sqlite_only")]


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = seeded(opened(database, support_policy(discovery={"open_items": 3})))
    promoted(desk)
    return desk


def services_of(desk: Desk) -> Services:
    return assemble(desk.database, slack_client("xoxb-none", "http://127.0.0.1:9/"), desk.policy)


def requested(desk: Desk, folder: Path, services: Services) -> int:
    (folder / "a.jsonl").write_text("".join(json.dumps({"body": text}) + "\n" for text in TEXTS))
    wanted = Wanted(str(folder / "a.jsonl"), Columns("body"), items=8)
    with desk.database.transaction(wait=PATIENT) as session:
        return request_scan(session, desk.rules, wanted, OPERATOR, services.clock())


def states(desk: Desk) -> dict[FindState, int]:
    with desk.database.reading() as session:
        return dict(session.execute(select(Find.state, func.count()).group_by(Find.state)).all())


def test_a_worker_scans_then_shows_a_few_and_predicts_the_others_anew(desk: Desk, tmp_path: Path) -> None:
    services = services_of(desk)
    scan_id = requested(desk, tmp_path, services)
    assert scan_next(services)
    assert not scan_next(services)
    with desk.database.reading() as session:
        assert scan_card(session, scan_id, desk.policy).state is ScanState.DONE
    find_piece(services, desk.rules)
    assert states(desk) == {FindState.OPENED: 3, FindState.WAITING: 5}
    second = promoted(desk, services.clock())
    find_piece(services, desk.rules)
    with desk.database.reading() as session:
        waiting = session.scalars(select(Find.model_id).where(Find.state == FindState.WAITING)).all()
    assert set(waiting) <= {second}


def test_a_worker_that_is_told_to_stop_releases_its_scan(desk: Desk, tmp_path: Path) -> None:
    executor = LocalExecutor()
    executor.stop()
    services = services_of(desk)
    stopped = Services(**(vars(services) | {"execute": executor}))
    requested(desk, tmp_path, services)
    assert scan_next(stopped)
    with desk.database.reading() as session:
        job = session.scalars(select(Job).where(Job.name == "scan")).one()
        assert (job.state, job.attempts) == ("ready", 0)
