"""Backups as docs/operations.md describes them: written while Goldloop runs, restored into an empty database, and work
continues."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone
from bot.runtime.services import assemble, slack_client
from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.server import serve
from bot.slack.delivery.deliver import DELIVERY
from core.delivery import backlog, outbox
from core.learning.data.inputs import Input
from core.learning.lifecycle.serving import Serving
from core.privacy.erasure import erase
from core.records.delivery import Posting
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Answer, ReviewItem
from core.storage import leases
from core.storage.database import PATIENT, Database
from core.vocabulary import ItemState
from tests.core.desk import NOW, REFUND, Desk, opened
from tests.core.models import promoted, seeded
from tests.flows.processes import Bot
from tests.loop import PATIENCE, Loop
from tests.people import ANA, BEN, support_policy, workspace
from tests.postgres import find_binaries

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


def lived_in(database: Database) -> None:
    """A settled item, an open one, both shown in Slack, and a live model."""
    desk = seeded(opened(database, support_policy()))
    promoted(desk)
    settled = desk.ticket("i want my money back")
    desk.click(ANA, settled, REFUND)
    desk.click(BEN, settled, REFUND)
    desk.ticket("where is my parcel")
    with database.transaction() as session:
        for posting in session.query(Posting):
            outbox.mark_delivered(session, posting.id, posting.requested_version, f"{posting.id}.0", NOW)


def typed(url: str, *words: str) -> Result:
    environment = {"DATABASE_URL": url, "PATH": f"{find_binaries()}{os.pathsep}{os.environ['PATH']}"}
    return CliRunner().invoke(app, words, env=environment)


def backed_up(url: str, folder: Path) -> Path:
    made = folder / "saved"
    done = typed(url, "backup", str(made))
    assert done.output.startswith(f"Wrote {made} ("), (done.output, done.exception)
    return made


def lost(url: str) -> None:
    if url.startswith("sqlite"):
        for path in Path(str(make_url(url).database)).parent.glob("goldloop.sqlite*"):
            path.unlink()
        return
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def restored(saved: Path, url: str) -> str:
    done = typed(url, "restore", "--yes", str(saved))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_items_coordinates_and_the_live_model_come_back(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    lived_in(database)
    saved = backed_up(database_url, tmp_path)  # while connections are open
    database.close()
    lost(database_url)
    told = " ".join(restored(saved, database_url).split())
    assert "1 message will be sent again." in told
    assert "run `goldloop erase` again for each of these requests" in told, "the former database was lost"
    again = Database(database_url)
    try:
        with again.reading() as session:
            states = {item.state for item in session.query(ReviewItem)}
            assert states == {ItemState.OPEN, ItemState.SETTLED}
            assert all(posting.ts for posting in session.query(Posting))
            assert backlog.waiting(session).count == 1, "the open card, once"
        live = Serving(again).live(support_policy().queues[0])
        assert live is not None
        assert max(live.predict([Input("i want my money back")])[0].values()) > 0.3
        assert typed(database_url, "retry-deliveries", "--all").stdout.startswith("0 ")
    finally:
        again.close()


def test_what_was_erased_since_the_backup_is_erased_again(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    desk = opened(database, support_policy())
    for number in (1, 2):
        desk.ticket("my name is Vega", external_id=f"T-{number}")
    saved = backed_up(database_url, tmp_path)
    with database.transaction() as session:
        erase(session, "support", "T-1", NOW)
    desk.ticket("later", external_id="T-3")
    with database.transaction() as session:
        erase(session, "support", "T-3", NOW)
    database.close()
    assert "1 ticket erased since the backup was erased again." in " ".join(restored(saved, database_url).split())
    again = Database(database_url)
    with again.reading() as session:
        kept = {one.external_id: one.text for one in session.query(Prediction)}
    again.close()
    assert kept == {"T-1": "", "T-2": "my name is Vega"}


def test_a_card_of_an_item_lost_by_a_restore_counts_for_no_other_ticket(database_url: str, tmp_path: Path) -> None:
    """The ticket after the restore has the number of the lost one, whose card still hangs in the channel."""
    chances = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
    with serve(workspace(), port=0) as url, SandboxClient(url) as box:
        with at_work(box, url, database_url, tmp_path) as loop:
            saved = backed_up(database_url, tmp_path)
            loop.predict("T-1", "the sofa came late", chances)
            stale = loop.card("the sofa came late")
            box.wait_for(lambda: loop.ana.click(stale, "delivery").ok, PATIENCE, "a socket")
            receipt = loop.told(loop.ana, "Item 1:")
        restored(saved, database_url)
        with at_work(box, url, database_url, tmp_path) as loop:
            loop.predict("T-2", "i want my money back", chances)
            card = loop.card("i want my money back")
            assert "item 1" in card.plain
            box.wait_for(lambda: loop.ben.click(stale, "delivery").ok, PATIENCE, "a socket")
            loop.told(loop.ben, "This message is from before a backup was restored")
            loop.ana.click(receipt, "Undo")
            loop.told(loop.ana, "This message is from before a backup was restored")
            loop.ben.click(stale, "Why?")
            box.wait_for(lambda: says(loop.ben, "This message is from before a backup was restored"), what="a sentence")
            with loop.database.reading() as session:
                assert session.query(Answer).count() == 0
            for person in (loop.ana, loop.ben):
                person.click(card, "refund")
            loop.card("*refund* (2 votes)")


@contextmanager
def at_work(box: SandboxClient, url: str, database_url: str, folder: Path) -> Iterator[Loop]:
    """`goldloop run`, killed at the end."""
    database, policy = Database(database_url), support_policy()
    bot = Bot("run", url, database_url, folder)
    bot.start()
    try:
        box.wait_for(lambda: has_queue(database), PATIENCE, "the queue")
        slack = slack_client(workspace().apps[0].bot_token, f"{url}/api/")
        yield Loop(box, assemble(database, slack, policy), database, policy)
    finally:
        bot.kill()
        database.close()


def says(person: Person, words: str) -> bool:
    view = person.view
    return view is not None and words in view.plain


def has_queue(database: Database) -> bool:
    with database.reading(wait=PATIENT) as session:
        return session.query(Queue).count() == 1


@pytest.mark.usefixtures("sqlite_only")
def test_what_a_killed_process_left_in_its_log_is_not_written_into_a_restored_database(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    lived_in(database)
    saved = backed_up(database_url, tmp_path)
    desk = Desk(database, support_policy())
    for number in range(200):
        desk.ticket(f"where is parcel {number}")
    left = {path: path.read_bytes() for path in tmp_path.glob("goldloop.sqlite*")}
    database.close()
    for path, written in left.items():
        path.write_bytes(written)
    assert len(left[tmp_path / "goldloop.sqlite-wal"]) > 100_000
    restored(saved, database_url)
    again = Database(database_url)
    try:
        with again.reading() as session:
            assert session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert session.query(ReviewItem).count() == 2
    finally:
        again.close()


def test_what_is_no_backup_or_still_in_use_is_not_touched(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    lived_in(database)
    saved = backed_up(database_url, tmp_path)
    assert str(typed(database_url, "backup", str(saved)).exception) == f"{saved} already exists and was not changed."
    other = tmp_path / "other"
    other.write_bytes(b"not a database")
    refused = str(typed(database_url, "restore", "--yes", str(other)).exception)
    assert "is not a backup of Goldloop" in refused or "pg_restore failed: " in refused
    assert "there is no such file" in str(typed(database_url, "restore", "--yes", str(tmp_path / "none")).exception)
    asked = typed(database_url, "restore", str(saved))
    assert asked.exit_code == 1, "it asks, and there is no answer"
    page = Path(__file__).parents[2] / "docs" / "operations.md"
    assert asked.output.splitlines()[0].partition(" [")[0] in " ".join(page.read_text(encoding="utf-8").split())
    with database.transaction() as session:
        leases.acquire(session, DELIVERY, "another-host:12:abc", utc_now(), is_gone)
    assert "is still running" in str(typed(database_url, "restore", "--yes", str(saved)).exception)
    with database.reading() as session:
        assert session.query(ReviewItem).count() == 2
    database.close()


@pytest.mark.usefixtures("sqlite_only")
def test_another_programs_database_is_not_restored(database_url: str, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE invoice (id)")
    other.close()
    refused = typed(database_url, "restore", "--yes", str(tmp_path / "other.sqlite")).exception
    assert "is not a backup of Goldloop on SQLite" in str(refused)
