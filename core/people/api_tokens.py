"""Bearer tokens of the HTTP API: made, listed, revoked, recognised.

Only a token's SHA-256 is stored. A slow, salted hash, as passwords need it, would add nothing: a token is 256 bits of
chance, so nobody can guess it from its digest, and every request has to look it up.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Invalid, NotAllowed, NotFound
from core.queues import queue_named
from core.records.access import ApiToken
from core.records.queues import Queue
from core.text.storable import storable
from core.vocabulary import Scope

PREFIX = "goldloop_"  # so that a token that leaked is recognised for what it is
FINENESS = timedelta(minutes=1)  # of "last used": not a write for every request
LONGEST_NAME = 80


@dataclass(frozen=True)
class Caller:
    """Who sent a request: the holder of a token. queue: the only one it is good for; None: all."""

    id: int
    name: str
    scopes: frozenset[Scope]
    queue: str | None

    def require(self, scope: Scope, queue: str) -> None:
        """Raises NotAllowed, saying which scope or queue is missing."""
        if self.queue not in (None, queue):
            raise NotAllowed(f"The token “{self.name}” is for the queue {self.queue}, not for {queue}.")
        if scope not in self.scopes:
            has = ", ".join(sorted(self.scopes))
            raise NotAllowed(f"The token “{self.name}” lacks the scope “{scope}”; it has {has}.")


@dataclass(frozen=True)
class TokenLine:
    """What may be shown of a token."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    queue: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def make_token(
    session: Session, name: str, chance: str, scopes: Collection[Scope], queue: str | None, now: datetime
) -> str:
    """Store a token and return it: it cannot be shown again. chance: 256 random bits as text.
    Raises Invalid if the name is taken, NotFound for an unknown queue."""
    name = storable(name).strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(f"A token's name has 1 to {LONGEST_NAME} characters.", field="name")
    if not scopes:
        raise Invalid("A token needs a scope: ingest, read, predict.", field="scopes")
    if session.scalar(select(ApiToken.id).where(ApiToken.name == name)) is not None:
        raise Invalid(f"There is a token “{name}” already. Choose another name; names are kept.", field="name")
    queue_id = None if queue is None else queue_named(session, queue).id
    words = " ".join(sorted(set(scopes)))
    token = PREFIX + chance
    session.add(ApiToken(name=name, digest=_digest(token), scopes=words, queue_id=queue_id, created_at=now))
    session.flush()
    return token


def revoke_token(session: Session, name: str, now: datetime) -> None:
    """From now on it opens nothing. Repeating it changes nothing. Raises NotFound."""
    row = session.scalar(select(ApiToken).where(ApiToken.name == name).with_for_update())
    if row is None:
        raise NotFound(f"There is no token “{name}”. `goldloop token list` shows all.")
    row.revoked_at = row.revoked_at or now


def tokens(session: Session) -> list[TokenLine]:
    """All that were ever made, oldest first."""
    rows = session.execute(
        select(ApiToken, Queue.name).outerjoin(Queue, Queue.id == ApiToken.queue_id).order_by(ApiToken.id)
    )
    return [
        TokenLine(
            row.id, row.name, tuple(_scopes(row)), queue, row.created_at, row.last_used_at, row.revoked_at
        )
        for row, queue in rows
    ]  # fmt: skip


def caller(session: Session, token: str) -> tuple[Caller, datetime | None] | None:
    """Whose token this is, and when it was used last. None: nobody's, or revoked."""
    found = session.execute(
        select(ApiToken, Queue.name)
        .outerjoin(Queue, Queue.id == ApiToken.queue_id)
        .where(ApiToken.digest == _digest(token), ApiToken.revoked_at.is_(None))
    ).first()
    if found is None:
        return None
    row, queue = found
    return Caller(row.id, row.name, frozenset(_scopes(row)), queue), row.last_used_at


def is_worth_noting(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at >= FINENESS


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """So that an unused token can be found and revoked."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def _scopes(row: ApiToken) -> list[Scope]:
    return [Scope(word) for word in row.scopes.split()]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
