"""The check that a request comes from this workspace. Ids of people are unique only within a workspace, so this check
comes before every other one.

On Enterprise Grid, an event about the whole organisation names the organisation in place of a workspace."""

from collections.abc import Callable

from slack_bolt import App, BoltContext, BoltResponse

from bot.slack.inbound import payloads
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.refusals import Refuse
from core.errors import NotAllowed

ELSEWHERE = "People from other workspaces can't act here."


def register(app: App, refuse: Refuse) -> None:
    """Others are answered by `refuse`."""

    def ours_only(parsed: Payload, context: BoltContext, next: Callable[[], BoltResponse]) -> BoltResponse:
        known = context.authorize_result
        ours = {None, known.team_id} if known else {payloads.team(parsed)}
        if known and parsed.type == "event_callback":
            ours.add(known.enterprise_id)
        return next() if payloads.team(parsed) in ours else refuse(NotAllowed(ELSEWHERE), parsed)

    app.use(ours_only)
