"""The database, the policy, and the queue or model that most commands need. Nothing here talks to Slack."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from bot.runtime.open_database import open_database
from bot.runtime.policy_at_start import stored_or_file
from bot.runtime.settings import load_settings
from core.errors import Invalid
from core.learning.lifecycle.models import model_id_of
from core.policy import Policy, QueuePolicy
from core.queues import queue_named
from core.storage.database import Database

QueueOption = Annotated[str, typer.Option("--queue", "-q", help="Name of the queue in the policy file.")]

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Name of the model, such as v7, or its id.")]

ModelQueueOption = Annotated[
    str, typer.Option("--queue", "-q", help="Queue of a model that is given by its name, if there are several queues.")
]

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


def queue_meant(policy: Policy, name: str) -> QueuePolicy:
    """The queue of this name; without one, the policy's only queue. Raises NotFound, and Invalid if there are several
    queues."""
    if not name and len(policy.queues) > 1:
        raise Invalid(f"Give --queue: {', '.join(one.name for one in policy.queues)}.")
    return policy.queue(name or policy.queues[0].name)


def model_meant(session: Session, policy: Policy, model: str, queue: str) -> int:
    """The id of a model that is given by its name or by its id, which may not exist. Raises NotFound and Invalid."""
    if re.fullmatch("[0-9]{1,18}", model):
        return int(model)
    version = re.fullmatch("v([0-9]{1,9})", model)
    if version is None:
        raise Invalid(f"“{model[:80]}” is not a model. Give its name, such as v7, or its id.")
    return model_id_of(session, queue_named(session, queue_meant(policy, queue).name), int(version[1]))
