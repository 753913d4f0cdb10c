"""Which scope a method needs. Conversations ask for the scope of the channel's kind (docs.slack.dev, method pages)."""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "reactions.get": "reactions:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.info": "files:read",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "conversations.open": "im:write",
    "conversations.join": "channels:join",
}
BY_CHANNEL = {
    "conversations.info": "read",
    "conversations.members": "read",
    "conversations.history": "history",
    "conversations.replies": "history",
}
LISTS = ("conversations.list", "users.conversations")
KINDS = {"public": "channels", "private": "groups", "im": "im"}
TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


def check_scope(call: Call) -> None:
    """Raises missing_scope with what is needed and what the app has."""
    if call.app.scopes is None:
        return
    for scope in _needed(call):
        if scope not in call.app.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(call.app.scopes))


def _needed(call: Call) -> list[str]:
    if call.method in SCOPES:
        return [SCOPES[call.method]]
    if call.method in LISTS:
        types = call.arguments.listed("types") or ["public_channel"]
        return [f"{TYPES[each]}:read" for each in types if each in TYPES]
    if call.method in BY_CHANNEL:
        channel = call.workspace.channels.get(call.arguments.text("channel") or "")
        return [f"{KINDS[channel.kind]}:{BY_CHANNEL[call.method]}"] if channel else []
    return []
