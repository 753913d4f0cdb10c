"""Who acts must be of our workspace. Ids of people are certain only within theirs, so before anything else of a click,
form or command is looked at, its workspace is."""

from collections.abc import Callable
from concurrent.futures import Executor

from slack_bolt import App, BoltContext, BoltResponse, Respond
from slack_sdk import WebClient

from bot.slack.inbound import payloads
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.replies import tell
from core.errors import NotAllowed

ELSEWHERE = "People from other workspaces can't act here."

Refuse = Callable[[Exception, Payload, BoltContext], BoltResponse]


def let_in_only_ours(app: App, refuse: Refuse, threads: Executor) -> None:
    """Others are answered by `refuse`; what it notes is told after the acknowledgement."""

    def ours_only(
        parsed: Payload, context: BoltContext, respond: Respond, client: WebClient, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        known = context.authorize_result
        if known is None or payloads.team(parsed) in (None, known.team_id):
            return next()
        answer = refuse(NotAllowed(ELSEWHERE), parsed, context)
        threads.submit(tell, context, respond, client)
        return answer

    app.use(ours_only)
