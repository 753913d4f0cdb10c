"""Runs the migrations. Several processes may do so at once: the first takes the lock, the others find nothing to do."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, Enum, text

from core.records import Base
from core.records.base import UtcDateTime
from core.storage.database import MIGRATION_LOCK


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        transaction_per_migration=False,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        if not sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.run_migrations()


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A new migration names plain types: it must still run when `core` has moved on."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


run(context.config.attributes["connection"])
