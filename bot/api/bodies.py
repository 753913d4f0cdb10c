"""What a caller sent: read up to a limit, then as JSON."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from bot.api.callers import Admit
from bot.api.problems import TooLarge
from bot.runtime.json_parsing import read_json
from core.errors import Invalid
from core.policy import QueuePolicy


def body_of(admit: Admit, most_bytes: int) -> Callable[..., Awaitable[bytes]]:
    """What an endpoint depends on: the body of a caller who was admitted. Nobody else's is read. A coroutine, as only
    these may read; everything after it runs in a thread, as the database wants it."""

    async def read(request: Request, _policy: Annotated[QueuePolicy, Depends(admit)]) -> bytes:
        received = bytearray()
        try:
            async for chunk in request.stream():
                received += chunk
                if len(received) > most_bytes:
                    raise TooLarge(f"The body is larger than {most_bytes:,} bytes. Send fewer rows at once.")
        except ClientDisconnect:
            raise Invalid("The body broke off.", field="body") from None  # which nobody hears
        return bytes(received)

    return read


def parsed(body: bytes) -> Any:
    """Raises Invalid if it is no JSON, or none that Python can hold."""
    try:
        return read_json(body)
    except (ValueError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Invalid(f"The body is not JSON: {said}.", field="body") from None
