"""A service that runs a model: a real server that checks signatures with the convention's library, and answers as the
test says."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.api.receiver import SECRET
from tests.core.services import by_word
from tests.web import web_server

Answer = Callable[[dict[str, Any]], Response]


def said(content: Any, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(content), status, headers, "application/json")


def rightly(asked: dict[str, Any]) -> Response:
    return said({"version": asked["version"], "predictions": [by_word(one["text"]) for one in asked["inputs"]]})


@dataclass
class ModelService:
    """answers: given one after the other, then `rightly`. seconds: before each answer."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


@contextmanager
def serving(port: int) -> Iterator[ModelService]:
    service = ModelService(f"http://127.0.0.1:{port}/predict")

    async def predict(request: Request) -> Response:
        body = (await request.body()).decode()
        asked = Webhook(SECRET).verify(body, dict(request.headers))  # raises if it is not ours
        service.heard.append(asked)
        await asyncio.sleep(service.seconds)
        return (service.answers.pop(0) if service.answers else rightly)(asked)

    with web_server(Starlette(routes=[Route("/predict", predict, methods=["POST"])]), port):
        yield service
