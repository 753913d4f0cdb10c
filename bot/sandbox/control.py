"""`/control`: every action of a person, and every change that a test can make, as JSON. For loopback only.

Errors are `{"error": sentence}` with a status of 4xx.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox import acts, forms, watching
from bot.sandbox.asked import Asked
from bot.sandbox.config import ChannelConfig, GroupConfig, PersonConfig
from bot.sandbox.errors import Refused, SlackError
from bot.sandbox.events import MODES
from bot.sandbox.faults import Fault
from bot.sandbox.groups import set_disabled, set_members
from bot.sandbox.hosts import require_own_host
from bot.sandbox.members import archive, deactivate, join, leave, tell_of_person
from bot.sandbox.messages import delete_message, post_message, update_message
from bot.sandbox.outcome import Outcome
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.typed import stored
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Message, random_text


async def state(asked: Asked) -> Json:
    person = asked.optional("person")
    if person is None:
        return watching.everything(asked.sandbox)
    return watching.sidebar(asked.sandbox, asked.workspace.person(person))


async def messages(asked: Asked) -> Json:
    person, channel = asked.person, asked.channel
    seen = watching.messages_seen(asked.workspace, person, channel, asked.optional("thread_ts"))
    return {"messages": [watching.message_seen(asked.workspace, each) for each in seen]}


async def views(asked: Asked) -> Json:
    stack = asked.workspace.modals.get(asked.person.id, [])
    return {"views": [watching.view_seen(asked.workspace, view, depth) for depth, view in enumerate(stack, start=1)]}


async def home(asked: Asked) -> Json:
    view = asked.workspace.homes.get((asked.app.id, asked.person.id))
    return {"view": watching.view_seen(asked.workspace, view, 1) if view else None}


async def open_home(asked: Asked) -> Json:
    return shown(await acts.open_home(asked.sandbox, asked.person, asked.app))


async def post(asked: Asked) -> Json:
    person, channel = asked.person, asked.member_channel
    broadcast = bool(asked.fields.get("broadcast"))
    text, thread_ts = stored(asked.text("text")), asked.optional("thread_ts")
    draft = Message(channel.id, "", person.id, text, thread_ts=thread_ts, broadcast=broadcast)
    message = post_message(asked.workspace, channel, draft)
    return {"message": watching.message_seen(asked.workspace, message)}


async def edit(asked: Asked) -> Json:
    message = _own(asked)
    changed = update_message(asked.workspace, asked.any_channel, message, stored(asked.text("text")), None)
    return {"message": watching.message_seen(asked.workspace, changed)}


async def delete(asked: Asked) -> Json:
    message = asked.message
    if message.only_for is None and not asked.person.admin:
        _own(asked)
    delete_message(asked.workspace, asked.any_channel, message)
    return {}


def _own(asked: Asked) -> Message:
    message = asked.message
    if message.user != asked.person.id:
        raise Refused(f"{asked.person.name} did not write this message.", 403)
    return message


async def click(asked: Asked) -> Json:
    retries = int(asked.fields.get("retries", 0))
    name, action_ts = asked.text("name"), asked.optional("action_ts")
    block_id = asked.optional("block_id")
    return shown(await acts.click(asked.sandbox, asked.person, asked.place, name, action_ts, retries, block_id))


async def choose(asked: Asked) -> Json:
    value, action_id, block_id = asked.fields.get("value"), asked.text("action_id"), asked.optional("block_id")
    return shown(await acts.choose(asked.sandbox, asked.person, asked.place, action_id, value, block_id))


async def suggestions(asked: Asked) -> Json:
    query, action_id, block_id = str(asked.fields.get("query", "")), asked.text("action_id"), asked.optional("block_id")
    offered = await acts.suggestions(asked.sandbox, asked.person, asked.place, action_id, query, block_id)
    return {"options": offered}


async def submit(asked: Asked) -> Json:
    return shown(await forms.submit(asked.sandbox, asked.person, asked.fields.get("values") or {}))


async def close(asked: Asked) -> Json:
    return shown(await forms.close(asked.sandbox, asked.person, bool(asked.fields.get("everything"))))


async def react(asked: Asked) -> Json:
    add = not asked.fields.get("remove")
    name, event_ts = asked.text("name"), asked.optional("event_ts")
    return shown(await acts.reaction(asked.sandbox, asked.person, asked.message, name, add, event_ts))


async def command(asked: Asked) -> Json:
    if asked.optional("thread_ts"):
        raise Refused("Slash commands cannot be used in threads.")
    return shown(await acts.command(asked.sandbox, asked.person, asked.channel, asked.text("text")))


async def shortcut(asked: Asked) -> Json:
    message = asked.message if asked.optional("ts") else None
    return shown(await acts.shortcut(asked.sandbox, asked.person, asked.text("callback_id"), message))


async def read(asked: Asked) -> Json:
    """Marks a channel as read up to its last message."""
    person, channel = asked.person, asked.channel
    if channel.messages:
        channel.read[person.id] = max(channel.messages, key=float)
    asked.workspace.on_change("read", {"channel": channel.id}, person.id, None)
    return {}


async def join_(asked: Asked) -> Json:
    join(asked.workspace, asked.channel, asked.person)
    return {}


async def leave_(asked: Asked) -> Json:
    leave(asked.workspace, asked.channel, asked.person)
    return {}


async def invite(asked: Asked) -> Json:
    join(asked.workspace, asked.any_channel, asked.workspace.person(asked.text("person")))
    return {}


async def kick(asked: Asked) -> Json:
    leave(asked.workspace, asked.any_channel, asked.workspace.person(asked.text("person")))
    return {}


async def archive_(asked: Asked) -> Json:
    by = next(iter(asked.workspace.people.values()))
    archive(asked.workspace, asked.any_channel, by, not asked.fields.get("undo"))
    return {}


async def add_channel(asked: Asked) -> Json:
    fields = {**asked.fields, "members": tuple(asked.fields.get("members", ()))}
    channel = asked.workspace.add_channel(ChannelConfig(**fields))
    asked.workspace.on_change("channel", {"channel": channel.id}, None, channel)
    return {"id": channel.id}


async def add_person(asked: Asked) -> Json:
    channels = asked.fields.pop("channels", [])
    person = asked.workspace.add_person(PersonConfig(**asked.fields))
    for each in channels:
        join(asked.workspace, asked.workspace.find_channel(each), person)
    tell_of_person(asked.workspace, person)
    return {"id": person.id}


async def change_person(asked: Asked) -> Json:
    """Sets kind, tz, real_name or admin. Apps receive user_change."""
    person = asked.workspace.person(asked.text("person"))
    if asked.fields.get("kind") == "deactivated":
        deactivate(asked.workspace, person)
        return {}
    for name in ("kind", "tz", "real_name", "admin"):
        if name in asked.fields:
            setattr(person, name, asked.fields[name])
    person.updated = asked.workspace.seconds()
    tell_of_person(asked.workspace, person)
    return {}


async def add_group(asked: Asked) -> Json:
    """Adds a user group. Apps receive no event, as none of them can refer to it yet."""
    fields = {**asked.fields, "members": tuple(asked.fields.get("members", ()))}
    return {"id": asked.workspace.add_group(GroupConfig(**fields)).id}


async def change_group(asked: Asked) -> Json:
    """Sets members or disabled. Apps receive subteam_members_changed and subteam_updated."""
    group = asked.workspace.group(asked.text("group"))
    if "members" in asked.fields:
        set_members(asked.workspace, group, [asked.workspace.person(each).id for each in asked.fields["members"]])
    if "disabled" in asked.fields:
        set_disabled(asked.workspace, group, bool(asked.fields["disabled"]))
    return {}


async def fault(asked: Asked) -> Json:
    kind = asked.text("kind")
    if kind == "none":
        asked.sandbox.faults.clear()
        return {}
    made = Fault(kind, int(asked.fields.get("retry_after", 1)), float(asked.fields.get("seconds", 60)))
    asked.sandbox.faults.add(asked.text("method"), made, int(asked.fields.get("times", 1)))
    return {}


async def events(asked: Asked) -> Json:
    mode = asked.text("mode")
    if mode not in MODES:
        raise Refused(f"There is no mode {mode!r}. Modes: {', '.join(MODES)}.", 400)
    asked.sandbox.events.mode = mode
    return {}


async def drop_sockets(asked: Asked) -> Json:
    dropped = await asked.sandbox.sockets.drop(asked.optional("app"), bool(asked.fields.get("abruptly")))
    return {"dropped": dropped}


async def refresh_sockets(asked: Asked) -> Json:
    asked.sandbox.events.run(asked.sandbox.sockets.refresh(asked.optional("app")))
    return {}


async def verify(asked: Asked) -> Json:
    return shown(await asked.sandbox.delivery.verify_url(asked.app))


async def revoke_token(asked: Asked) -> Json:
    """Revokes the app's bot token and issues a new one, as when an app is reinstalled."""
    app = asked.app
    asked.workspace.revoked.add(app.bot_token)
    asked.workspace.apps[app.id] = replace(app, bot_token=f"xoxb-{random_text(24)}")
    return {"bot_token": asked.workspace.apps[app.id].bot_token}


async def advance(asked: Asked) -> Json:
    asked.sandbox.clock.advance(float(asked.text("seconds")))
    return {"now": asked.sandbox.clock.now()}


async def rates(asked: Asked) -> Json:
    asked.sandbox.rates.on = bool(asked.fields.get("on"))
    return {"on": asked.sandbox.rates.on}


async def calls(asked: Asked) -> Json:
    return {"calls": asked.sandbox.inspector.calls(asked.optional("method"))}


async def inspector(asked: Asked) -> Json:
    return {"entries": asked.sandbox.inspector.since(int(asked.fields.get("since", 0)))}


def shown(outcome: Outcome) -> Json:
    return asdict(outcome)


READING: dict[str, Callable[[Asked], Awaitable[Json]]] = {
    "state": state,
    "messages": messages,
    "views": views,
    "home": home,
    "calls": calls,
    "inspector": inspector,
}
ACTING: dict[str, Callable[[Asked], Awaitable[Json]]] = {
    "post": post,
    "edit": edit,
    "delete": delete,
    "click": click,
    "choose": choose,
    "suggestions": suggestions,
    "submit": submit,
    "close": close,
    "react": react,
    "command": command,
    "shortcut": shortcut,
    "home/open": open_home,
    "read": read,
    "join": join_,
    "leave": leave_,
    "invite": invite,
    "kick": kick,
    "archive": archive_,
    "channels": add_channel,
    "people": add_person,
    "people/change": change_person,
    "groups": add_group,
    "groups/change": change_group,
    "faults": fault,
    "events": events,
    "sockets/drop": drop_sockets,
    "sockets/refresh": refresh_sockets,
    "verify": verify,
    "tokens/revoke": revoke_token,
    "clock/advance": advance,
    "rates": rates,
}


def routes(sandbox: Sandbox) -> list[Route]:
    made = [Route(f"/{name}", _endpoint(sandbox, act), methods=["GET"]) for name, act in READING.items()]
    made += [Route(f"/{name}", _endpoint(sandbox, act), methods=["POST"]) for name, act in ACTING.items()]

    async def stream(request: Request) -> Response:
        return _stream(sandbox, request)

    return [*made, Route("/stream", stream, methods=["GET"])]


def _endpoint(sandbox: Sandbox, act: Callable[[Asked], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            _refuse_other_sites(request)
            fields = dict(request.query_params) if request.method == "GET" else await request.json()
            return JSONResponse(await act(Asked(sandbox, fields)))
        except Refused as error:
            return JSONResponse({"error": error.sentence}, error.status)
        except SlackError as error:
            return JSONResponse({"error": watching.refusal(error), "code": error.code}, 409)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": f"The request is not understood: {error}"}, 400)

    return serve


def _refuse_other_sites(request: Request) -> None:
    require_own_host(request)
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise Refused(f"{origin} is not allowed to use this workspace.", 403)


def _stream(sandbox: Sandbox, request: Request) -> Response:
    try:
        _refuse_other_sites(request)
        person = sandbox.workspace.person(request.query_params.get("person", ""))
    except Refused as error:
        return JSONResponse({"error": error.sentence}, error.status)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(sandbox.stream.watch(person.id), media_type="text/event-stream", headers=headers)
