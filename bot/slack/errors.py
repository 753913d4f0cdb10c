"""Slack's errors: what each means for a message, when to try again, and what people have to do first."""

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
    """What an error of Slack means for the message that caused it."""

    CHANNEL = enum.auto()  # the bot has to be let into the channel, or the channel out of the archive
    PERSON = enum.auto()  # the person has left, or takes no direct messages of bots
    TOKEN = enum.auto()  # this process needs another token
    MESSAGE = enum.auto()  # Slack never takes this message, or none of its kind without another scope
    GONE = enum.auto()  # the message that was to be redrawn is not there any more
    PERHAPS_DONE = enum.auto()  # Slack may have taken it
    LATER = enum.auto()  # Slack asks to wait
    OTHER = enum.auto()


@dataclass(frozen=True)
class Known:
    """An error of Slack. operator: what to do, for the terminal; leads: what leads read of a channel that is blocked.
    Empty: nothing more is known than Slack's word."""

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

CONNECTION = (OSError, HTTPException)  # it failed, timed out, or broke off in the middle of an answer


class UnsureError(OSError):
    """It could not be found out whether an earlier attempt arrived; `cause` is the error of the query."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__} while looking for it")
        self.cause = cause


class PersonGoneError(Exception):
    """The person to whom a notice is addressed has left the workspace, or cannot be written to."""


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
    early: bool = False  # another message has to be there first: nothing went wrong
    detail: str = ""  # where in the message Slack found fault: places, never its text

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
    """What the operator can do; empty where that is not known. groups: the policy names user groups, which need scopes
    of their own."""
    remedy = KNOWN[word].operator if word in KNOWN else ""
    return remedy.replace(MANIFEST, "`goldloop manifest --groups`") if groups else remedy


def leads_remedy(word: str) -> str:
    """What the leads of a blocked channel can do."""
    known = KNOWN.get(word)
    return known.leads if known and known.leads else f"{READ_ONLY} (Slack says {word}.)"


def sorted_failure(error: Exception) -> Failure:
    """The failure for an error answer of Slack, a failed connection, or any other error, which gives the message up."""
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
