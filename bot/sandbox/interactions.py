"""The payloads of interactions as docs.slack.dev reference/interaction-payloads shows them."""

from bot.sandbox.config import AppConfig
from bot.sandbox.entries import state_values
from bot.sandbox.payloads import message_object, view_object
from bot.sandbox.responses import new_response_url
from bot.sandbox.views import new_trigger
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Message, Person, View, Workspace


def common(workspace: Workspace, app: AppConfig, person: Person, kind: str) -> Json:
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "team": {"id": workspace.team_id, "domain": workspace.config.team_domain},
        "api_app_id": app.id,
        "token": "sandbox",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_field(channel: Channel) -> Json:
    hidden = {"private": "privategroup", "im": "directmessage"}
    return {"id": channel.id, "name": hidden.get(channel.kind, channel.name)}


def message_actions(workspace: Workspace, app: AppConfig, person: Person, message: Message, action: Json) -> Json:
    """block_actions of a message. An ephemeral one is named by its container only; Slack leaves out its content."""
    channel = workspace.channels[message.channel]
    ephemeral = message.only_for is not None
    chosen = workspace.choices.get((person.id, channel.id, message.ts), {})
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = common(workspace, app, person, "block_actions") | {
        "container": container,
        "trigger_id": new_trigger(workspace, app, person.id),
        "channel": channel_field(channel),
        "state": {"values": state_values(message.blocks, chosen)},
        "response_url": new_response_url(workspace, app, person.id, channel.id, message.ts, message.thread_ts),
        "actions": [action],
    }
    if not ephemeral:
        payload["message"] = message_object(workspace, message, metadata=True)
    return payload


def view_actions(workspace: Workspace, person: Person, view: View, action: Json) -> Json:
    """block_actions of a modal or Home tab."""
    shown = view_object(workspace, view)
    modal = view.id if view.body["type"] == "modal" else None
    return common(workspace, view.app, person, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": new_trigger(workspace, view.app, person.id, modal),
        "view": shown,
        "state": shown["state"],
        "actions": [action],
    }


def suggestion(
    workspace: Workspace, app: AppConfig, person: Person, place: Message | View, block: Json, element: Json, query: str
) -> Json:
    payload = common(workspace, app, person, "block_suggestion") | {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "value": query,
    }
    if isinstance(place, View):
        return payload | {"container": {"type": "view", "view_id": place.id}, "view": view_object(workspace, place)}
    channel = workspace.channels[place.channel]
    ephemeral = place.only_for is not None
    container = {"type": "message", "message_ts": place.ts, "channel_id": channel.id, "is_ephemeral": ephemeral}
    payload |= {"container": container, "channel": channel_field(channel)}
    if not ephemeral:
        payload["message"] = message_object(workspace, place, metadata=True)
    return payload


def submission(workspace: Workspace, person: Person, view: View, urls: list[Json]) -> Json:
    return common(workspace, view.app, person, "view_submission") | {
        "trigger_id": new_trigger(workspace, view.app, person.id, view.id),
        "view": view_object(workspace, view),
        "response_urls": urls,
    }


def closing(workspace: Workspace, person: Person, view: View, cleared: bool) -> Json:
    return common(workspace, view.app, person, "view_closed") | {
        "view": view_object(workspace, view),
        "is_cleared": cleared,
    }


def message_shortcut(workspace: Workspace, app: AppConfig, person: Person, callback_id: str, message: Message) -> Json:
    channel = workspace.channels[message.channel]
    return common(workspace, app, person, "message_action") | {
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
        "trigger_id": new_trigger(workspace, app, person.id),
        "response_url": new_response_url(workspace, app, person.id, channel.id, None, message.thread_ts),
        "message_ts": message.ts,
        "channel": channel_field(channel),
        "message": message_object(workspace, message, metadata=True),
    }


def global_shortcut(workspace: Workspace, app: AppConfig, person: Person, callback_id: str) -> Json:
    return common(workspace, app, person, "shortcut") | {
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
        "trigger_id": new_trigger(workspace, app, person.id),
    }


def slash_command(
    workspace: Workspace, app: AppConfig, person: Person, channel: Channel, command: str, text: str
) -> Json:
    """Form fields, all of them text, over HTTP and Socket Mode alike."""
    return {
        "token": "sandbox",
        "team_id": workspace.team_id,
        "team_domain": workspace.config.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_field(channel)["name"],
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
        "response_url": new_response_url(workspace, app, person.id, channel.id),
        "trigger_id": new_trigger(workspace, app, person.id),
    }
