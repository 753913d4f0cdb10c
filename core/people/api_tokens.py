"""Bearer tokens of the HTTP API: created, listed, revoked and recognised.

Only a token's SHA-256 is stored. A slow, salted hash, as for passwords, would add nothing: a token has 256 random bits,
so it cannot be guessed from its digest, and every request looks it up.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.errors import Invalid, NotAllowed, NotFound
from core.queues import queue_named
from core.records.access import ApiToken
from core.records.queues import Queue
from core.storage.ready import fetch
from core.text.storable import storable
from core.vocabulary import Scope

PREFIX = "goldloop_"  # lets scanners recognise a leaked token
LAST_USED_PRECISION = timedelta(minutes=1)  # avoids a write for every request
LONGEST_NAME = 80
_HOLDER = (  # built once: every request asks
    select(ApiToken.id, ApiToken.name, ApiToken.scopes, Queue.name, ApiToken.last_used_at)
    .outerjoin(Queue, Queue.id == ApiToken.queue_id)
    .where(ApiToken.digest == bindparam("digest"), ApiToken.revoked_at.is_(None))
)


@dataclass(frozen=True)
class Caller:
    """The holder of a token. queue: the only queue that it is valid for; None: all."""

    id: int
    name: str
    scopes: frozenset[Scope]
    queue: str | None

    def require(self, scope: Scope, queue: str) -> None:
        """Raises NotAllowed, naming the missing scope or the wrong queue."""
        if self.queue not in (None, queue):
            raise NotAllowed(f"The token “{self.name}” is for the queue {self.queue} only, not for {queue}.")
        if scope not in self.scopes:
            has = ", ".join(sorted(self.scopes))
            raise NotAllowed(f"The token “{self.name}” lacks the scope “{scope}”. It has: {has}.")


@dataclass(frozen=True)
class TokenLine:
    """A token without its secret, for display."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    queue: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def create_token(
    session: Session, name: str, random_part: str, scopes: Collection[Scope], queue: str | None, now: datetime
) -> str:
    """Store a token and return it; it cannot be shown again. random_part: 256 random bits as text.
    Raises Invalid if the name is taken, and NotFound for an unknown queue."""
    name = storable(name).strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(f"A token's name must have 1 to {LONGEST_NAME} characters.", field="name")
    if not scopes:
        raise Invalid("A token needs at least one scope: ingest, predict or read.", field="scopes")
    if session.scalar(select(ApiToken.id).where(ApiToken.name == name)) is not None:
        raise Invalid(
            f"A token named “{name}” already exists. Names cannot be reused, even after revoking.", field="name"
        )
    queue_id = None if queue is None else queue_named(session, queue).id
    words = " ".join(sorted(set(scopes)))
    token = PREFIX + random_part
    session.add(ApiToken(name=name, digest=digest_of(token), scopes=words, queue_id=queue_id, created_at=now))
    session.flush()
    return token


def revoke_token(session: Session, name: str, now: datetime) -> None:
    """Revoke a token. Repeating it changes nothing. Raises NotFound."""
    row = session.scalar(select(ApiToken).where(ApiToken.name == name).with_for_update())
    if row is None:
        raise NotFound(f"There is no token “{name}”. Run `goldloop token list` to see all tokens.")
    row.revoked_at = row.revoked_at or now


def tokens(session: Session) -> list[TokenLine]:
    """All tokens, revoked ones included, oldest first."""
    rows = session.execute(
        select(ApiToken, Queue.name).outerjoin(Queue, Queue.id == ApiToken.queue_id).order_by(ApiToken.id)
    )
    return [
        TokenLine(
            row.id, row.name, tuple(_scopes(row.scopes)), queue, row.created_at, row.last_used_at, row.revoked_at
        )
        for row, queue in rows
    ]  # fmt: skip


def caller(session: Session, token: str) -> tuple[Caller, datetime | None] | None:
    """The holder of this token, and when it was last used. None if the token is unknown or revoked."""
    found = fetch(session, _HOLDER, {"digest": digest_of(token)})
    if not found:
        return None
    [(token_id, name, scopes, queue, last_used_at)] = found
    return Caller(token_id, name, frozenset(_scopes(scopes)), queue), last_used_at


def is_worth_noting(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at >= LAST_USED_PRECISION


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """Store the time of use, so that an unused token can be found and revoked."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def _scopes(words: str) -> list[Scope]:
    return [Scope(word) for word in words.split()]


def digest_of(token: str) -> str:
    """SHA-256 in hexadecimal digits, as it is stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
