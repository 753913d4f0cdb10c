"""views.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call
from bot.sandbox.payloads import view_object
from bot.sandbox.views import open_view, publish_home, push_view, update_view
from bot.sandbox.wire import Json


def open_(call: Call) -> Json:
    return {"view": view_object(call.workspace, open_view(call.workspace, call.app, _trigger(call), _body(call)))}


def push(call: Call) -> Json:
    return {"view": view_object(call.workspace, push_view(call.workspace, call.app, _trigger(call), _body(call)))}


def update(call: Call) -> Json:
    arguments = call.arguments
    view = update_view(
        call.workspace,
        call.app,
        arguments.text("view_id"),
        arguments.text("external_id"),
        arguments.text("hash"),
        _body(call),
    )
    return {"view": view_object(call.workspace, view)}


def publish(call: Call) -> Json:
    person = call.workspace.people.get(call.arguments.text("user_id") or "")
    if person is None or person.kind in ("bot", "deactivated"):
        raise SlackError("user_not_found")
    view = publish_home(call.workspace, call.app, person.id, call.arguments.text("hash"), _body(call))
    return {"view": view_object(call.workspace, view)}


def _body(call: Call) -> Json:
    return call.arguments.object("view", "invalid_arguments") or {}


def _trigger(call: Call) -> str:
    trigger = call.arguments.text("trigger_id") or call.arguments.text("interactivity_pointer")
    if not trigger:
        raise SlackError(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: trigger_id"]}
        )
    return trigger


METHODS = {"views.open": open_, "views.push": push, "views.update": update, "views.publish": publish}
