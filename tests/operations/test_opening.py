"""A command in the wrong folder, before `goldloop migrate`, or of another release than the database: its error."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner

from bot.cli.app import app
from bot.runtime.migrate import migrate, newest_revision
from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from core.errors import DatabaseUnavailable, Refusal
from core.storage.database import Database
from tests.flows.processes import Bot, write_policy
from tests.operations.test_first_day import ENOUGH, answers
from tests.people import workspace

COMMANDS = (
    ["token", "list"],
    ["webhooks"],
    ["explain", "item", "1"],
    ["erase", "--queue", "support", "--external-id", "T-1"],
    ["retry-deliveries"],
)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("GOLDLOOP_POLICY", str(write_policy(tmp_path)))
    return CliRunner()


def refused(runner: CliRunner, command: list[str]) -> str:
    refusal = runner.invoke(app, command).exception
    assert isinstance(refusal, Refusal), (command, refusal)
    return str(refusal)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_in_the_wrong_folder_no_file_is_made(
    command: list[str], runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "elsewhere.sqlite"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    assert refused(runner, command) == (
        f"There is no database {file}. Change to its folder, set DATABASE_URL, or run `goldloop migrate`."
    )
    assert not file.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_tables_it_says_migrate(
    command: list[str], runner: CliRunner, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    _at_revision(database_url, None)
    assert refused(runner, command) == "The database has no tables yet. Run `goldloop migrate`."


def test_the_tables_of_a_newer_release_are_left_as_they_are_and_used(
    runner: CliRunner, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    _at_revision(database_url, "9999")
    assert runner.invoke(app, ["migrate"]).exit_code == 0
    assert "Database is from a newer release" in caplog.text
    assert runner.invoke(app, ["token", "list"]).exit_code == 0
    database = Database(database_url)
    try:
        migrate(database)
        with database.reading() as session:
            assert session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    finally:
        database.close()
    assert newest_revision() != "9999"


def test_a_database_that_cannot_be_reached_is_no_bug(
    runner: CliRunner, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:p@127.0.0.1:{unused_port}/x")
    assert isinstance(runner.invoke(app, ["token", "list"]).exception, DatabaseUnavailable)


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_a_process_that_ends_leaves_all_in_one_file(database_url: str, unused_port: int, tmp_path: Path) -> None:
    with serve(workspace()) as url, SandboxClient(url) as box:
        bot = Bot("run", url, database_url, tmp_path, PORT=str(unused_port), HOST="127.0.0.1")
        bot.start()
        box.wait_for(lambda: answers(f"http://127.0.0.1:{unused_port}"), ENOUGH)
        assert (tmp_path / "goldloop.sqlite-wal").exists()
        assert bot.process is not None
        assert bot.process.pid is not None
        bot.process.terminate()
        bot.process.join(ENOUGH)
        assert bot.process.exitcode in (0, -signal.SIGTERM)
    assert sorted(path.name for path in tmp_path.glob("goldloop.sqlite*")) == ["goldloop.sqlite"]


def _at_revision(url: str, revision: str | None) -> None:
    """None: no tables of ours at all."""
    engine = create_engine(make_url(url))
    with engine.begin() as connection:
        if revision is None:
            connection.execute(text("DROP TABLE alembic_version"))
        else:
            connection.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": revision})
    engine.dispose()
