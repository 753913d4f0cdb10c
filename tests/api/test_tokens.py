"""Tokens: shown once, stored as a digest, good for what they were made for, until they are revoked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.errors import Invalid, NotAllowed, NotFound
from core.people.api_tokens import Caller, caller, create_token, is_worth_noting, note_use, revoke_token, tokens
from core.records.access import ApiToken
from core.vocabulary import Scope
from tests.core.desk import NOW, Desk


def made(desk: Desk, name: str = "helpdesk", chance: str = "chance", *scopes: Scope, queue: str | None = None) -> str:
    with desk.database.transaction() as session:
        return create_token(session, name, chance, scopes or (Scope.READ,), queue, NOW)


def whose(desk: Desk, token: str) -> Caller | None:
    with desk.database.reading() as session:
        found = caller(session, token)
    return found[0] if found else None


def test_a_token_is_recognised_and_only_its_digest_is_stored(desk: Desk) -> None:
    token = made(desk, "helpdesk", "chance", Scope.READ, Scope.INGEST, queue="support")
    known = whose(desk, token)
    assert known is not None
    assert (known.name, known.scopes, known.queue) == ("helpdesk", frozenset({Scope.READ, Scope.INGEST}), "support")
    with desk.database.reading() as session:
        row = session.scalars(select(ApiToken)).one()
    assert token not in str(vars(row))
    assert "chance" not in str(vars(row))


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("token", ["", "goldloop_", "goldloop_chancE", "chance", "goldloop_\udcff", "x" * 10_000])
def test_what_is_nearly_a_token_is_not_recognised(desk: Desk, token: str) -> None:
    made(desk)
    assert whose(desk, token) is None


def test_a_revoked_token_opens_nothing_and_is_still_listed(desk: Desk) -> None:
    token = made(desk)
    for hours in (1, 2):
        with desk.database.transaction() as session:
            revoke_token(session, "helpdesk", NOW + timedelta(hours=hours))
    assert whose(desk, token) is None
    with desk.database.reading() as session:
        [line] = tokens(session)
    assert line.revoked_at == NOW + timedelta(hours=1)


@pytest.mark.usefixtures("sqlite_only")
def test_names_stand_once_and_queues_exist(desk: Desk) -> None:
    made(desk)
    with pytest.raises(Invalid, match="already"):
        made(desk, chance="other")
    with pytest.raises(Invalid, match="name"):
        made(desk, name=" ", chance="other")
    with pytest.raises(NotFound, match="no queue"):
        made(desk, name="other", chance="other", queue="scans")
    with pytest.raises(NotFound, match="token list"), desk.database.transaction() as session:
        revoke_token(session, "unknown", NOW)


@pytest.mark.usefixtures("sqlite_only")
def test_a_token_is_good_for_its_scopes_and_its_queue(desk: Desk) -> None:
    known = whose(desk, made(desk, "reader", "one", queue="support"))
    everywhere = whose(desk, made(desk, "all", "two"))
    assert known is not None
    assert everywhere is not None
    known.require(Scope.READ, "support")
    everywhere.require(Scope.READ, "scans")
    with pytest.raises(NotAllowed, match=r"lacks the scope “ingest”\. It has: read"):
        known.require(Scope.INGEST, "support")
    with pytest.raises(NotAllowed, match="for the queue support only, not for scans"):
        known.require(Scope.READ, "scans")


def test_the_last_use_is_noted_to_the_minute(desk: Desk) -> None:
    made(desk)
    with desk.database.transaction() as session:
        note_use(session, tokens(session)[0].id, NOW)
    with desk.database.reading() as session:
        [line] = tokens(session)
    assert line.last_used_at == NOW
    assert is_worth_noting(None, NOW)
    assert not is_worth_noting(NOW, NOW + timedelta(seconds=59))
    assert is_worth_noting(NOW, NOW + timedelta(seconds=60))
