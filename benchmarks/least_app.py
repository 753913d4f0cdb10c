"""The least Slack app that does as much as the floor and tells its person so, all as Bolt's own pages show it.

    python -m benchmarks.least_app DATABASE_URL PORT SIGNING_SECRET SLACK_PORT

A listener makes the floor's one transaction (benchmarks/floor.py) and acknowledges after it; a lazy listener answers by
the click's address. What it takes beside the floor is Bolt's part and the receipt's; what Goldloop takes beside it is
who may vote, late and repeated clicks, consensus, cards.
"""

import re
import sys

import uvicorn
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.floor import engine_for, storing


def create_least_app(engine: Engine, secret: str, slack: WebClient) -> Starlette:
    app, store = App(client=slack, signing_secret=secret, process_before_response=True), storing(engine)

    def vote_clicked(ack: Ack, body: dict[str, object]) -> None:
        store(body)
        ack()

    def tell(respond: Respond) -> None:
        respond("Your vote is recorded.", response_type="ephemeral", replace_original=False)

    app.action(re.compile("^vote:"))(ack=vote_clicked, lazy=[tell])

    async def events(request: Request) -> Response:
        asked = to_bolt_request(request, await request.body())
        return to_starlette_response(await run_in_threadpool(app.dispatch, asked))  # its own adapter takes turns

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


if __name__ == "__main__":
    url, port, secret, slack_port = sys.argv[1:]
    slack = WebClient("xoxb-benchmark", base_url=f"http://127.0.0.1:{slack_port}/api/")
    app = create_least_app(engine_for(url), secret, slack)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)
