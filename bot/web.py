"""The HTTP door: Slack's signed requests, and whether this process is alive. The API will be a sibling route here."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from slack_bolt import App, BoltRequest
from sqlalchemy import text

from bot.wiring import Services

MOST_BYTES = 5_000_000  # of one request; Slack's own are far smaller


async def raw_body(request: Request) -> bytes:
    """The body as it was signed. The only coroutine: everything after it runs in a thread, as the database wants it."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MOST_BYTES:
            return b""  # no signature fits an empty body: refused
    return bytes(received)


def create_app(services: Services, slack: App) -> FastAPI:
    app = FastAPI(title="Goldloop", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/slack/events")
    def slack_events(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Response:
        answer = slack.dispatch(BoltRequest(body=body.decode("utf-8", "replace"), headers=dict(request.headers)))
        headers = dict(answer.first_headers_without_set_cookie())
        return Response(content=answer.body, status_code=answer.status, headers=headers)

    @app.get("/health")
    def health() -> dict[str, str]:
        with services.database.reading() as session:
            session.execute(text("SELECT 1"))
        return {"status": "ok"}

    return app
