"""A helpdesk that receives webhooks: a real server that checks signatures with the convention's library, and answers as
the test says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.web import web_server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the Standard Webhooks specification


@dataclass
class Receiver:
    url: str
    answers: list[Response] = field(default_factory=list)  # given one after the other, then 204
    heard: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


@contextmanager
def listening(port: int) -> Iterator[Receiver]:
    receiver = Receiver(f"http://127.0.0.1:{port}/hooks")

    async def hook(request: Request) -> Response:
        body = (await request.body()).decode()
        receiver.heard.append(Webhook(SECRET).verify(body, dict(request.headers)))  # raises if it is not ours
        receiver.ids.append(request.headers["webhook-id"])
        assert json.loads(body) == receiver.heard[-1]
        return receiver.answers.pop(0) if receiver.answers else Response(status_code=204)

    with web_server(Starlette(routes=[Route("/hooks", hook, methods=["POST"])]), port):
        yield receiver
