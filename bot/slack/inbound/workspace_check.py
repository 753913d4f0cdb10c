"""The check that a request comes from this workspace. Ids of people are unique only within a workspace, so this check
comes before every other one. Votes are checked where they are taken (requests.py).

On Enterprise Grid, an event about the whole organisation names the organisation in place of a workspace."""

from collections.abc import Callable

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware

from bot.slack.inbound import payloads
from bot.slack.inbound.payload_schema import PARSED, Payload
from bot.slack.inbound.refusals import Refuse
from bot.slack.inbound.requests import ELSEWHERE
from core.errors import NotAllowed


def register(app: App, refuse: Refuse) -> None:
    """Register the check. `refuse` answers requests of other workspaces."""
    app.use(_WorkspaceCheck(refuse))


class _WorkspaceCheck(Middleware):
    """A class, not a function: for a function, Bolt gathers the arguments that any listener could have."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse

    def process(self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]) -> BoltResponse:
        parsed: Payload = req.context[PARSED]
        known = req.context.authorize_result
        ours = {None, known.team_id} if known else {payloads.team(parsed)}
        if known and parsed.type == "event_callback":
            ours.add(known.enterprise_id)
        return next() if payloads.team(parsed) in ours else self._refuse(NotAllowed(ELSEWHERE), parsed)
