"""A database of a development version is refused by every command, with a sentence that says what to do."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot.cli.app import app
from bot.runtime.migrate import UNRELEASED, migrate
from core.errors import Refusal
from core.storage.database import Database

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


POLICY = """
[queues.support]
channel = "C_REVIEW"
leads_channel = "C_LEADS"
leads = ["U_CLEO"]
labels = ["refund", "delivery"]
"""


def stamp(database: Database, revision: str) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :old"), {"old": revision})


@pytest.mark.parametrize("revision", sorted(UNRELEASED))
def test_a_start_refuses_it_and_says_what_to_do(database: Database, revision: str) -> None:
    stamp(database, revision)
    with pytest.raises(
        Refusal, match=rf"development version of Goldloop \(schema {revision}\).*Set DATABASE_URL to a new"
    ):
        migrate(database)
    with database.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == revision


@pytest.mark.parametrize("command", [["migrate"], ["retrain", "-q", "support"]])
def test_so_do_the_commands(
    database: Database, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp(database, revision := min(UNRELEASED))
    (tmp_path / "goldloop.toml").write_text(POLICY)
    monkeypatch.setenv("GOLDLOOP_POLICY", str(tmp_path / "goldloop.toml"))
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, Refusal)
    assert f"schema {revision}" in str(done.exception)
