"""The app's access to Slack: tokens, scopes, the connection, and Slack's clock compared with this machine's."""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from slack_sdk import WebClient

from bot.checks.answers import Answer, answered
from bot.checks.finding import Finding, Findings, bad, good, note
from bot.runtime.settings import Settings
from bot.slack.errors import operator_remedy
from bot.slack.manifest import manifest

MAX_CLOCK_SKEW = 60  # seconds; requests that look older than five minutes are rejected


def bot_token(slack: WebClient) -> Generator[Finding, None, Answer | None]:
    """Check the bot token. Returns Slack's answer about it, or None if it is not usable."""
    answer = answered("bot token", slack.auth_test)
    if isinstance(answer, Finding):
        yield answer
        return None
    if not answer.get("bot_id"):
        yield bad(
            "bot token",
            "This is a user token, not a bot token.",
            "Set SLACK_BOT_TOKEN to the token that begins with xoxb-.",
        )
        return None
    yield good("bot token", f"{answer['user']} in {answer['team']}")
    return answer


def scopes(auth: Answer, groups: bool = False) -> Findings:
    """Compare the token's scopes with the manifest. groups: the policy uses user groups, which need one more scope."""
    told = header(auth.headers, "x-oauth-scopes")
    if not told:
        yield note("scopes", "Slack did not report the token's scopes.")
        return
    wanted = set(manifest(groups)["oauth_config"]["scopes"]["bot"])
    have = {scope.strip() for scope in told.split(",")}
    if wanted - have:
        yield bad("scopes", f"Missing: {', '.join(sorted(wanted - have))}.", operator_remedy("missing_scope", groups))
    elif have - wanted:
        words = f"Not needed: {', '.join(sorted(have - wanted))}."
        yield note("scopes", words, "Remove them from the app; `goldloop manifest` lists the scopes in use.")
    else:
        yield good("scopes", "as in the manifest")


def clock_of_slack(auth: Answer, clock: Callable[[], datetime]) -> Findings:
    told = header(auth.headers, "date")
    if not told:
        return
    apart = abs((clock() - parsedate_to_datetime(told)).total_seconds())
    if apart > MAX_CLOCK_SKEW:
        yield bad("clock", f"It differs from Slack's by {apart:.0f} s.", "Synchronise this machine's clock with NTP.")
    else:
        yield good("clock", "agrees with Slack's")


def connection(slack: WebClient, settings: Settings, address_is_tested: bool = False) -> Findings:
    """Test the app token. A signing secret can only be tested from outside (`goldloop doctor --url`)."""
    app_token = settings.slack_app_token.get_secret_value()
    secret = settings.slack_signing_secret.get_secret_value()
    if not app_token and not secret:
        words = "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set."
        yield bad("connection", words, "Set one of them; see `goldloop docs slack`.")
    elif not app_token and address_is_tested:
        yield good("connection", f"HTTP on port {settings.port}")
    elif not app_token:
        yield note("connection", f"HTTP on port {settings.port}", "To test it, run `goldloop doctor --url https://…`.")
    else:
        answer = answered("app token", lambda: slack.apps_connections_open(app_token=app_token))
        yield (
            _app_token_refused(answer)
            if isinstance(answer, Finding)
            else good("app token", "Slack accepts it for Socket Mode")
        )
        if secret:
            yield note("connection", "Socket Mode is used; SLACK_SIGNING_SECRET is ignored.", "Unset one of the two.")


def _app_token_refused(finding: Finding) -> Finding:
    if "invalid_auth" not in finding.words:
        return finding
    remedy = "Create a token with connections:write (Basic Information, App-Level Tokens), and set SLACK_APP_TOKEN."
    return bad(finding.subject, finding.words, remedy)


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, by its lower-case name: Slack and its stand-ins differ in case."""
    return next((value for key, value in headers.items() if key.lower() == name), "")
