"""User groups: their members, and the events for a change (docs.slack.dev reference/events/subteam_updated and
subteam_members_changed). A disabled group still exists, but its members are not listed."""

from collections.abc import Sequence

from bot.sandbox.wire import Json
from bot.sandbox.workspace import Group, Workspace


def set_members(workspace: Workspace, group: Group, people: Sequence[str]) -> None:
    """Replaces the members, in this order. Apps receive the members before and after."""
    before, group.members = group.members, list(people)
    previous, group.updated = group.updated, workspace.seconds()
    added = [person for person in group.members if person not in before]
    removed = [person for person in before if person not in group.members]
    changed = {
        "type": "subteam_members_changed",
        "subteam_id": group.id,
        "team_id": workspace.team_id,
        "date_previous_update": previous,
        "date_update": group.updated,
        "added_users": added,
        "added_users_count": str(len(added)),
        "removed_users": removed,
        "removed_users_count": str(len(removed)),
    }
    if added or removed:
        _tell(workspace, changed)
    _tell(workspace, {"type": "subteam_updated", "subteam": group_object(workspace, group, users=True)})


def set_disabled(workspace: Workspace, group: Group, disabled: bool) -> None:
    group.disabled, group.updated = disabled, workspace.seconds()
    _tell(workspace, {"type": "subteam_updated", "subteam": group_object(workspace, group, users=True)})


def group_object(workspace: Workspace, group: Group, users: bool) -> Json:
    """A group as in usergroups.list; with `users` only if requested."""
    made: Json = {
        "id": group.id,
        "team_id": workspace.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.updated if group.disabled else 0,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": str(len(group.members)),
    }
    return made | {"users": list(group.members)} if users else made


def _tell(workspace: Workspace, event: Json) -> None:
    workspace.on_event(event | {"event_ts": workspace.new_ts()}, None, None)
    workspace.on_change("people", {}, None, None)
