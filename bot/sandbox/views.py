"""Modals and Home tabs: triggers, the stack of three, hashes, and entered values that survive an update."""

from bot.sandbox.blocks import complete_texts, completed
from bot.sandbox.config import AppConfig
from bot.sandbox.entries import kept
from bot.sandbox.errors import SlackError
from bot.sandbox.limits import check_view
from bot.sandbox.wire import Json, dicts
from bot.sandbox.workspace import Trigger, View, Workspace, random_text

STACK_MOST = 3  # views on top of each other
TRIGGER_SECONDS = 3.0  # docs.slack.dev interactivity/handling-user-interaction


def new_trigger(workspace: Workspace, app: AppConfig, person: str, view: str | None = None) -> str:
    identity = f"{workspace.seconds()}.{random_text(10)}.{random_text(24).lower()}"
    workspace.triggers[identity] = Trigger(app.id, person, workspace.clock.now() + TRIGGER_SECONDS, view=view)
    return identity


def use_trigger(workspace: Workspace, app: AppConfig, identity: str) -> Trigger:
    """Uses up a trigger. Raises invalid_trigger_id, exchanged_trigger_id (used before), expired_trigger_id (older than
    3 s)."""
    trigger = workspace.triggers.get(identity)
    if trigger is None or trigger.app != app.id:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if workspace.clock.now() > trigger.expires:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    return trigger


def open_view(workspace: Workspace, app: AppConfig, trigger_id: str, body: Json) -> View:
    """Opens a first modal; it replaces one that was open."""
    checked = checked_body(workspace, app, body, "modal")
    trigger = use_trigger(workspace, app, trigger_id)
    view = made_view(workspace, app, trigger.person, checked)
    workspace.modals[trigger.person] = [view]
    _tell(workspace, view, "opened")
    return view


def push_view(workspace: Workspace, app: AppConfig, trigger_id: str, body: Json) -> View:
    """Opens a modal on top of the open one. Raises push_limit_reached above three."""
    checked = checked_body(workspace, app, body, "modal")
    trigger = use_trigger(workspace, app, trigger_id)
    return push_onto(workspace, app, trigger.person, checked)


def push_onto(workspace: Workspace, app: AppConfig, person: str, checked: Json) -> View:
    stack = workspace.modals.get(person, [])
    if not stack or stack[-1].app.id != app.id:
        raise SlackError("not_found")
    if len(stack) >= STACK_MOST:
        raise SlackError("push_limit_reached")
    view = made_view(workspace, app, person, checked, stack[-1])
    stack.append(view)
    _tell(workspace, view, "opened")
    return view


def update_view(
    workspace: Workspace, app: AppConfig, view_id: str | None, external_id: str | None, hash_: str | None, body: Json
) -> View:
    """Replaces a view. Raises not_found if the view is gone, and hash_conflict if it has changed since `hash_` was
    given."""
    view = find_view(workspace, app, view_id, external_id)
    if hash_ and hash_ != view.hash:
        raise SlackError("hash_conflict")
    checked = checked_body(workspace, app, body, view.body["type"], view)
    redraw(workspace, view, checked)
    return view


def find_view(workspace: Workspace, app: AppConfig, view_id: str | None, external_id: str | None) -> View:
    shown = [view for stack in workspace.modals.values() for view in stack] + list(workspace.homes.values())
    for view in shown:
        if view.app.id != app.id:
            continue
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


def redraw(workspace: Workspace, view: View, checked: Json) -> None:
    view.body = checked
    view.hash = new_hash(workspace)
    view.chosen = kept(checked["blocks"], view.chosen)
    _tell(workspace, view, "updated")


def publish_home(workspace: Workspace, app: AppConfig, person: str, hash_: str | None, body: Json) -> View:
    """Publishes the Home tab of one person."""
    checked = checked_body(workspace, app, body, "home")
    current = workspace.homes.get((app.id, person))
    if current is None:
        current = workspace.homes[app.id, person] = made_view(workspace, app, person, checked)
    else:
        if hash_ and hash_ != current.hash:
            raise SlackError("hash_conflict")
        current.body, current.hash = checked, new_hash(workspace)
        current.chosen = kept(checked["blocks"], current.chosen)
    workspace.on_change("home", {"app": app.id, "view": current.id}, person, None)
    return current


def close_top(workspace: Workspace, person: str) -> None:
    stack = workspace.modals.get(person, [])
    view = stack.pop()
    _tell(workspace, view, "closed")


def clear_stack(workspace: Workspace, person: str) -> list[View]:
    """Closes all modals of a person; returns those that were open, the top one first."""
    stack = workspace.modals.pop(person, [])
    for view in reversed(stack):
        _tell(workspace, view, "closed")
    return list(reversed(stack))


def made_view(workspace: Workspace, app: AppConfig, person: str, checked: Json, below: View | None = None) -> View:
    identity = workspace.new_id("V")
    root, previous = (below.root, below.id) if below else (identity, None)
    return View(identity, app, person, checked, new_hash(workspace), root, previous)


def checked_body(workspace: Workspace, app: AppConfig, body: Json, kind: str, instead: View | None = None) -> Json:
    """A copy of the view as Slack stores it. Raises invalid_arguments, view_too_large, duplicate_external_id."""
    if not isinstance(body, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    check_view(body, kind, workspace.files)
    external = body.get("external_id")
    if external:
        shown = [view for stack in workspace.modals.values() for view in stack] + list(workspace.homes.values())
        if any(
            view.body.get("external_id") == external and view is not instead for view in shown if view.app.id == app.id
        ):
            raise SlackError("duplicate_external_id")
    made = {**body, "blocks": completed(dicts(body.get("blocks")))}
    for name in ("title", "submit", "close"):
        if name in made:
            made[name] = dict(made[name]) if isinstance(made[name], dict) else made[name]
            complete_texts(made[name])
    return made


def new_hash(workspace: Workspace) -> str:
    return f"{workspace.seconds()}.{random_text(8)}"


def _tell(workspace: Workspace, view: View, what: str) -> None:
    workspace.on_change("view", {"view": view.id, "what": what, "app": view.app.id}, view.person, None)
