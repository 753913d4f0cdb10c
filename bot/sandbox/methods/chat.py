"""chat.*"""

from bot.sandbox.errors import SlackError
from bot.sandbox.messages import delete_message, own_message, post_ephemeral, post_message, update_message
from bot.sandbox.methods.call import Call
from bot.sandbox.payloads import message_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Message


def drafted(call: Call, channel: str) -> Message:
    arguments = call.arguments
    blocks = arguments.objects("blocks", "invalid_blocks_format") or []
    markdown = arguments.text("markdown_text")
    if markdown:
        if blocks or arguments.text("text"):
            raise SlackError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
    return Message(
        channel,
        "",
        call.app.bot_user,
        arguments.text("text") or "",
        blocks,
        arguments.objects("attachments", "invalid_attachments") or [],
        call.app,
        arguments.text("thread_ts"),
        metadata=arguments.object("metadata", "invalid_metadata_format"),
        broadcast=arguments.flag("reply_broadcast"),
    )


def post(call: Call) -> Json:
    channel = call.posting_channel()
    message = post_message(call.workspace, channel, drafted(call, channel.id))
    shown = message_object(call.workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def update(call: Call) -> Json:
    channel = call.seen_channel()
    arguments = call.arguments
    message = own_message(channel, arguments.needed("ts"), call.app, "cant_update_message")
    if channel.archived:
        raise SlackError("is_inactive")
    text, blocks = arguments.text("text"), arguments.objects("blocks", "invalid_blocks_format")
    attachments = arguments.objects("attachments", "invalid_attachments")
    if text is None and blocks is None and attachments is None:
        raise SlackError("no_text")
    metadata = arguments.object("metadata", "invalid_metadata_format")
    update_message(call.workspace, channel, message, text, blocks, attachments, metadata)
    shown = message_object(call.workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> Json:
    channel = call.seen_channel()
    message = own_message(channel, call.arguments.needed("ts"), call.app, "cant_delete_message")
    delete_message(call.workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def ephemeral(call: Call) -> Json:
    channel = call.posting_channel()
    person = call.person()
    return {"message_ts": post_ephemeral(call.workspace, channel, person, drafted(call, channel.id)).ts}


def permalink(call: Call) -> Json:
    channel = call.seen_channel()
    message = call.message(channel, "message_ts")
    address = f"{call.workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        address += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


METHODS = {
    "chat.postMessage": post,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": ephemeral,
    "chat.getPermalink": permalink,
}
