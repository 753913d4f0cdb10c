"""`goldloop token …` as operators type it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from core.errors import Invalid
from tests.core.desk import Desk
from tests.flows.processes import write_policy

pytestmark = pytest.mark.usefixtures("sqlite_only")


def test_a_token_is_made_listed_without_its_secret_and_revoked(desk: Desk, tmp_path: Path) -> None:
    url = desk.database.engine.url.render_as_string(hide_password=False)
    environment = {"DATABASE_URL": url, "GOLDLOOP_POLICY": str(write_policy(tmp_path)), "COLUMNS": "200"}

    def goldloop(*words: str) -> Result:
        return CliRunner().invoke(app, words, env=environment)

    made = goldloop("token", "create", "helpdesk", "--scope", "ingest", "--scope", "read", "--queue", "support")
    token = made.stdout.strip()
    assert (made.exit_code, token[:9], len(token)) == (0, "goldloop_", 52)
    assert "cannot be shown again" in made.stderr
    listed = goldloop("token", "list").stdout
    assert "helpdesk" in listed
    assert "ingest, read" in listed
    assert token[9:] not in listed
    assert "is revoked" in goldloop("token", "revoke", "helpdesk").stdout
    assert isinstance(goldloop("token", "create", "helpdesk", "--scope", "read").exception, Invalid)
