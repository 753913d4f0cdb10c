"""Submitting and closing modals: Slack's own checks, then the app's answer: errors, update, push, clear or nothing."""

from dataclasses import replace

from bot.sandbox import acts, interactions
from bot.sandbox.blocks import elements
from bot.sandbox.entries import HELD, form_errors, state_values
from bot.sandbox.errors import Refused, SlackError
from bot.sandbox.outcome import Outcome
from bot.sandbox.responses import new_response_url
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.views import checked_body, clear_stack, close_top, push_onto, redraw
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Person, View

TROUBLE = "We had some trouble connecting. Try again?"


async def submit(sandbox: Sandbox, person: Person, values: Json) -> Outcome:
    """Fills in by block_id (or action_id) and sends the top modal."""
    view = acts.top_modal(sandbox, person)
    blocks = acts.blocks_of(view)
    for name, value in values.items():
        await _fill(sandbox, person, view, name, value)
    errors = form_errors(blocks, state_values(blocks, view.chosen))
    if errors:
        return Outcome(False, error="The form is incomplete.", errors=errors)
    if not view.body.get("submit"):
        raise Refused("This modal has no submit button.")
    payload = interactions.submission(sandbox.workspace, person, view, _response_urls(sandbox, person, view))
    outcome = await sandbox.delivery.interact(view.app, "interactive", payload)
    if not outcome.ok:
        return acts.shown(outcome, TROUBLE)
    return await _obey(sandbox, person, view, outcome)


async def _fill(sandbox: Sandbox, person: Person, view: View, name: str, value: object) -> None:
    for block, element in elements(acts.blocks_of(view)):
        if element.get("type") in HELD and name in (block["block_id"], element["action_id"]):
            state = await acts.entry_of(sandbox, person, view, block, element, value)
            view.chosen.setdefault(block["block_id"], {})[element["action_id"]] = state
            return
    known = ", ".join(block["block_id"] for block, each in elements(acts.blocks_of(view)) if each.get("type") in HELD)
    raise Refused(f"There is no input {name!r} in this modal. Inputs: {known or 'none'}.", 404)


def _response_urls(sandbox: Sandbox, person: Person, view: View) -> list[Json]:
    """A response_url for each conversations or channels select that has response_url_enabled."""
    made = []
    for block, element in elements(acts.blocks_of(view)):
        if element.get("response_url_enabled"):
            state = view.chosen.get(block["block_id"], {}).get(element["action_id"], {})
            channel = state.get(HELD[element["type"]])
            if channel in sandbox.workspace.channels:
                url = new_response_url(sandbox.workspace, view.app, person.id, channel)
                made.append(
                    {
                        "block_id": block["block_id"],
                        "action_id": element["action_id"],
                        "channel_id": channel,
                        "response_url": url,
                    }
                )
    return made


async def _obey(sandbox: Sandbox, person: Person, view: View, outcome: Outcome) -> Outcome:
    workspace, body = sandbox.workspace, outcome.response or {}
    action = body.get("response_action")
    if workspace.modals.get(person.id, [None])[-1] is not view:
        return outcome  # the app has replaced the view meanwhile
    try:
        if action is None:
            close_top(workspace, person.id)
        elif action == "clear":
            await _clear(sandbox, person, without=view)
        elif action == "errors":
            return replace(outcome, errors=_errors(view, body.get("errors")))
        elif action == "update":
            redraw(workspace, view, checked_body(workspace, view.app, body.get("view", {}), "modal", view))
        elif action == "push":
            push_onto(workspace, view.app, person.id, checked_body(workspace, view.app, body.get("view", {}), "modal"))
        else:
            raise SlackError("invalid_response_action")
    except SlackError as error:
        sandbox.inspector.note(
            "note", app=view.app.id, text=f"The answer to the form was refused: {error.code} {error.extra}"
        )
        return replace(outcome, ok=False, error=f"{TROUBLE} ({error.code})")
    return outcome


def _errors(view: View, given: object) -> dict[str, str]:
    """Errors belong to input blocks; anything else makes Slack refuse the whole answer."""
    inputs = {block["block_id"] for block in acts.blocks_of(view) if block.get("type") == "input"}
    if not isinstance(given, dict) or not given or not set(given) <= inputs:
        raise SlackError("invalid_errors", blocks=sorted(inputs))
    return {str(name): str(sentence) for name, sentence in given.items()}


async def close(sandbox: Sandbox, person: Person, everything: bool = False) -> Outcome:
    """Closes the top modal, or all with clear_on_close. With notify_on_close the app receives view_closed."""
    view = acts.top_modal(sandbox, person)
    if everything or view.body.get("clear_on_close"):
        return await _clear(sandbox, person, without=None)
    close_top(sandbox.workspace, person.id)
    return await _notify(sandbox, person, view, cleared=False)


async def _clear(sandbox: Sandbox, person: Person, without: View | None) -> Outcome:
    outcome = Outcome(True)
    for view in clear_stack(sandbox.workspace, person.id):
        if view is not without:
            outcome = await _notify(sandbox, person, view, cleared=True)
    return outcome


async def _notify(sandbox: Sandbox, person: Person, view: View, cleared: bool) -> Outcome:
    if not view.body.get("notify_on_close"):
        return Outcome(True)
    payload = interactions.closing(sandbox.workspace, person, view, cleared)
    return await sandbox.delivery.interact(view.app, "interactive", payload)
