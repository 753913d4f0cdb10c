"""Who acts must be of our workspace. Ids of people are certain only within theirs, so before anything else of a click,
form or command is looked at, its workspace is."""

from collections.abc import Callable
from concurrent.futures import Executor

from slack_bolt import App, BoltContext, BoltResponse, Respond
from slack_sdk import WebClient

from bot.slack.inbound.payloads import Body
from bot.slack.inbound.replies import tell
from core.errors import NotAllowed

ELSEWHERE = "People from other workspaces can't act here."

Refuse = Callable[[Exception, Body, BoltContext], BoltResponse]


def let_in_only_ours(app: App, refuse: Refuse, threads: Executor) -> None:
    """Others are answered by `refuse`; what it notes is told after the acknowledgement."""

    def ours_only(
        body: Body, context: BoltContext, respond: Respond, client: WebClient, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        known = context.authorize_result
        if known is None or not is_from_elsewhere(body, str(known.team_id)):
            return next()
        answer = refuse(NotAllowed(ELSEWHERE), body, context)
        threads.submit(tell, context, respond, client)
        return answer

    app.use(ours_only)


def is_from_elsewhere(body: Body, team: str) -> bool:
    """Whether an act says that it is another workspace's. Events do not say whose they are; there the ids of people and
    messages decide."""
    if body.get("type") == "event_callback":
        return False
    user, place = body.get("user"), body.get("team")
    stated = user.get("team_id") if isinstance(user, dict) else None
    stated = stated or (place.get("id") if isinstance(place, dict) else None) or body.get("team_id")
    return stated is not None and stated != team
