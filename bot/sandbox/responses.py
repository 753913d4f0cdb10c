"""Answers of an app to an interaction: by its response_url, or in the acknowledgement of a slash command.

A response_url accepts 5 answers within 30 minutes (docs.slack.dev, interactivity/handling-user-interaction). It can
post where the bot itself could not, and posts ephemerally by default.
"""

from bot.sandbox.blocks import complete_texts
from bot.sandbox.config import AppConfig
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import check_content, delete_message, post_message, update_message
from bot.sandbox.wire import Json, dicts
from bot.sandbox.workspace import Channel, Message, ResponseUrl, Workspace, random_text

USES = 5
SECONDS = 30 * 60


def new_response_url(
    workspace: Workspace,
    app: AppConfig,
    person: str,
    channel: str,
    message: str | None = None,
    thread_ts: str | None = None,
) -> str:
    token = f"{workspace.seconds()}{random_text(24)}"
    expires = workspace.clock.now() + SECONDS
    workspace.response_urls[token] = ResponseUrl(app, person, channel, expires, USES, message, thread_ts)
    return f"{workspace.base_url}/response/{token}"


def respond(workspace: Workspace, token: str, body: Json) -> None:
    """Raises expired_url, used_url or the message's own error. Only successful answers count as uses."""
    address = workspace.response_urls.get(token)
    if address is None or workspace.clock.now() > address.expires:
        raise SlackError("expired_url")
    if address.left <= 0:
        raise SlackError("used_url")
    apply(workspace, address, body)
    address.left -= 1


def apply(workspace: Workspace, address: ResponseUrl, body: Json) -> None:
    channel = workspace.channels[address.channel]
    original = _original(channel, address)
    if body.get("delete_original"):
        if original is None:
            raise SlackError("message_not_found")
        delete_message(workspace, channel, original)
    elif body.get("replace_original") and original is not None:
        _replace(workspace, channel, original, body)
    else:
        _post(workspace, channel, address, body)


def _original(channel: Channel, address: ResponseUrl) -> Message | None:
    if address.message is None:
        return None
    return channel.messages.get(address.message) or channel.ephemerals.get(address.message)


def _replace(workspace: Workspace, channel: Channel, original: Message, body: Json) -> None:
    blocks = dicts(body.get("blocks"))
    complete_texts(blocks)
    text = str(body.get("text") or "")
    if not text and not blocks and not body.get("attachments"):
        raise SlackError("no_text")
    update_message(workspace, channel, original, text, blocks, dicts(body.get("attachments")), body.get("metadata"))


def _post(workspace: Workspace, channel: Channel, address: ResponseUrl, body: Json) -> None:
    app = address.app
    draft = Message(
        channel.id,
        "",
        app.bot_user,
        str(body.get("text") or ""),
        dicts(body.get("blocks")),
        dicts(body.get("attachments")),
        app,
        body.get("thread_ts"),
        metadata=body.get("metadata"),
    )
    if body.get("response_type") == "in_channel":
        post_message(workspace, channel, draft)
        return
    draft.thread_ts = draft.thread_ts or address.thread_ts
    checked = check_content(workspace, draft)
    checked.ts, checked.only_for = workspace.new_ts(), address.person
    channel.ephemerals[checked.ts] = checked
    workspace.on_change("ephemeral", {"channel": channel.id, "ts": checked.ts}, address.person, channel)
