"""users.*, auth.test, api.test and apps.connections.open"""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call
from bot.sandbox.methods.conversations import listed
from bot.sandbox.methods.paging import metadata, page
from bot.sandbox.payloads import profile, user_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Person


def auth_test(call: Call) -> Json:
    return {
        "url": f"{call.workspace.base_url}/",
        "team": call.workspace.config.team_name,
        "user": call.workspace.people[call.app.bot_user].name,
        "team_id": call.workspace.team_id,
        "user_id": call.app.bot_user,
        "bot_id": call.app.bot_id,
        "app_id": call.app.id,
        "is_enterprise_install": False,
    }


def api_test(call: Call) -> Json:
    return {"args": {name: value for name, value in call.arguments.given.items() if name != "token"}}


def connect(call: Call) -> Json:
    ticket = call.sandbox.sockets.ticket(call.app.id)
    address = call.workspace.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={call.app.id}"}


def info(call: Call) -> Json:
    return {"user": _shown(call, call.person())}


def everyone(call: Call) -> Json:
    people, cursor = page(list(call.workspace.people.values()), call.arguments)
    members = [_shown(call, person) for person in people]
    return {"members": members, "cache_ts": call.workspace.seconds(), **metadata(cursor)}


def by_email(call: Call) -> Json:
    """The person with an email address. Raises users_not_found."""
    wanted = call.arguments.needed("email").lower()
    found = next((each for each in call.workspace.people.values() if each.email.lower() == wanted), None)
    if found is None or found.kind == "deactivated":
        raise SlackError("users_not_found")
    return {"user": _shown(call, found)}


def profile_of(call: Call) -> Json:
    person = call.person() if call.arguments.text("user") else call.workspace.people[call.app.bot_user]
    return {"profile": profile(person, email=call.app.granted("users:read.email"))}


def _shown(call: Call, person: Person) -> Json:
    return user_object(call.workspace, person, email=call.app.granted("users:read.email"))


def conversations(call: Call) -> Json:
    person = call.arguments.text("user") or call.app.bot_user
    return listed(call, lambda channel: person in channel.members)


METHODS = {
    "auth.test": auth_test,
    "api.test": api_test,
    "apps.connections.open": connect,
    "users.info": info,
    "users.list": everyone,
    "users.lookupByEmail": by_email,
    "users.profile.get": profile_of,
    "users.conversations": conversations,
}
