"""The database and the policy that most commands need. Nothing here talks to Slack."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from bot.runtime.open_database import open_database
from bot.runtime.policy_at_start import stored_or_file
from bot.runtime.settings import load_settings
from core.policy import Policy
from core.storage.database import Database

QueueOption = Annotated[str, typer.Option("--queue", "-q", help="Name of the queue in the policy file.")]

GroupOption = Annotated[
    bool,
    typer.Option(
        "--group-by-folder",
        help="Within the folder of a label, each folder is a group, such as a patient.",
    ),
]


@contextmanager
def opened() -> Iterator[tuple[Database, Policy]]:
    """Open the database. The policy is the one in force; before any was stored, the policy file. Raises Invalid if a
    setting or a needed policy file is invalid, and Refusal if the tables of this release are missing; no database file
    is created."""
    settings = load_settings()
    with open_database(settings.database_url, settings.sqlite_full_sync) as database:
        yield database, stored_or_file(database, settings)
