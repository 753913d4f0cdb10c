"""`goldloop token …` as operators type it."""

import pytest

from tests.flows.test_terminal import Terminal, goldloop  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("sqlite_only")


def test_a_token_is_made_listed_without_its_secret_and_revoked(goldloop: Terminal) -> None:  # noqa: F811
    goldloop.run("migrate")
    made = goldloop.run("token", "make", "helpdesk", "--scope", "ingest", "--scope", "read", "--queue", "support")
    token = made.stdout.strip()
    assert (made.returncode, token[:9], len(token)) == (0, "goldloop_", 52)
    assert "cannot be shown again" in made.stderr
    listed = goldloop.run("token", "list").stdout
    assert "helpdesk" in listed
    assert "ingest, read" in listed
    assert token[9:] not in listed
    assert "is revoked" in goldloop.run("token", "revoke", "helpdesk").stdout
    again = goldloop.run("token", "make", "helpdesk", "--scope", "read")
    assert (again.returncode, "already" in again.stderr) == (2, True)
