"""Slack's errors: the meaning of each for a message, when to try again, and what people have to do first."""

import enum
from dataclasses import dataclass
from http.client import HTTPException

from slack_sdk.errors import SlackApiError

from bot.runtime.retry_after import seconds_asked

MOST_DETAIL = 500

COPY_IT = "Copy the bot token from the app's page (OAuth & Permissions) into SLACK_BOT_TOKEN."
INSTALL_AGAIN = f"Install the app again. {COPY_IT}"
MANIFEST = "`goldloop manifest`"
INVITE = "Invite me there: `/invite @goldloop`."
UNARCHIVE = "Unarchive the channel, or name another one in the policy."
ALLOW = "Let the bot post there, in the channel's settings."
READ_ONLY = "I may not post there. Allow it in the channel's settings, or name another one in the policy."
OUR_FAULT = "This is a bug in Goldloop: the log has Slack's explanation. Upgrade to the newest release."


class Kind(enum.Enum):
    """The meaning of an error of Slack for the message that caused it."""

    CHANNEL = enum.auto()  # the bot must be invited to the channel, or the channel unarchived
    PERSON = enum.auto()  # the person has left, or takes no direct messages of bots
    TOKEN = enum.auto()  # this process needs a valid token
    MESSAGE = enum.auto()  # Slack will never accept this message, or none of its kind without a further scope
    GONE = enum.auto()  # the message to update was deleted
    PERHAPS_DONE = enum.auto()  # Slack may have accepted the message
    LATER = enum.auto()  # Slack asks to wait
    OTHER = enum.auto()


@dataclass(frozen=True)
class Known:
    """An error of Slack. operator: what to do, for the terminal; leads: the sentence for the leads of a blocked
    channel. Empty: nothing is known beyond Slack's code."""

    kind: Kind
    operator: str = ""
    leads: str = ""


KNOWN: dict[str, Known] = {
    "not_in_channel": Known(Kind.CHANNEL, "Invite the bot to the channel.", f"I'm not in the channel. {INVITE}"),
    "channel_not_found": Known(
        Kind.CHANNEL,
        "Check the channel's id in the policy, and invite the bot.",
        f"Slack doesn't know the channel, or I'm not in it. {INVITE}",
    ),
    "is_archived": Known(Kind.CHANNEL, UNARCHIVE, f"The channel is archived. {UNARCHIVE}"),
    "is_inactive": Known(Kind.CHANNEL, UNARCHIVE, f"The channel is archived. {UNARCHIVE}"),
    "no_permission": Known(Kind.CHANNEL, ALLOW),
    "posting_to_channel_denied": Known(Kind.CHANNEL, ALLOW),
    "restricted_action": Known(Kind.CHANNEL, ALLOW),
    "restricted_action_read_only_channel": Known(Kind.CHANNEL, ALLOW),
    "restricted_action_non_threadable_channel": Known(Kind.CHANNEL, ALLOW),
    "token_revoked": Known(Kind.TOKEN, INSTALL_AGAIN),
    "token_expired": Known(Kind.TOKEN, f"Turn token rotation off, as the manifest says. {COPY_IT}"),
    "account_inactive": Known(Kind.TOKEN, INSTALL_AGAIN),
    "invalid_auth": Known(Kind.TOKEN, COPY_IT),
    "not_authed": Known(Kind.TOKEN, COPY_IT),
    "org_login_required": Known(Kind.TOKEN),
    "ekm_access_denied": Known(Kind.TOKEN),
    "team_access_not_granted": Known(Kind.TOKEN),
    "invalid_blocks": Known(Kind.MESSAGE, OUR_FAULT),
    "invalid_blocks_format": Known(Kind.MESSAGE, OUR_FAULT),
    "msg_too_long": Known(Kind.MESSAGE, OUR_FAULT),
    "msg_blocks_too_long": Known(Kind.MESSAGE, OUR_FAULT),
    "metadata_too_large": Known(Kind.MESSAGE, OUR_FAULT),
    "no_text": Known(Kind.MESSAGE, OUR_FAULT),
    "missing_scope": Known(
        Kind.MESSAGE, f"Bring the app's scopes up to {MANIFEST}, install it again, and use the new token."
    ),
    "message_not_found": Known(Kind.GONE),
    "cant_update_message": Known(Kind.GONE),
    "cant_delete_message": Known(Kind.GONE),
    "edit_window_closed": Known(Kind.GONE),
    "internal_error": Known(Kind.PERHAPS_DONE),
    "fatal_error": Known(Kind.PERHAPS_DONE),
    "request_timeout": Known(Kind.PERHAPS_DONE),
    "ratelimited": Known(Kind.LATER, "Slack is limiting our requests. Run this again in a minute."),
    "rate_limited": Known(Kind.LATER, "Slack is limiting our requests. Run this again in a minute."),
    "not_allowed_token_type": Known(
        Kind.OTHER, "SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-; they may be swapped."
    ),
    "user_disabled": Known(Kind.PERSON),
    "user_not_found": Known(Kind.PERSON),
    "users_not_found": Known(Kind.PERSON),
    "cannot_dm_bot": Known(Kind.PERSON),
    "messages_tab_disabled": Known(Kind.PERSON),
    "plan_upgrade_required": Known(
        Kind.OTHER, "Your plan has no user groups: name people by id in the policy instead."
    ),
}

CONNECTION = (OSError, HTTPException)  # the connection failed, timed out, or ended within an answer


class UnsureError(OSError):
    """It is unknown whether an earlier attempt arrived; `cause` is the error of the query."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__} while looking for it")
        self.cause = cause


class PersonGoneError(Exception):
    """The person to whom a notice is addressed has left the workspace, or cannot be written to."""


class NotYetError(OSError):
    """Another message has to be sent first; try again soon."""


@dataclass(frozen=True)
class Failure:
    """A failed delivery, classified by what to do about it."""

    reason: str
    retry_after: float | None = None  # seconds, if Slack gave them
    permanent: bool = False  # the message is given up
    gone: bool = False  # the message to update was deleted
    unknown: bool = False  # Slack may have accepted the message
    early: bool = False  # another message has to be sent first; this is no error
    detail: str = ""  # the positions in the message that Slack rejects, never its text

    @property
    def of_channel(self) -> bool:
        return kind_of(self.reason) is Kind.CHANNEL

    @property
    def of_token(self) -> bool:
        return kind_of(self.reason) is Kind.TOKEN


def kind_of(word: str) -> Kind:
    return KNOWN[word].kind if word in KNOWN else Kind.OTHER


def words_of(kind: Kind) -> frozenset[str]:
    return frozenset(word for word, known in KNOWN.items() if known.kind is kind)


def operator_remedy(word: str, groups: bool = False) -> str:
    """The remedy for the operator; empty if none is known. groups: whether the policy names user groups, which need
    further scopes."""
    remedy = KNOWN[word].operator if word in KNOWN else ""
    return remedy.replace(MANIFEST, "`goldloop manifest --groups`") if groups else remedy


def leads_remedy(word: str) -> str:
    """The remedy for the leads of a blocked channel."""
    known = KNOWN.get(word)
    return known.leads if known and known.leads else f"{READ_ONLY} (Slack says {word}.)"


def sorted_failure(error: Exception) -> Failure:
    """The failure for an error: an error answer of Slack, a failed connection, or any other one, for which the message
    is given up."""
    if isinstance(error, UnsureError):
        cause = sorted_failure(error.cause)
        return Failure(cause.reason, cause.retry_after, permanent=cause.permanent, unknown=True)
    if isinstance(error, NotYetError):
        return Failure(str(error), early=True)
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, CONNECTION):
        return Failure(type(error).__name__, unknown=True)
    return Failure(str(error), permanent=True)


def _of_answer(error: SlackApiError) -> Failure:
    response = error.response
    reason = str(response.get("error") or f"http_{response.status_code}")
    kind = kind_of(reason)
    if response.status_code == 429 or kind is Kind.LATER:
        asked = seconds_asked(response.headers.get("Retry-After"))
        return Failure(reason, retry_after=float(1 if asked is None else asked))
    unknown = response.status_code >= 500 or kind is Kind.PERHAPS_DONE
    detail = str((response.get("response_metadata") or {}).get("messages") or "")[:MOST_DETAIL]
    permanent, gone = kind is Kind.MESSAGE, kind is Kind.GONE
    return Failure(reason, permanent=permanent, gone=gone, unknown=unknown, detail=detail)
