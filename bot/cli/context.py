"""The database and the policy that most commands need. Nothing here talks to Slack."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from bot.runtime.open_database import open_database
from bot.runtime.settings import load_settings
from core.policy import Policy
from core.policy.file import load_policy
from core.storage.database import Database

QueueOption = Annotated[str, typer.Option("--queue", "-q", help="Name of the queue in the policy file.")]


@contextmanager
def opened(make_tables: bool = False) -> Iterator[tuple[Database, Policy]]:
    """make_tables: the caller creates the tables; otherwise they must exist. Raises Invalid if a setting or the policy
    file is invalid, and Refusal if the tables of this release are missing; no database file is created then."""
    settings = load_settings()
    policy = load_policy(settings.policy)
    with open_database(settings.database_url, settings.sqlite_full_sync, make_tables) as database:
        yield database, policy
