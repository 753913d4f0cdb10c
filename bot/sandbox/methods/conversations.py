"""conversations.*"""

from collections.abc import Callable

from bot.sandbox.errors import SlackError
from bot.sandbox.members import join
from bot.sandbox.methods.call import Call
from bot.sandbox.methods.paging import metadata, page
from bot.sandbox.payloads import channel_object, message_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Message

TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}


def listed(call: Call, belongs: Callable[[Channel], bool]) -> Json:
    """Channels of the requested types that the bot can see. Raises invalid_types."""
    types = call.arguments.listed("types") or ["public_channel"]
    if any(each not in TYPES for each in types):
        raise SlackError("invalid_types")
    kinds = [TYPES[each] for each in types]
    bot = call.app.bot_user
    channels = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind == "public" or bot in channel.members)
        and not (channel.archived and call.arguments.flag("exclude_archived"))
        and belongs(channel)
    ]
    found, cursor = page(channels, call.arguments)
    return {"channels": [channel_object(call.workspace, each, bot) for each in found], **metadata(cursor)}


def all_channels(call: Call) -> Json:
    return listed(call, lambda channel: True)


def info(call: Call) -> Json:
    return {"channel": channel_object(call.workspace, call.seen_channel(), call.app.bot_user)}


def members(call: Call) -> Json:
    people, cursor = page(call.seen_channel().members, call.arguments)
    return {"members": list(people), **metadata(cursor)}


def open_(call: Call) -> Json:
    """Opens direct messages with one person; several people are not supported here."""
    people = call.arguments.listed("users")
    if not people:
        return {"channel": {"id": call.seen_channel().id}}
    if len(people) > 1:
        raise SlackError("not_supported")
    person = call.workspace.people.get(people[0])
    if person is None:
        raise SlackError("user_not_found")
    if person.kind in ("deactivated", "bot"):
        raise SlackError("user_disabled" if person.kind == "deactivated" else "cannot_dm_bot")
    channel = call.workspace.direct_messages(person.id, call.app.bot_user)
    if call.arguments.flag("return_im"):
        return {"channel": channel_object(call.workspace, channel, call.app.bot_user)}
    return {"channel": {"id": channel.id}}


def join_(call: Call) -> Json:
    channel = call.seen_channel()
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    join(call.workspace, channel, call.workspace.people[call.app.bot_user])
    return {"channel": channel_object(call.workspace, channel, call.app.bot_user)}


def history(call: Call) -> Json:
    channel = _read_channel(call)
    messages = [each for each in channel.messages.values() if in_main_list(each)]
    return _messages(call, list(reversed(_between(call, messages))))


def replies(call: Call) -> Json:
    channel = _read_channel(call)
    parent = channel.messages.get(call.arguments.needed("ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    root = parent.thread_ts or parent.ts
    thread = [each for each in (channel.messages.get(root),) if each] + channel.replies.get(root, [])
    return _messages(call, _between(call, thread))


def in_main_list(message: Message) -> bool:
    return message.thread_ts in (None, message.ts) or message.broadcast


def _read_channel(call: Call) -> Channel:
    channel = call.seen_channel()
    if call.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.arguments.text("oldest") or "0", call.arguments.text("latest")
    try:
        low, high = float(oldest), float(latest) if latest else float("inf")
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    if call.arguments.flag("inclusive"):
        return [each for each in messages if low <= float(each.ts) <= high]
    return [each for each in messages if low < float(each.ts) < high]


def _messages(call: Call, messages: list[Message]) -> Json:
    found, cursor = page(messages, call.arguments)
    with_metadata = call.arguments.flag("include_all_metadata")
    shown = [message_object(call.workspace, each, metadata=with_metadata) for each in found]
    made: Json = {"messages": shown, "has_more": bool(cursor)}
    return made | metadata(cursor) if cursor else made


METHODS = {
    "conversations.info": info,
    "conversations.list": all_channels,
    "conversations.members": members,
    "conversations.open": open_,
    "conversations.join": join_,
    "conversations.history": history,
    "conversations.replies": replies,
}
