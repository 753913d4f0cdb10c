"""The scopes that methods need. Methods of conversations need the scope for the channel's kind (docs.slack.dev, method
pages). Methods that do not exist here are in the tables too: Slack checks missing_scope first, and an app that lacks a
scope should fail here as it does there.
"""

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
    "users.lookupByEmail": "users:read.email",
    "users.profile.get": "users.profile:read",
    "bots.info": "users:read",
    "team.info": "team:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.info": "files:read",
    "files.list": "files:read",
    "files.delete": "files:write",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "conversations.open": "im:write",
    "conversations.join": "channels:join",
}
ELSEWHERE = {  # methods that this workspace does not have
    "bookmarks.add": "bookmarks:write",
    "bookmarks.edit": "bookmarks:write",
    "bookmarks.list": "bookmarks:read",
    "bookmarks.remove": "bookmarks:write",
    "chat.deleteScheduledMessage": "chat:write",
    "chat.meMessage": "chat:write",
    "chat.scheduleMessage": "chat:write",
    "chat.unfurl": "links:write",
    "dnd.info": "dnd:read",
    "dnd.teamInfo": "dnd:read",
    "emoji.list": "emoji:read",
    "pins.add": "pins:write",
    "pins.list": "pins:read",
    "pins.remove": "pins:write",
    "reactions.list": "reactions:read",
    "usergroups.create": "usergroups:write",
    "usergroups.disable": "usergroups:write",
    "usergroups.enable": "usergroups:write",
    "usergroups.update": "usergroups:write",
    "usergroups.users.update": "usergroups:write",
    "users.getPresence": "users:read",
    "users.setPresence": "users:write",
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
    """Raises missing_scope, with the needed scopes and those of the app."""
    for scope in _needed(call):
        if not call.app.granted(scope):
            raise SlackError("missing_scope", needed=scope, provided=",".join(call.app.scopes or ()))


def _needed(call: Call) -> list[str]:
    scope = SCOPES.get(call.method) or ELSEWHERE.get(call.method)
    if scope is not None:
        return [scope]
    if call.method in LISTS:
        types = call.arguments.listed("types") or ["public_channel"]
        return [f"{TYPES[each]}:read" for each in types if each in TYPES]
    if call.method in BY_CHANNEL:
        channel = call.workspace.channels.get(call.arguments.text("channel") or "")
        return [f"{KINDS[channel.kind]}:{BY_CHANNEL[call.method]}"] if channel else []
    return []
