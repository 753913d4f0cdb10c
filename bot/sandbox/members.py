"""Members of channels and of the workspace, and the events for a change."""

from bot.sandbox.payloads import user_object
from bot.sandbox.workspace import Channel, Person, Workspace


def join(workspace: Workspace, channel: Channel, person: Person, inviter: Person | None = None) -> None:
    """Adds a person to a channel. Repeating it changes nothing."""
    if person.id in channel.members:
        return
    channel.members.append(person.id)
    _membership(workspace, channel, person, "member_joined_channel", inviter)


def leave(workspace: Workspace, channel: Channel, person: Person) -> None:
    if person.id not in channel.members:
        return
    _membership(workspace, channel, person, "member_left_channel", None)
    channel.members.remove(person.id)


def _membership(workspace: Workspace, channel: Channel, person: Person, kind: str, inviter: Person | None) -> None:
    event = {
        "type": kind,
        "user": person.id,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": workspace.team_id,
        "event_ts": workspace.new_ts(),
    }
    if inviter is not None:
        event["inviter"] = inviter.id
    workspace.on_event(event, channel, None)
    workspace.on_change("channel", {"channel": channel.id}, None, channel)


def deactivate(workspace: Workspace, person: Person) -> None:
    """Deactivates an account: its modals close, and it leaves its channels without an event."""
    person.kind = "deactivated"
    person.updated = workspace.seconds()
    workspace.modals.pop(person.id, None)
    for channel in workspace.channels.values():
        if person.id in channel.members and channel.im_with is None:
            channel.members.remove(person.id)
    tell_of_person(workspace, person)


def tell_of_person(workspace: Workspace, person: Person) -> None:
    event = {"type": "user_change", "user": user_object(workspace, person, email=True), "cache_ts": workspace.seconds()}
    workspace.on_event(event | {"event_ts": workspace.new_ts()}, None, None)
    workspace.on_change("people", {"person": person.id}, None, None)


def archive(workspace: Workspace, channel: Channel, person: Person, archived: bool = True) -> None:
    channel.archived = archived
    kind = "channel_archive" if archived else "channel_unarchive"
    kind = kind.replace("channel", "group", 1) if channel.private else kind
    event = {"type": kind, "channel": channel.id, "user": person.id, "event_ts": workspace.new_ts()}
    workspace.on_event(event, channel, None)
    workspace.on_change("channel", {"channel": channel.id}, None, channel)
