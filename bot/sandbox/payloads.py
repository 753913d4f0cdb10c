"""People, channels, messages, views and files in the shapes in which Slack shows them to apps."""

import hashlib
import mimetypes
import unicodedata

from bot.sandbox.config import AppConfig
from bot.sandbox.entries import state_values
from bot.sandbox.wire import Json, without_none
from bot.sandbox.workspace import Channel, File, Message, Person, View, Workspace


def user_object(workspace: Workspace, person: Person, *, email: bool = False) -> Json:
    """A person as in users.info. A guest of several channels is `is_restricted`; a stranger has `is_stranger`. email:
    whether the app has the scope users:read.email."""
    made = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.kind == "deactivated",
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": _tz_offset(person.tz, workspace.clock.now()),
        "profile": profile(person, email=email),
        "is_admin": person.admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.kind == "guest",
        "is_ultra_restricted": False,
        "is_bot": person.kind == "bot",
        "is_app_user": False,
        "updated": person.updated,
    }
    if person.kind == "external":
        made["is_stranger"] = True
    return made


def profile(person: Person, *, email: bool = False) -> Json:
    """A profile as in users.profile.get."""
    made = {
        "real_name": person.real_name,
        "real_name_normalized": _normalized(person.real_name),
        "display_name": person.name,
        "display_name_normalized": _normalized(person.name),
        "avatar_hash": hashlib.sha256(person.id.encode()).hexdigest()[:12],
        "team": person.team_id,
        "image_72": "",
    }
    if email and person.email:
        made["email"] = person.email
    if person.app is not None:
        made |= {"bot_id": person.app.bot_id, "api_app_id": person.app.id}
    return made


def _normalized(name: str) -> str:
    """The name without accents: é becomes e."""
    return "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))


def _tz_offset(name: str, now: float) -> int:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        offset = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(name)).utcoffset()
    except ZoneInfoNotFoundError:
        return 0
    return int(offset.total_seconds()) if offset else 0


def channel_object(workspace: Workspace, channel: Channel, bot_user: str) -> Json:
    """A channel as in conversations.info, seen by this bot user."""
    if channel.im_with is not None:
        return {
            "id": channel.id,
            "created": channel.created,
            "is_im": True,
            "is_org_shared": False,
            "is_archived": channel.archived,
            "user": channel.im_with[0],
            "context_team_id": workspace.team_id,
            "priority": 0,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_general": False,
        "is_archived": channel.archived,
        "is_member": bot_user in channel.members,
        "is_shared": channel.ext_shared,
        "is_ext_shared": channel.ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "created": channel.created,
        "creator": channel.members[0] if channel.members else "",
        "context_team_id": workspace.team_id,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def message_object(workspace: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """A message as in conversations.history; with `metadata` only if requested, as in Slack."""
    made = without_none(
        type="message",
        subtype=message.subtype,
        user=message.user,
        ts=message.ts,
        text=message.text,
        team=workspace.people[message.user].team_id if message.user in workspace.people else workspace.team_id,
        thread_ts=message.thread_ts,
        edited=message.edited,
        inviter=message.inviter,
    )
    if message.app is not None:
        made |= {
            "bot_id": message.app.bot_id,
            "app_id": message.app.id,
            "bot_profile": bot_profile(workspace, message.app),
        }
    if message.blocks:
        made["blocks"] = message.blocks
    if message.attachments:
        made["attachments"] = message.attachments
    if message.files:
        made["files"] = [file_object(workspace, workspace.files[each]) for each in message.files]
        made["upload"] = True
    if message.reactions:
        made["reactions"] = reactions_list(message)
    if metadata and message.metadata:
        made["metadata"] = message.metadata
    return made | thread_fields(workspace, message)


def reactions_list(message: Message) -> list[Json]:
    return [{"name": name, "users": list(who), "count": len(who)} for name, who in message.reactions.items()]


def thread_fields(workspace: Workspace, message: Message) -> Json:
    """The fields about a thread: of its parent, or of a reply."""
    channel = workspace.channels[message.channel]
    if message.thread_ts is not None and message.thread_ts != message.ts:
        parent = channel.messages.get(message.thread_ts)
        return {"parent_user_id": parent.user} if parent else {}
    replies = channel.replies.get(message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(each.user for each in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "reply_users": people[:5],
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def bot_profile(workspace: Workspace, app: AppConfig) -> Json:
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.bot_user,
        "name": app.name,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": workspace.team_id,
    }


def view_object(workspace: Workspace, view: View) -> Json:
    """A view as in the answer of views.open and in interactions."""
    body = view.body
    made = {
        "id": view.id,
        "team_id": workspace.team_id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "state": {"values": state_values(body["blocks"], view.chosen)},
        "hash": view.hash,
        "clear_on_close": bool(body.get("clear_on_close", False)),
        "notify_on_close": bool(body.get("notify_on_close", False)),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": view.app.id,
        "external_id": body.get("external_id", ""),
        "app_installed_team_id": workspace.team_id,
        "bot_id": view.app.bot_id,
    }
    if body["type"] == "modal":
        made |= {name: body.get(name) for name in ("title", "close", "submit")}
        made["submit_disabled"] = bool(body.get("submit_disabled", False))
    return made


def file_object(workspace: Workspace, file: File) -> Json:
    """A file as in files.info. While Slack still processes it, its mimetype is empty and it has no shares."""
    mimetype = (mimetypes.guess_type(file.name)[0] or "application/octet-stream") if file.ready else ""
    filetype = file.name.rpartition(".")[2] if "." in file.name else "binary"
    url = f"{workspace.base_url}/files/{file.id}/{file.name}"
    shares: Json = {"public": {}, "private": {}}
    groups: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
    for channel_id, stamps in file.shares.items():
        channel = workspace.channels[channel_id]
        groups[{"public": "channels", "private": "groups", "im": "ims"}[channel.kind]].append(channel_id)
        place = "public" if channel.kind == "public" else "private"
        shares[place][channel_id] = [_share(workspace, channel, ts) for ts in stamps]
    made = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": mimetype,
        "filetype": filetype if file.ready else "",
        "pretty_type": filetype.upper() if file.ready else "",
        "user": file.user,
        "user_team": workspace.team_id,
        "editable": False,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(groups["channels"]),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": url,
        "url_private_download": url + "?download=1",
        "permalink": url,
        "shares": {place: by_channel for place, by_channel in shares.items() if by_channel},
        "file_access": "visible",
        **groups,
    }
    if file.alt_txt:
        made["alt_txt"] = file.alt_txt
    return made


def _share(workspace: Workspace, channel: Channel, ts: str) -> Json:
    message = channel.messages.get(ts)
    made: Json = {"ts": ts, "reply_count": 0, "reply_users": [], "reply_users_count": 0, "channel_name": channel.name}
    if message is not None and message.thread_ts:
        made["thread_ts"] = message.thread_ts
    return made | {"team_id": workspace.team_id, "share_user_id": message.user if message else ""}
