"""What most commands of the terminal begin with: the database and the policy, and nothing that talks to Slack."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.settings import load_settings
from core.database import Database
from core.policy import Policy
from core.policy_file import load_policy


@contextmanager
def opened() -> Iterator[tuple[Database, Policy]]:
    """Raises Invalid if a setting or the policy file cannot be used."""
    settings = load_settings()
    database = Database(settings.database_url, settings.sqlite_full_sync)
    try:
        yield database, load_policy(settings.policy)
    finally:
        database.close()
