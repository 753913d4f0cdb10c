"""Messages: posting, changing, deleting, reacting, reading. Each function raises SlackError with Slack's own code."""

import json
import re
from dataclasses import replace

from bot.sandbox.blocks import completed
from bot.sandbox.config import AppConfig
from bot.sandbox.emoji import standard
from bot.sandbox.errors import SlackError
from bot.sandbox.limits import check_message, files_in
from bot.sandbox.payloads import message_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, File, Message, Person, Workspace

TEXT_MOST = 40_000  # longer text is cut when posted
TEXT_UPDATE_MOST = 4_000  # chat.update refuses longer text
BLOCKS_MOST = 13_200  # characters of JSON; undocumented, seen in bolt-js #2509
METADATA_MOST = 16_000  # characters of JSON; Slack publishes no number, so this one is chosen here
ALIASES = {
    "thumbsup": "+1",
    "thumbsdown": "-1",
    "white_tick": "white_check_mark",
    "poop": "hankey",
    "punch": "facepunch",
}


def post_message(workspace: Workspace, channel: Channel, draft: Message) -> Message:
    """Puts a drafted message (its ts is given here) into the channel. Raises is_archived, thread_not_found."""
    if channel.archived:
        raise SlackError("is_archived")
    checked = check_content(workspace, draft)
    if draft.thread_ts is not None:
        checked.thread_ts = parent_of(channel, draft.thread_ts)
    checked.ts = workspace.new_ts()
    channel.messages[checked.ts] = checked
    _show_files(workspace, channel, checked)
    if checked.thread_ts is not None:
        channel.replies.setdefault(checked.thread_ts, []).append(checked)
    if checked.user in workspace.people and workspace.people[checked.user].app is None:
        channel.read[checked.user] = checked.ts
    _tell(workspace, channel, checked, "message")
    workspace.on_event(message_event(workspace, channel, checked), channel, None)
    if checked.app is not None and checked.metadata:
        workspace.on_event(metadata_event(workspace, checked.app, checked), channel, None)
    return checked


def check_content(workspace: Workspace, draft: Message) -> Message:
    """A copy as it will be stored. Raises no_text, invalid_blocks, msg_blocks_too_long, invalid_metadata_*."""
    if not (draft.text or draft.blocks or draft.attachments or draft.files):
        raise SlackError("no_text")
    check_message(draft.blocks, _files_of(workspace, draft))
    if len(draft.attachments) > 100:
        raise SlackError("too_many_attachments")
    if len(json.dumps(draft.blocks, ensure_ascii=False, separators=(",", ":"))) > BLOCKS_MOST:
        raise SlackError("msg_blocks_too_long")
    check_metadata(draft.metadata)
    return replace(draft, text=draft.text[:TEXT_MOST], blocks=completed(draft.blocks))


def _files_of(workspace: Workspace, draft: Message) -> dict[str, File]:
    """The files that a message's author may show: an app may show its own uploads (docs: "the user posting these blocks
    must have access to this file")."""
    if draft.app is None:
        return workspace.files
    return {key: file for key, file in workspace.files.items() if file.app is not None and file.app.id == draft.app.id}


def _show_files(workspace: Workspace, channel: Channel, message: Message) -> None:
    """Makes the files in a message's images visible to everyone who sees the channel. Until then, only its app sees a
    file that was uploaded without a channel."""
    for file_id in files_in(message.blocks):
        stamps = workspace.files[file_id].shares.setdefault(channel.id, [])
        if message.ts not in stamps:
            stamps.append(message.ts)


def check_metadata(metadata: Json | None) -> None:
    if metadata in (None, {}):
        return
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_MOST:
        raise SlackError("metadata_too_large")


def parent_of(channel: Channel, ts: str) -> str:
    found = channel.messages.get(ts)
    if found is None:
        raise SlackError("thread_not_found")
    return found.thread_ts or found.ts


def post_ephemeral(workspace: Workspace, channel: Channel, person: Person, draft: Message) -> Message:
    """Posts a message that only one person sees. Raises user_not_in_channel if the person is not in the channel."""
    if channel.archived:
        raise SlackError("is_archived")
    if person.id not in channel.members or person.kind == "deactivated":
        raise SlackError("user_not_in_channel")
    checked = check_content(workspace, draft)
    checked.ts, checked.only_for = workspace.new_ts(), person.id
    channel.ephemerals[checked.ts] = checked
    workspace.on_change("ephemeral", {"channel": channel.id, "ts": checked.ts}, person.id, channel)
    return checked


def own_message(channel: Channel, ts: str, app: AppConfig, refusal: str) -> Message:
    """A message that this app wrote. Raises message_not_found, or `refusal` if someone else wrote it."""
    found = channel.messages.get(ts)
    if found is None:
        raise SlackError("message_not_found")
    if found.app is None or found.app.id != app.id:
        raise SlackError(refusal)
    return found


def update_message(
    workspace: Workspace,
    channel: Channel,
    message: Message,
    text: str | None,
    blocks: list[Json] | None,
    attachments: list[Json] | None = None,
    metadata: Json | None = None,
) -> Message:
    """Rewrites a message in place. None leaves blocks, attachments or metadata as they are; [] and {} remove them."""
    if text is not None and len(text) > TEXT_UPDATE_MOST:
        raise SlackError("msg_too_long")
    draft = replace(
        message,
        text=message.text if text is None else text,
        blocks=message.blocks if blocks is None else blocks,
        attachments=message.attachments if attachments is None else attachments,
        metadata=message.metadata if metadata is None else (metadata or None),
    )
    checked = check_content(workspace, draft)
    before = message_object(workspace, message)
    message.text, message.blocks, message.attachments = checked.text, checked.blocks, checked.attachments
    message.metadata = checked.metadata
    _show_files(workspace, channel, message)
    if not message.blocks:
        message.edited = {"user": message.user, "ts": workspace.new_ts()}
    if message.only_for is not None:
        workspace.on_change("ephemeral", {"channel": channel.id, "ts": message.ts}, message.only_for, channel)
        return message
    _tell(workspace, channel, message, "changed")
    event = {"message": message_object(workspace, message), "previous_message": before}
    workspace.on_event(_subtype_event(workspace, channel, "message_changed", event), channel, None)
    return message


def delete_message(workspace: Workspace, channel: Channel, message: Message) -> None:
    if message.only_for is not None:
        channel.ephemerals.pop(message.ts, None)
        workspace.on_change("ephemeral", {"channel": channel.id, "ts": message.ts}, message.only_for, channel)
        return
    del channel.messages[message.ts]
    if message.thread_ts is not None:
        channel.replies[message.thread_ts].remove(message)
    _tell(workspace, channel, message, "deleted")
    event = {"deleted_ts": message.ts, "previous_message": message_object(workspace, message)}
    workspace.on_event(_subtype_event(workspace, channel, "message_deleted", event), channel, None)


def reaction_name(workspace: Workspace, given: str) -> str:
    """`:thumbsup::skin-tone-2:` -> `+1::skin-tone-2`; an emoji's first name is reported. Raises invalid_name for what
    is neither a standard emoji nor one of the workspace's own."""
    name, _, tone = given.strip().strip(":").partition("::")
    name = ALIASES.get(name, name)
    known = name in standard() or name in workspace.config.emoji
    if not known or (tone and not re.fullmatch(r"skin-tone-[2-6]", tone)):
        raise SlackError("invalid_name")
    return f"{name}::{tone}" if tone else name


def react(
    workspace: Workspace, channel: Channel, message: Message, person: Person, name: str, event_ts: str | None = None
) -> None:
    """Adds a reaction. Raises already_reacted, invalid_name, is_archived."""
    name = reaction_name(workspace, name)
    if channel.archived:
        raise SlackError("is_archived")
    people = message.reactions.setdefault(name, [])
    if person.id in people:
        raise SlackError("already_reacted")
    people.append(person.id)
    _reaction_event(workspace, channel, message, person, "reaction_added", name, event_ts)


def unreact(
    workspace: Workspace, channel: Channel, message: Message, person: Person, name: str, event_ts: str | None = None
) -> None:
    """Removes a reaction. Raises no_reaction."""
    name = reaction_name(workspace, name)
    people = message.reactions.get(name, [])
    if person.id not in people:
        raise SlackError("no_reaction")
    people.remove(person.id)
    if not people:
        del message.reactions[name]
    _reaction_event(workspace, channel, message, person, "reaction_removed", name, event_ts)


def _reaction_event(
    workspace: Workspace,
    channel: Channel,
    message: Message,
    person: Person,
    kind: str,
    name: str,
    event_ts: str | None,
) -> None:
    _tell(workspace, channel, message, "reaction")
    event = {
        "type": kind,
        "user": person.id,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message.ts},
        "item_user": message.user,
        "event_ts": event_ts or workspace.new_ts(),
    }
    workspace.on_event(event, channel, None)


def message_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    made = message_object(workspace, message, metadata=True)
    kind = {"public": "channel", "private": "group", "im": "im"}[channel.kind]
    return made | {"channel": channel.id, "channel_type": kind, "event_ts": message.ts}


def metadata_event(workspace: Workspace, app: AppConfig, message: Message) -> Json:
    """The event, as in docs.slack.dev reference/events/message_metadata_posted."""
    return {
        "type": "message_metadata_posted",
        "app_id": app.id,
        "bot_id": app.bot_id,
        "user_id": message.user,
        "team_id": workspace.team_id,
        "channel_id": message.channel,
        "metadata": message.metadata,
        "message_ts": message.ts,
        "event_ts": message.ts,
    }


def _subtype_event(workspace: Workspace, channel: Channel, subtype: str, fields: Json) -> Json:
    stamp = workspace.new_ts()
    kind = {"public": "channel", "private": "group", "im": "im"}[channel.kind]
    common = {"channel": channel.id, "hidden": True, "ts": stamp, "event_ts": stamp, "channel_type": kind}
    return {"type": "message", "subtype": subtype} | fields | common


def _tell(workspace: Workspace, channel: Channel, message: Message, kind: str) -> None:
    what = {"channel": channel.id, "ts": message.ts, "thread_ts": message.thread_ts}
    workspace.on_change(kind, what, None, channel)
