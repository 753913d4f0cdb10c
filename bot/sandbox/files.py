"""Files: upload addresses, uploads, and shares, which appear a moment after the call that requests them.

The delay is Slack's (python-slack-sdk #1277, #1521): until a file is ready, an image block that names it is refused.
"""

from bot.sandbox.config import AppConfig
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import post_message
from bot.sandbox.workspace import File, Message, Workspace


def new_file(workspace: Workspace, app: AppConfig | None, user: str, name: str, length: int, alt_txt: str = "") -> File:
    file = File(workspace.new_id("F"), name, length, app, user, workspace.seconds(), alt_txt=alt_txt)
    workspace.files[file.id] = file
    return file


def receive(workspace: Workspace, file_id: str, content: bytes) -> File:
    file = workspace.files.get(file_id)
    if file is None or file.uploaded:
        raise SlackError("file_not_found")
    if len(content) != file.length:
        raise SlackError("length_mismatch")
    file.content, file.uploaded = content, True
    return file


def complete(workspace: Workspace, app: AppConfig, file_id: str, title: str | None) -> File:
    file = workspace.files.get(file_id)
    if file is None or file.app is None or file.app.id != app.id or not file.uploaded or file.completed:
        raise SlackError("file_not_found")
    file.completed = True
    file.title = title or file.name
    return file


def share(workspace: Workspace, channel_id: str, draft: Message) -> None:
    """Posts the message that carries the files and notes in each of them where it is."""
    channel = workspace.channels[channel_id]
    for each in draft.files:
        workspace.files[each].ready = True
    message = post_message(workspace, channel, draft)
    for each in draft.files:
        file = workspace.files[each]
        file.shares.setdefault(channel_id, []).append(message.ts)
        event = {
            "type": "file_shared",
            "channel_id": channel_id,
            "file_id": file.id,
            "user_id": file.user,
            "file": {"id": file.id},
            "event_ts": workspace.new_ts(),
        }
        workspace.on_event(event, channel, None)
