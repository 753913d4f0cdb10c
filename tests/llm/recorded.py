"""A language model's server that answers as it was recorded: a real HTTP server on this machine, without a model.

`request.json` is the request that tests make. An answer is a file of `answers/`; it is chosen by the SHA-256 of the
request, without its seed, with the file's name as the model. Any other request gets a 500 that prints it, to be
recorded."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.conformance.runs import free_port
from tests.web import web_server

FOLDER = Path(__file__).parent
PAD = 50_000_000  # bytes of the answer that is far too long


def digest_of(body: dict[str, Any]) -> str:
    """Of a request, whatever its seed."""
    canonical = {name: value for name, value in body.items() if name != "seed"}
    return sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()


class RecordedModel:
    """seen: requests by model; headers: of the last one."""

    def __init__(self, check_prompt: bool = True) -> None:
        self.seen: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.prompts: list[str] = []
        self._check_prompt = check_prompt
        self._request = json.loads((FOLDER / "request.json").read_text(encoding="utf-8"))
        names = [path.stem for path in (FOLDER / "answers").glob("*.json")]
        self._names = {digest_of(self._request | {"model": name}): name for name in names}
        self.app = Starlette(routes=[Route("/v1/chat/completions", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        self.headers = dict(request.headers)
        self.prompts.append(body["messages"][-1]["content"])
        asked = body if self._check_prompt else body | {"messages": self._request["messages"]}
        name = self._names.get(digest_of(asked))
        if name is None:
            print(json.dumps(body, indent=1))  # noqa: T201 - to be recorded
            return PlainTextResponse(f"not recorded: {json.dumps(body)}", status_code=500)
        self.seen[name] += 1
        steps = json.loads((FOLDER / "answers" / f"{name}.json").read_text(encoding="utf-8"))
        step = steps[min(self.seen[name], len(steps)) - 1]
        await asyncio.sleep(step.get("delay", 0))
        content = step["body"] if isinstance(step["body"], str) else json.dumps(step["body"])
        return Response(content + " " * step.get("pad", 0), step["status"], step.get("headers", {}))


@contextmanager
def serving(model: RecordedModel) -> Iterator[str]:
    """The address for the policy."""
    port = free_port()
    with web_server(model.app, port):
        yield f"http://127.0.0.1:{port}/v1"
