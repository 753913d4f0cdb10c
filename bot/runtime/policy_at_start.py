"""The policy with which a process or a command starts: the stored version, or a new policy file."""

import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from bot.runtime.open_database import open_database
from bot.runtime.settings import Settings
from core.errors import Invalid, Refusal
from core.policy import Policy
from core.policy.file import load_policy
from core.policy_in_force.versions import StoredPolicy, policy_in_force
from core.storage.database import Database

log = logging.getLogger(__name__)


def file_or_stored(settings: Settings) -> Policy:
    """The policy file; if it cannot be used, the policy in force. Raises Invalid if there is none."""
    try:
        return load_policy(settings.policy)
    except Invalid as problem:
        stored = _stored_before(settings)
        if stored is None:
            raise
        log.error("%s Version %d of the policy, which is stored, stays in force.", _line(problem), stored.version)
        return stored.policy


def stored_or_file(database: Database, settings: Settings) -> Policy:
    """The policy in force; if none was stored yet, the policy file. Raises Invalid if that cannot be used."""
    with database.reading() as session:
        stored = policy_in_force(session)
    return stored.policy if stored else load_policy(settings.policy)


def _stored_before(settings: Settings) -> StoredPolicy | None:
    """The stored policy. None: the database has none yet, or cannot be read."""
    with (
        suppress(Refusal, SQLAlchemyError),
        open_database(settings.database_url) as database,
        database.reading() as session,
    ):
        return policy_in_force(session)
    return None


def _line(problem: Invalid) -> str:
    """The problems on one line: a file may have several, each on a line of its own."""
    return " ".join(str(problem).splitlines())
