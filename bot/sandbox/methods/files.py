"""files.*"""

import asyncio

from bot.sandbox.errors import SlackError
from bot.sandbox.files import complete, new_file, share
from bot.sandbox.methods.call import Call
from bot.sandbox.payloads import file_object
from bot.sandbox.wire import Json
from bot.sandbox.workspace import File, Message


def upload_url(call: Call) -> Json:
    name = call.arguments.needed("filename")
    length = call.arguments.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments")
    alt_txt = call.arguments.text("alt_txt") or ""
    file = new_file(call.workspace, call.app, call.app.bot_user, name, length, alt_txt)
    return {"upload_url": f"{call.workspace.base_url}/upload/{file.id}", "file_id": file.id}


def finish(call: Call) -> Json:
    """Completes an upload. It answers at once; the message with the files appears later, as in Slack."""
    arguments = call.arguments
    entries = arguments.objects("files", "invalid_arguments")
    if not entries:
        raise SlackError("no_file_data")
    channels = arguments.listed("channels") or arguments.listed("channel_id")
    for each in channels:
        _check_channel(call, each)
    files = [complete(call.workspace, call.app, str(each.get("id")), each.get("title")) for each in entries]
    shown = [file_object(call.workspace, file) for file in files]
    call.sandbox.events.run(_later(call, channels, files))
    return {"files": shown}


def info(call: Call) -> Json:
    file = call.workspace.files.get(call.arguments.needed("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    return {"file": file_object(call.workspace, file), "comments": [], "response_metadata": {"next_cursor": ""}}


def delete(call: Call) -> Json:
    """Deletes a file. Its bytes are gone at once, and messages that show it have nothing to show."""
    file = call.workspace.files.get(call.arguments.needed("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    if file.app is None or file.app.id != call.app.id:
        raise SlackError("cant_delete_file")
    del call.workspace.files[file.id]
    return {}


def listed(call: Call) -> Json:
    """The files that the app has uploaded, newest first."""
    mine = [
        file for file in call.workspace.files.values() if file.completed and file.app and file.app.id == call.app.id
    ]
    newest = list(reversed(mine))[: call.arguments.number("count", 100)]
    paging = {"count": len(newest), "total": len(mine), "page": 1, "pages": 1}
    return {"files": [file_object(call.workspace, file) for file in newest], "paging": paging}


def _check_channel(call: Call, reference: str) -> None:
    channel = call.workspace.channels.get(reference)
    if channel is None or (channel.private and call.app.bot_user not in channel.members):
        raise SlackError("channel_not_found")
    if call.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")


async def _later(call: Call, channels: list[str], files: list[File]) -> None:
    await asyncio.sleep(call.workspace.config.file_seconds)
    for file in files:
        file.ready = True
    for each in channels:
        draft = Message(
            each,
            "",
            call.app.bot_user,
            call.arguments.text("initial_comment") or "",
            call.arguments.objects("blocks", "invalid_blocks_format") or [],
            app=call.app,
            thread_ts=call.arguments.text("thread_ts"),
            subtype="file_share",
            files=[file.id for file in files],
        )
        try:
            share(call.workspace, each, draft)
        except SlackError as error:
            call.sandbox.inspector.note("note", app=call.app.id, text=f"A file was not shared: {error.code}.")


METHODS = {
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": finish,
    "files.info": info,
    "files.list": listed,
    "files.delete": delete,
}
