"""Authentication and authorisation of callers, before any other part of a request is read."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.api.limits import RateLimit, WrongTokens
from bot.api.problems import Unauthorised
from bot.runtime.services import Services
from core.errors import DatabaseUnavailable
from core.people.api_tokens import Caller, caller, digest_of, is_worth_noting, note_use
from core.policy import QueuePolicy
from core.vocabulary import Scope

NOT_ADMITTED = "Send a valid token in the header `Authorization: Bearer goldloop_…`."
NOTE_WAIT = 0.2  # seconds; rather lose a "last used" than let a caller wait

Admit = Callable[..., QueuePolicy]
bearer = HTTPBearer(auto_error=False, description="A token created with `goldloop token create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
QueueName = Annotated[str, Path(description="Name of the queue in the policy file.")]


def admission(services: Services, limit: RateLimit[int], wrong: WrongTokens, scope: Scope) -> Admit:
    """A dependency for endpoints: the policy of the queue in the address, if the caller has the scope for it.

    Raises Unauthorised, TooFast, NotAllowed or NotFound, in this order, so that only an authorised caller learns which
    queues exist. After too many wrong tokens from the caller's address, raises TooFast whatever the token.
    """

    def admit(queue: QueueName, credentials: Credentials, request: Request) -> QueuePolicy:
        address = request.client.host if request.client else ""
        known = _recognised(services, wrong, credentials.credentials if credentials else "", address)
        limit.take(known.id)
        known.require(scope, queue)
        return services.policy.queue(queue)

    return admit


def _recognised(services: Services, wrong: WrongTokens, token: str, address: str) -> Caller:
    if not token:
        raise Unauthorised(NOT_ADMITTED)
    digest = digest_of(token)
    wrong.require(digest, address)
    with services.database.reading() as session:
        found = caller(session, token)
    if found is None:
        wrong.wrong(digest, address)
        raise Unauthorised(NOT_ADMITTED)
    wrong.right(digest)
    known, last_used_at = found
    if is_worth_noting(last_used_at, services.clock()):
        _note(services, known)
    return known


def _note(services: Services, known: Caller) -> None:
    try:
        with services.database.transaction(wait=NOTE_WAIT) as session:
            note_use(session, known.id, services.clock())
    except DatabaseUnavailable:
        return  # the next request will note it
