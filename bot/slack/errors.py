"""What a call to Slack that failed means for the message: when to try again, or what somebody has to mend first."""

from dataclasses import dataclass
from http.client import HTTPException

from slack_sdk.errors import SlackApiError

from bot.runtime.retry_after import seconds_asked

# Somebody has to let the bot into the channel, or take that out of the archive.
CHANNEL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "no_permission",
        "posting_to_channel_denied",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_non_threadable_channel",
    }
)
# Somebody has to give this process another token.
TOKEN = frozenset(
    {
        "token_revoked",
        "token_expired",
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
# A message that Slack never takes as it is, or a scope without which it takes none of this kind.
MESSAGE = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_too_long",
        "msg_blocks_too_long",
        "metadata_too_large",
        "no_text",
        "missing_scope",
    }
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout"})
MOST_DETAIL = 500
LATER = frozenset({"ratelimited", "rate_limited"})


CONNECTION = (OSError, HTTPException)  # it failed, timed out, or broke off in the middle of an answer


class UnsureError(OSError):
    """Whether an earlier attempt was heard could not be found out; `cause` is what went wrong in asking."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__} while looking for it")
        self.cause = cause


class NotYetError(OSError):
    """Something else has to be said first; try again soon."""


@dataclass(frozen=True)
class Failure:
    """What went wrong, sorted by what to do about it."""

    reason: str
    retry_after: float | None = None  # seconds, where Slack said
    permanent: bool = False  # this message is given up
    gone: bool = False  # the message that was to be redrawn is not there any more
    unknown: bool = False  # Slack may have taken it
    detail: str = ""  # where in the message Slack found fault: places, never its text

    @property
    def of_channel(self) -> bool:
        return self.reason in CHANNEL

    @property
    def of_token(self) -> bool:
        return self.reason in TOKEN


def sorted_failure(error: Exception) -> Failure:
    """Of an answer of Slack, of a connection that failed, or of anything else, which gives the message up."""
    if isinstance(error, UnsureError):
        cause = sorted_failure(error.cause)
        return Failure(cause.reason, cause.retry_after, permanent=cause.permanent, unknown=True)
    if isinstance(error, NotYetError):
        return Failure(str(error))
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, CONNECTION):
        return Failure(type(error).__name__, unknown=True)
    return Failure(str(error), permanent=True)


def _of_answer(error: SlackApiError) -> Failure:
    response = error.response
    reason = str(response.get("error") or f"http_{response.status_code}")
    if response.status_code == 429 or reason in LATER:
        asked = seconds_asked(response.headers.get("Retry-After"))
        return Failure(reason, retry_after=float(1 if asked is None else asked))
    unknown = response.status_code >= 500 or reason in PERHAPS_DONE
    detail = str((response.get("response_metadata") or {}).get("messages") or "")[:MOST_DETAIL]
    return Failure(reason, permanent=reason in MESSAGE, gone=reason in GONE, unknown=unknown, detail=detail)
