"""Request bodies: read up to a limit, then parsed as JSON. A body with pictures is a form: a part with the JSON, and a
file for each picture."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from bot.api.callers import Admit
from bot.api.problems import TooLarge
from bot.runtime.json_parsing import has_more_values, read_json
from bot.runtime.services import Services
from core.errors import Invalid
from core.policy import QueuePolicy

PART = "predictions"  # the name of the part that holds the JSON
MOST_FILES = 100  # per request


@dataclass(frozen=True)
class Sent:
    """A request body. json: the JSON as it was sent; files: file name -> picture."""

    json: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)


def sent_of(admit: Admit, services: Services) -> Callable[..., Awaitable[Sent]]:
    """A dependency like `body_of`, for a body that may be a form with files."""
    body = body_of(admit, services)

    async def read(request: Request, content: Annotated[bytes, Depends(body)]) -> Sent:
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return Sent(content)
        return await _form(request, content)

    return read


def body_of(admit: Admit, services: Services) -> Callable[..., Awaitable[bytes]]:
    """A dependency for endpoints: the body of an admitted caller. Bodies of other callers are not read. It is a
    coroutine, because only coroutines can read a body; the endpoint itself runs in a thread, because it uses the
    database."""

    async def read(request: Request, _policy: Annotated[QueuePolicy, Depends(admit)]) -> bytes:
        received, most_bytes = bytearray(), services.policy.api.body_bytes
        try:
            async for chunk in request.stream():
                received += chunk
                if len(received) > most_bytes:
                    raise TooLarge(f"The body is larger than {most_bytes:,} bytes. Send fewer rows in one request.")
        except ClientDisconnect:
            raise Invalid("The body is incomplete.", field="body") from None  # the caller has disconnected
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


async def _form(request: Request, content: bytes) -> Sent:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield content

    parser = MultiPartParser(
        request.headers, stream(), max_files=MOST_FILES, max_fields=1, max_part_size=max(1, len(content))
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Invalid(f"The form cannot be read: {error.message}", field="body") from None
    try:
        return await _sent(form)
    finally:
        await form.close()


async def _sent(form: FormData) -> Sent:
    files: dict[str, bytes] = {}
    predictions: bytes | None = None
    for name, value in form.multi_items():
        if name == PART:
            predictions = await value.read() if isinstance(value, UploadFile) else value.encode()
        elif isinstance(value, UploadFile):
            key = value.filename or name
            if key in files:
                raise Invalid(f"Two files have the name “{key[:80]}”. Give each file its own name.", field="image")
            files[key] = await value.read()
        else:
            raise Invalid(f"“{name[:80]}” is not a known part. Send {PART}, and files.", field=name)
    if predictions is None:
        raise Invalid(f"The part {PART} is missing: the predictions as JSON.", field=PART)
    return Sent(predictions, files)
