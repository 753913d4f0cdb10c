"""The workspace as a person sees it, as JSON for the page and the client."""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.conversations import in_main_list
from bot.sandbox.payloads import file_object, thread_fields, user_object, view_object
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Message, Person, View, Workspace, sees_channel


def messages_seen(workspace: Workspace, person: Person, channel: Channel, thread_ts: str | None) -> list[Message]:
    """The messages of a channel, or of a thread with its parent, that this person sees, oldest first and with ephemeral
    ones."""
    mine = [each for each in channel.ephemerals.values() if each.only_for == person.id]
    everything = [*channel.messages.values(), *mine]
    if thread_ts is None:
        seen = [each for each in everything if in_main_list(each)]
    else:
        parent = [channel.messages[thread_ts]] if thread_ts in channel.messages else []
        seen = parent + channel.replies.get(thread_ts, []) + [each for each in mine if each.thread_ts == thread_ts]
    return sorted(seen, key=lambda each: float(each.ts))


def message_seen(workspace: Workspace, message: Message) -> Json:
    author = workspace.people.get(message.user)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user": message.user,
        "user_name": author.name if author else message.user,
        "app": message.app.id if message.app else None,
        "subtype": message.subtype,
        "inviter": message.inviter,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "ephemeral": message.only_for is not None,
        "reactions": message.reactions,
        "files": [file_object(workspace, workspace.files[each]) for each in message.files],
        "metadata": message.metadata,
        "edited": message.edited is not None,
        "thread": thread_fields(workspace, message),
    }


def view_seen(workspace: Workspace, view: View, depth: int) -> Json:
    return view_object(workspace, view) | {"app": view.app.id, "depth": depth}


def channel_seen(channel: Channel, person: Person, workspace: Workspace) -> Json:
    read = float(channel.read.get(person.id, "0"))
    unread = sum(in_main_list(each) and float(each.ts) > read for each in channel.messages.values())
    title = channel.name
    if channel.im_with is not None:
        other = next((each for each in channel.im_with if each != person.id), person.id)
        title = workspace.people[other].name
    return {
        "id": channel.id,
        "name": title,
        "kind": channel.kind,
        "members": channel.members,
        "is_member": person.id in channel.members,
        "archived": channel.archived,
        "ext_shared": channel.ext_shared,
        "topic": channel.topic,
        "unread": unread if person.id in channel.members else 0,
        "read": channel.read.get(person.id),
    }


def sidebar(sandbox: Sandbox, person: Person) -> Json:
    """The page's data besides messages: channels, direct messages, people, apps, open views."""
    workspace = sandbox.workspace
    stack = workspace.modals.get(person.id, [])
    return {
        "me": user_object(workspace, person),
        "channels": [
            channel_seen(each, person, workspace) for each in workspace.channels.values() if sees_channel(each, person)
        ],
        "people": [user_object(workspace, each) for each in workspace.people.values()],
        "apps": [app_seen(sandbox, each.id) for each in workspace.apps.values()],
        "views": [view_seen(workspace, view, depth) for depth, view in enumerate(stack, start=1)],
        "homes": [app for app, owner in workspace.homes if owner == person.id],
        "welcome": workspace.config.welcome,
        "team": {"id": workspace.team_id, "name": workspace.config.team_name},
    }


def app_seen(sandbox: Sandbox, app_id: str) -> Json:
    app = sandbox.workspace.apps[app_id]
    return {
        "id": app.id,
        "name": app.name,
        "bot_user": app.bot_user,
        "sockets": len(sandbox.sockets.open.get(app.id, [])),
        "request_url": app.request_url,
        "commands": [
            {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
            for each in app.commands
        ],
        "shortcuts": [
            {"callback_id": each.callback_id, "name": each.name or each.callback_id, "type": each.type}
            for each in app.shortcuts
        ],
    }


def everything(sandbox: Sandbox) -> Json:
    """The whole workspace, for tests."""
    workspace = sandbox.workspace
    return {
        "now": sandbox.clock.now(),
        "people": [user_object(workspace, each) | {"kind": each.kind} for each in workspace.people.values()],
        "channels": [
            {
                "id": each.id,
                "name": each.name,
                "kind": each.kind,
                "members": each.members,
                "archived": each.archived,
                "messages": [message_seen(workspace, message) for message in each.messages.values()],
            }
            for each in workspace.channels.values()
        ],
        "apps": [app_seen(sandbox, each) for each in workspace.apps],
        "modals": {
            who: [view_seen(workspace, view, depth) for depth, view in enumerate(stack, start=1)]
            for who, stack in workspace.modals.items()
        },
        "files": [file_object(workspace, each) for each in workspace.files.values()],
        "rates": sandbox.rates.on,
        "events": sandbox.events.mode,
        "faults": {
            name: [fault.kind for fault in waiting] for name, waiting in sandbox.faults.waiting.items() if waiting
        },
    }


def refusal(error: SlackError) -> str:
    """An error code as a sentence for people."""
    messages = error.extra.get("response_metadata", {}).get("messages", [])
    return f"Slack rejects this: {error.code}" + (f" ({'; '.join(messages)})" if messages else "")
