"""The arguments of a Web API call: from a form, a JSON body or the query; blocks and the like may be JSON text."""

import json
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.sandbox.errors import SlackError
from bot.sandbox.wire import Json, dicts


class Arguments:
    def __init__(self, given: Json) -> None:
        self.given = {name: value for name, value in given.items() if value is not None}

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        return None if value is None else str(value)

    def needed(self, name: str) -> str:
        """The value of an argument. Raises invalid_arguments if it is missing or empty."""
        value = self.text(name)
        if not value:
            raise SlackError(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.given.get(name, default))
        except ValueError:
            raise SlackError("invalid_arguments") from None

    def json(self, name: str, refusal: str) -> object:
        """A value that may be sent as JSON text; None if it is missing. Raises `refusal` if it does not parse."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(refusal) from None

    def objects(self, name: str, refusal: str) -> list[Json] | None:
        value = self.json(name, refusal)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise SlackError(refusal)
        return dicts(value)

    def object(self, name: str, refusal: str) -> Json | None:
        value = self.json(name, refusal)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise SlackError(refusal)
        return value

    def listed(self, name: str) -> list[str]:
        """The list in an argument: comma-separated text or a JSON list."""
        value = self.given.get(name)
        if isinstance(value, list):
            return [str(each) for each in value]
        return [each.strip() for each in str(value or "").split(",") if each.strip()]


async def read_arguments(request: Request) -> Arguments:
    """The arguments of a request. Raises invalid_json."""
    given: Json = dict(request.query_params)
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type == "application/json" and body:
        try:
            sent = json.loads(body)
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(sent, dict):
            raise SlackError("json_not_object")
        given |= sent
    elif content_type == "multipart/form-data":
        async with request.form() as form:
            given |= {name: value for name, value in form.items() if isinstance(value, str)}
    elif body:
        given |= dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    return Arguments(given)
