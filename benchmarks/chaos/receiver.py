"""The helpdesk that listens for webhooks. It checks signatures, and is broken now and then, as such systems are."""

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the Standard Webhooks specification
REFUSED = 10  # every tenth event is refused with 500 when it is first heard


@dataclass
class Receiver:
    url: str
    heard: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by webhook-id, what was taken
    refused: set[str] = field(default_factory=set)

    async def hook(self, request: Request) -> Response:
        body = Webhook(SECRET).verify((await request.body()).decode(), dict(request.headers))
        identity = request.headers["webhook-id"]
        if zlib.crc32(identity.encode()) % REFUSED == 0 and identity not in self.refused:
            self.refused.add(identity)
            return Response(status_code=500)
        self.heard.setdefault(identity, []).append(body)
        return Response(status_code=204)


@contextmanager
def receiving(port: int) -> Iterator[Receiver]:
    receiver = Receiver(f"http://127.0.0.1:{port}/hooks")
    app = Starlette(routes=[Route("/hooks", receiver.hook, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, name="receiver", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        yield receiver
    finally:
        server.should_exit = True
        thread.join()
