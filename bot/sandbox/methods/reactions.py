"""reactions.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.messages import react, unreact
from bot.sandbox.methods.call import Call
from bot.sandbox.payloads import message_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel


def add(call: Call) -> Json:
    channel = _channel(call)
    message = call.message(channel, "timestamp")
    bot = call.workspace.people[call.app.bot_user]
    react(call.workspace, channel, message, bot, call.arguments.needed("name"))
    return {}


def remove(call: Call) -> Json:
    channel = _channel(call)
    message = call.message(channel, "timestamp")
    bot = call.workspace.people[call.app.bot_user]
    unreact(call.workspace, channel, message, bot, call.arguments.needed("name"))
    return {}


def get(call: Call) -> Json:
    channel = call.seen_channel()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": message_object(call.workspace, message)}


def _channel(call: Call) -> Channel:
    channel = call.seen_channel()
    if call.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


METHODS = {"reactions.add": add, "reactions.remove": remove, "reactions.get": get}
