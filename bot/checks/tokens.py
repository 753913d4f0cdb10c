"""Who we are to Slack: tokens, scopes, the way by which Slack reaches us, and its clock beside ours."""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from slack_sdk import WebClient

from bot.checks.answers import Answer, answered
from bot.checks.finding import Finding, Findings, bad, good, note
from bot.runtime.settings import Settings
from bot.slack.errors import operator_remedy
from bot.slack.manifest import manifest

MOST_SECONDS = 60  # between Slack's clock and ours; requests that seem older than five minutes are refused


def bot_token(slack: WebClient) -> Generator[Finding, None, Answer | None]:
    """Returns what Slack says of the token, if it is good."""
    answer = answered("bot token", slack.auth_test)
    if isinstance(answer, Finding):
        yield answer
        return None
    if not answer.get("bot_id"):
        yield bad("bot token", "This is a person's token.", "SLACK_BOT_TOKEN is the one that begins with xoxb-.")
        return None
    yield good("bot token", f"{answer['user']} in {answer['team']}")
    return answer


def scopes(auth: Answer, groups: bool = False) -> Findings:
    """Against the manifest, as far as Slack tells which the token has. groups: the policy names user groups."""
    told = header(auth.headers, "x-oauth-scopes")
    if not told:
        yield note("scopes", "Slack did not say which scopes the token has.")
        return
    wanted = set(manifest(groups)["oauth_config"]["scopes"]["bot"])
    have = {scope.strip() for scope in told.split(",")}
    if wanted - have:
        yield bad("scopes", f"missing: {', '.join(sorted(wanted - have))}", operator_remedy("missing_scope", groups))
    elif have - wanted:
        words = f"more than needed: {', '.join(sorted(have - wanted))}"
        yield note("scopes", words, "Take them away; the manifest names what is used.")
    else:
        yield good("scopes", "those of the manifest")


def clock_of_slack(auth: Answer, clock: Callable[[], datetime]) -> Findings:
    told = header(auth.headers, "date")
    if not told:
        return
    apart = abs((clock() - parsedate_to_datetime(told)).total_seconds())
    if apart > MOST_SECONDS:
        yield bad("clock", f"{apart:.0f} s apart from Slack's.", "Let this machine keep time by NTP.")
    else:
        yield good("clock", "as Slack's")


def connection(slack: WebClient, settings: Settings, address_is_tried: bool = False) -> Findings:
    """The app token is tried; a signing secret can only be tried from outside (`goldloop doctor --url`)."""
    app_token = settings.slack_app_token.get_secret_value()
    secret = settings.slack_signing_secret.get_secret_value()
    if not app_token and not secret:
        words = "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set."
        yield bad("connection", words, "Set one of them; docs/slack.md says where to find it.")
    elif not app_token and address_is_tried:
        yield good("connection", f"HTTP at port {settings.port}")
    elif not app_token:
        yield note("connection", f"HTTP at port {settings.port}", "To try it: `goldloop doctor --url https://…`.")
    else:
        answer = answered("app token", lambda: slack.apps_connections_open(app_token=app_token))
        yield _app_token_refused(answer) if isinstance(answer, Finding) else good("app token", "opens a socket")
        if secret:
            yield note("connection", "Socket Mode; SLACK_SIGNING_SECRET is not used.", "Unset one of the two.")


def _app_token_refused(finding: Finding) -> Finding:
    if "invalid_auth" not in finding.words:
        return finding
    remedy = "Make one with connections:write (Basic Information, App-Level Tokens) and set SLACK_APP_TOKEN."
    return bad(finding.subject, finding.words, remedy)


def header(headers: Mapping[str, str], name: str) -> str:
    """Slack and its stand-ins spell them differently."""
    return next((value for key, value in headers.items() if key.lower() == name), "")
