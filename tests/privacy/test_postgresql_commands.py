"""What docs/security.md says of PostgreSQL: its commands take the bytes of an erased text off the disk."""

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.runtime.migrate import migrate
from core.privacy.erasure import erase
from core.storage.database import PATIENT, Database
from tests.core.desk import NOW, REFUND, opened
from tests.people import ANA, BEN, support_policy
from tests.postgres import PostgresServer

pytestmark = pytest.mark.slow  # a server of its own

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
SECRET = "my name is rosalind and the lamp is broken"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """As in production: durable, and its log as a replica or a backup needs it."""
    server = PostgresServer(durable=True)
    try:
        server.stop()
        server.settings = {**server.settings, "wal_level": "replica", "autovacuum": "off"}
        server.start()
        yield server
    finally:
        server.close()


def commands() -> list[str]:
    """The commands of the page, each a line of its shell."""
    [block] = re.findall(r"```\n(# as the owner.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [line for line in block.splitlines() if not line.startswith("#")]


def typed(server: PostgresServer, command: str) -> str:
    url = server.url().replace("+psycopg", "")
    environment = {**os.environ, "DATABASE_URL": url, "PATH": f"{server.binaries}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", "-ec", command], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def files_with(server: PostgresServer, words: str) -> list[str]:
    """The server's files in which the bytes stand, below its folder."""
    found = (path for path in server.data.rglob("*") if path.is_file() and words.encode() in path.read_bytes())
    return sorted(str(path.relative_to(server.data)) for path in found)


def test_afterwards_no_file_of_the_server_has_the_text(server: PostgresServer) -> None:
    database = Database(server.url())
    migrate(database)
    desk = opened(database, support_policy())
    desk.settled(ANA, BEN, text=SECRET, external_id="E-1", answer=REFUND)
    desk.ticket(f"{SECRET} at length: {random.Random(1).randbytes(5000).hex()}", external_id="E-2")  # a TOAST table's
    for number in range(20):
        desk.ticket(f"where is parcel {number}")
    typed(server, "psql \"$DATABASE_URL\" -c 'ANALYZE' -c 'CHECKPOINT'")
    assert any(name.startswith("base/") for name in files_with(server, SECRET))
    with database.transaction(wait=PATIENT) as session:
        for external_id in ("E-1", "E-2"):
            erase(session, "support", external_id, NOW)
    database.close()
    assert files_with(server, SECRET), "an update leaves the old row in place"
    for command in commands():
        typed(server, command)
    assert files_with(server, SECRET) == []
