"""`goldloop discover …` as operators type it, and what it answers."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from core.records.discovery import Find
from core.storage.database import Database
from tests.core.desk import Desk, opened
from tests.core.discovery.test_scans import TEXTS
from tests.core.models import promoted, seeded
from tests.flows.conftest import StartLoop
from tests.flows.test_terminal import Terminal, goldloop
from tests.people import LEADS, support_policy

__all__ = ["goldloop"]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sqlite_only")]
OPTIONS = ("-q", "support", "--text", "body", "--id", "id", "--items", "5")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    rows = [json.dumps({"id": f"R-{place}", "body": text}) + "\n" for place, text in enumerate(TEXTS)]
    for part in range(4):
        (folder / f"{part}.jsonl").write_text("".join(rows[part::4]))
    return folder


def with_model(database: Database) -> Desk:
    desk = seeded(opened(database, support_policy()))
    promoted(desk)
    return desk


def test_a_scan_says_what_it_found_and_its_status(goldloop: Terminal, database: Database, source: Path) -> None:
    with_model(database)
    done = goldloop.run("discover", str(source), *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert f"{len(TEXTS)} rows read, 0 of another kind, 0 already known" in done.stdout
    assert "0 opened, 5 waiting" in done.stdout
    assert "Digest of the top-ranked texts" in done.stdout
    status = goldloop.run("discover", "status", "-q", "support").stdout
    assert f"Scan 1 of {source} for texts that the model is unsure of: " in status
    assert "5 waiting" in status
    with database.reading() as session:
        assert len(session.scalars(select(Find)).all()) == 5


@pytest.mark.timeout(400)  # the scan's processes start, and finds are opened every half minute
def test_a_lead_starts_a_scan_in_slack_and_people_judge_what_it_found(
    start_loop: StartLoop, database: Database, source: Path
) -> None:
    archive = {"name": "archive", "address": str(source), "text": "body", "id": "id"}
    link = {"blind_share": 0.0, "link": "https://desk.example/{external_id}"}
    policy = support_policy(discovery={"sources": [archive], "items": 4, "open_items": 1}, review=link)
    promoted(seeded(opened(database, policy)))
    loop = start_loop(policy)
    asked = loop.cleo.command("/goldloop discover support archive", channel=LEADS)
    assert "Scan 1 of archive is requested" in str(asked.response)
    assert "lists no source" in str(loop.cleo.command("/goldloop discover support other", channel=LEADS).response)
    loop.box.wait_for(lambda: "1 opened, 3 waiting" in str(loop.cleo.messages(LEADS)), 240, what="a find in review")
    found = loop.card("Found by a scan")
    assert "https://desk.example/R-" in str(found.blocks)
    scans = [one for one in loop.cleo.messages(LEADS) if "scan 1 of" in one.plain and not one.ephemeral]
    assert len(scans) == 1, "one message, drawn anew"
    status = str(loop.cleo.command("/goldloop discover support", channel=LEADS).response)
    assert "1 opened, 3 waiting" in status


def test_what_cannot_be_done_is_said(goldloop: Terminal, database: Database, source: Path) -> None:
    with_model(database)
    assert "Give --text" in goldloop.run("discover", str(source), "-q", "support").stderr
    assert "no files" in goldloop.run("discover", f"{source}/x", *OPTIONS).stdout
    assert "Give the id of the scan" in goldloop.run("discover", "cancel").stderr
    missing = goldloop.run("discover", str(source), "-q", "support", "--text", "text")
    assert (missing.returncode, "there is no column “text”" in missing.stdout) == (1, True)
