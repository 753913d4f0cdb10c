"""Request bodies: read up to a limit, then parsed as JSON."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from bot.api.callers import Admit
from bot.api.problems import TooLarge
from bot.runtime.json_parsing import has_more_values, read_json
from bot.runtime.services import Services
from core.errors import Invalid
from core.policy import QueuePolicy


def body_of(admit: Admit, services: Services) -> Callable[..., Awaitable[bytes]]:
    """A dependency for endpoints: the body of a caller who was admitted. No other body is read. It is a coroutine,
    because only these can read a body; the endpoint itself runs in a thread, as it uses the database."""

    async def read(request: Request, _policy: Annotated[QueuePolicy, Depends(admit)]) -> bytes:
        received, most_bytes = bytearray(), services.policy.api.body_bytes
        try:
            async for chunk in request.stream():
                received += chunk
                if len(received) > most_bytes:
                    raise TooLarge(f"The body is larger than {most_bytes:,} bytes. Send fewer rows in one request.")
        except ClientDisconnect:
            raise Invalid("The body is incomplete.", field="body") from None  # the caller is gone
        return bytes(received)

    return read


def parsed(body: bytes, most_values: int) -> Any:
    """The body as JSON. Raises Invalid if it has more values, is not JSON, or is nested too deeply."""
    if has_more_values(body, most_values):
        raise Invalid(f"The body has more than {most_values:,} values, which no valid request has.", field="body")
    try:
        return read_json(body)
    except (ValueError, RecursionError) as error:
        cause = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Invalid(f"The body is not valid JSON: {cause}.", field="body") from None
