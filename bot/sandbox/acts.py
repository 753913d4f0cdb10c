"""Actions of a person in Slack: click, choose, type, submit, close, command, react. Each returns the app's Outcome.

An action raises Refused if Slack's client would not allow it.
"""

from dataclasses import replace

from bot.sandbox import interactions
from bot.sandbox.blocks import elements, labels, words
from bot.sandbox.config import AppConfig
from bot.sandbox.entries import HELD, OPTIONS, entered, options_of
from bot.sandbox.errors import Refused, SlackError
from bot.sandbox.members import join
from bot.sandbox.messages import post_message, react, unreact
from bot.sandbox.outcome import NO_ANSWER, NO_CONNECTION, Outcome
from bot.sandbox.payloads import view_object
from bot.sandbox.responses import USES, apply
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.wire import Json, dicts
from bot.sandbox.workspace import Channel, Message, Person, ResponseUrl, View, Workspace

Place = Message | View
# Properties of its element that an action repeats: @slack/bolt types/actions/block-action.
STARTS = ("option", "options", "user", "users", "conversation", "conversations", "channel", "channels", "date", "time")
ECHOED = ("placeholder", "confirm", *(f"initial_{name}" for name in STARTS))


def visible_message(sandbox: Sandbox, person: Person, channel: str, ts: str) -> Message:
    seen = sandbox.workspace.visible_channel(person, channel)
    found = seen.messages.get(ts) or seen.ephemerals.get(ts)
    if found is None or found.only_for not in (None, person.id):
        raise Refused(f"{person.name} cannot see a message {ts} in {seen.name or seen.id}.", 404)
    return found


def top_modal(sandbox: Sandbox, person: Person) -> View:
    stack = sandbox.workspace.modals.get(person.id)
    if not stack:
        raise Refused(f"{person.name} has no open modal.", 404)
    return stack[-1]


def home_of(sandbox: Sandbox, person: Person, app: AppConfig) -> View:
    found = sandbox.workspace.homes.get((app.id, person.id))
    if found is None:
        raise Refused(f"{app.name} has published no Home tab for {person.name}.", 404)
    return found


def blocks_of(place: Place) -> list[Json]:
    return dicts(place.body["blocks"]) if isinstance(place, View) else place.blocks


def app_of(place: Place) -> AppConfig:
    if place.app is None:
        raise Refused("This message was not posted by an app.")
    return place.app


async def click(
    sandbox: Sandbox,
    person: Person,
    place: Place,
    name: str,
    action_ts: str | None = None,
    retries: int = 0,
    block_id: str | None = None,
) -> Outcome:
    """Presses a button (or an entry of an overflow menu) by its words or its action_id, in one block or in any."""
    for block, element in elements(blocks_of(place)):
        if element.get("type") in HELD or block_id not in (None, block["block_id"]):
            continue
        called = labels(element)
        if name in called or (name == element.get("action_id") and called):
            action = clicked(block, element, name if name in called else called[0])
            return await _act(sandbox, person, place, action, action_ts, retries)
    shown = ", ".join(repr(label) for _, element in elements(blocks_of(place)) for label in labels(element)) or "none"
    raise Refused(f"There is no button {name!r} here. Buttons: {shown}.", 404)


def clicked(block: Json, element: Json, label: str) -> Json:
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind == "overflow":
        chosen = next(each for each in options_of(element) if each["text"]["text"] == label)
        return action | {"selected_option": chosen}
    if kind == "feedback_buttons":
        pressed = next(
            element[name] for name in ("positive_button", "negative_button") if element[name]["text"]["text"] == label
        )
        return action | {"text": pressed["text"], "value": pressed.get("value")}
    return action | {name: element[name] for name in ("text", "value", "style", "confirm", "icon") if name in element}


async def choose(
    sandbox: Sandbox, person: Person, place: Place, action_id: str, value: object, block_id: str | None = None
) -> Outcome:
    """Chooses in a select, radio group, checkboxes or picker, or types into a dispatching input."""
    block, element = named_element(place, action_id, block_id)
    state = await entry_of(sandbox, person, place, block, element, value)
    _check_number(element, state[HELD[element["type"]]])
    chosen = place.chosen if isinstance(place, View) else message_choices(sandbox, person, place)
    chosen.setdefault(block["block_id"], {})[action_id] = state
    if block["type"] == "input" and not block.get("dispatch_action"):
        return Outcome(True)
    action = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"]}
    action |= {name: element[name] for name in ECHOED if name in element}
    return await _act(sandbox, person, place, action | state, None, 0)


def _check_number(element: Json, value: object) -> None:
    """Enforces the maximum number of selected options (reference/block-kit/block-elements)."""
    most = element.get("max_selected_items")
    if isinstance(value, list) and most is not None and len(value) > most:
        raise Refused(f"{element['action_id']!r} allows at most {most} selected options.")


def message_choices(sandbox: Sandbox, person: Person, message: Message) -> dict[str, Json]:
    return sandbox.workspace.choices.setdefault((person.id, message.channel, message.ts), {})


def named_element(place: Place, action_id: str, block_id: str | None = None) -> tuple[Json, Json]:
    for block, element in elements(blocks_of(place)):
        if block_id not in (None, block["block_id"]):
            continue
        if element.get("action_id") == action_id and element.get("type") in HELD:
            return block, element
    known = ", ".join(str(each.get("action_id")) for _, each in elements(blocks_of(place))) or "none"
    raise Refused(f"There is no element {action_id!r} here. Elements: {known}.", 404)


async def suggestions(
    sandbox: Sandbox, person: Person, place: Place, action_id: str, query: str, block_id: str | None = None
) -> list[Json]:
    """The app's options for the text typed into an external select. Raises Refused if it does not answer."""
    block, element = named_element(place, action_id, block_id)
    app = app_of(place)
    payload = interactions.suggestion(sandbox.workspace, app, person, place, block, element, query)
    outcome = await sandbox.delivery.interact(app, "interactive", payload)
    if not outcome.ok:
        raise Refused(f"No options could be loaded: {outcome.error}.", 504)
    body = outcome.response or {}
    offered = [*dicts(body.get("options")), *_grouped(body)]
    if len(offered) > 100 and not body.get("option_groups"):
        raise Refused("No options could be loaded: the app sent more than 100.", 502)
    key = (person.id, _place_id(place), action_id)
    sandbox.suggested[key] = offered + sandbox.suggested.get(key, [])  # a person may pick from several searches in turn
    return offered


def _grouped(body: Json) -> list[Json]:
    """The options in an answer's groups, each with the words of its group under `group`."""
    groups = dicts(body.get("option_groups"))
    return [each | {"group": words(group.get("label", {}))} for group in groups for each in dicts(group.get("options"))]


def _place_id(place: Place) -> str:
    return place.id if isinstance(place, View) else f"{place.channel}/{place.ts}"


async def entry_of(sandbox: Sandbox, person: Person, place: Place, block: Json, element: Json, value: object) -> Json:
    kind, action_id = str(element["type"]), element["action_id"]
    if HELD[kind] not in OPTIONS or "external" not in kind or value is None:
        return entered(element, value, [])
    key = (person.id, _place_id(place), action_id)
    offered = [*dicts(element.get("initial_options")), *sandbox.suggested.get(key, [])]
    if isinstance(element.get("initial_option"), dict):
        offered.append(element["initial_option"])
    try:
        return entered(element, value, offered)
    except Refused:
        query = value if isinstance(value, str) else ""
        return entered(element, value, await suggestions(sandbox, person, place, action_id, query))


async def _act(
    sandbox: Sandbox, person: Person, place: Place, action: Json, action_ts: str | None, retries: int
) -> Outcome:
    workspace = sandbox.workspace
    action = action | {"action_ts": action_ts or workspace.new_ts()}
    if isinstance(place, View):
        payload = interactions.view_actions(workspace, person, place, action)
    else:
        payload = interactions.message_actions(workspace, app_of(place), person, place, action)
    outcome = await sandbox.delivery.interact(app_of(place), "interactive", payload, retries)
    return shown(outcome, "This app is not responding.")


def shown(outcome: Outcome, sentence: str) -> Outcome:
    """The outcome, with Slack's message if the acknowledgement is missing."""
    return outcome if outcome.ok else replace(outcome, error=f"{sentence} ({outcome.error})")


async def command(sandbox: Sandbox, person: Person, channel: Channel, line: str) -> Outcome:
    """Sends a slash command. Text in the acknowledgement appears as an answer in the channel."""
    name, _, text = line.strip().partition(" ")
    if name == "/invite":
        return _invited(sandbox.workspace, person, channel, text.split())
    app = next(
        (app for app in sandbox.workspace.apps.values() if any(name == each.command for each in app.commands)), None
    )
    if app is None:
        raise Refused(f"No app has the command {name}.", 404)
    if person.team_id != sandbox.workspace.team_id:
        raise Refused("People from other workspaces cannot use commands.", 403)
    if person.id not in channel.members:
        raise Refused(f"{person.name} is not in {channel.name or channel.id}.", 403)
    payload = interactions.slash_command(sandbox.workspace, app, person, channel, name, text.strip())
    outcome = await sandbox.delivery.interact(app, "slash_commands", payload)
    if not outcome.ok:
        reason = outcome.error if outcome.error in (NO_ANSWER, NO_CONNECTION) else NO_CONNECTION
        return replace(outcome, error=f'{name} failed with the error "{reason}"')
    body = outcome.response or {}
    if body.get("text") or body.get("blocks") or body.get("attachments"):
        try:
            apply(sandbox.workspace, ResponseUrl(app, person.id, channel.id, 0, USES), body)
        except SlackError as error:
            return replace(outcome, error=f"The answer was refused: {error.code}")
    return outcome


def _invited(workspace: Workspace, person: Person, channel: Channel, named: list[str]) -> Outcome:
    """Runs Slack's own command /invite for people and apps, by @name or by id. The channel shows who was added, and by
    whom."""
    if person.id not in channel.members:
        raise Refused(f"{person.name} is not in {channel.name or channel.id}.", 403)
    if not named:
        raise Refused("Name the person to invite: /invite @name.")
    for guest in [workspace.person(each.strip("<>").removeprefix("@")) for each in named]:
        if guest.id not in channel.members:
            join(workspace, channel, guest, person)
            text = f"<@{guest.id}> has joined the channel"
            post_message(
                workspace, channel, Message(channel.id, "", guest.id, text, subtype="channel_join", inviter=person.id)
            )
    return Outcome(True)


async def shortcut(sandbox: Sandbox, person: Person, callback_id: str, message: Message | None) -> Outcome:
    """Runs a shortcut: with a message a message shortcut, without a global one."""
    wanted = "global" if message is None else "message"
    for app in sandbox.workspace.apps.values():
        if any(each.callback_id == callback_id and each.type == wanted for each in app.shortcuts):
            if message is None:
                payload = interactions.global_shortcut(sandbox.workspace, app, person, callback_id)
            else:
                payload = interactions.message_shortcut(sandbox.workspace, app, person, callback_id, message)
            return shown(await sandbox.delivery.interact(app, "interactive", payload), "This app is not responding.")
    raise Refused(f"There is no {wanted} shortcut {callback_id!r}.", 404)


async def reaction(
    sandbox: Sandbox, person: Person, message: Message, name: str, add: bool, event_ts: str | None = None
) -> Outcome:
    """Adds or removes a reaction. Returns the outcome of the event's first delivery."""
    if message.only_for is not None:
        raise Refused("Ephemeral messages cannot have reactions.")
    channel = sandbox.workspace.channels[message.channel]
    change = react if add else unreact
    with sandbox.events.collecting() as outcomes:
        change(sandbox.workspace, channel, message, person, name, event_ts)
    if not outcomes:
        return Outcome(False, error="No app receives reactions here.")
    return await outcomes[0]


async def open_home(sandbox: Sandbox, person: Person, app: AppConfig) -> Outcome:
    """Opens the app's Home tab. The app receives app_home_opened and may publish a view."""
    channel = sandbox.workspace.direct_messages(person.id, app.bot_user)
    current = sandbox.workspace.homes.get((app.id, person.id))
    event: Json = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": sandbox.workspace.new_ts(),
    }
    if current is not None:
        event["view"] = view_object(sandbox.workspace, current)
    with sandbox.events.collecting() as outcomes:
        sandbox.workspace.on_event(event, None, app)
    if not outcomes:
        return Outcome(False, error=f"{app.name} does not receive app_home_opened.")
    return await outcomes[0]
