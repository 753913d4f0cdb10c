"""The state of one workspace: people, channels, messages, views, files. Its rules are in other modules.

One event loop owns a workspace, and no rule awaits while it changes something, so no other locking is needed. Changes
are reported to `on_event` (Slack's events for apps) and `on_change` (for open pages).
"""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.clock import Clock
from bot.sandbox.config import AppConfig, ChannelConfig, GroupConfig, Kind, PersonConfig, SandboxConfig
from bot.sandbox.errors import Refused, SlackError
from bot.sandbox.wire import Json


@dataclass
class Person:
    id: str
    name: str
    real_name: str
    tz: str
    kind: Kind
    admin: bool
    team_id: str
    email: str = ""
    app: AppConfig | None = None  # the app, for a bot user
    updated: int = 0


@dataclass
class Message:
    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    app: AppConfig | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    only_for: str | None = None  # the only person who sees an ephemeral message; None: any other message
    broadcast: bool = False
    inviter: str | None = None  # the person who added someone, in a channel_join


@dataclass
class Channel:
    id: str
    name: str
    private: bool = False
    im_with: tuple[str, str] | None = None  # the person and the bot user of a direct message
    members: list[str] = field(default_factory=list)
    archived: bool = False
    ext_shared: bool = False
    topic: str = ""
    created: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[Message]] = field(default_factory=dict)  # ts of the parent -> its thread, oldest first
    ephemerals: dict[str, Message] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)  # person -> ts of the last message they have seen

    @property
    def kind(self) -> str:
        if self.im_with is not None:
            return "im"
        return "private" if self.private else "public"


@dataclass
class Group:
    id: str
    handle: str
    name: str
    members: list[str]
    disabled: bool
    created: int
    updated: int


@dataclass
class View:
    """A modal or a Home tab as one person sees it; `chosen` is what they have entered, by block and action."""

    id: str
    app: AppConfig
    person: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    chosen: dict[str, Json] = field(default_factory=dict)


@dataclass
class File:
    id: str
    name: str
    length: int
    app: AppConfig | None
    user: str
    created: int
    title: str = ""
    alt_txt: str = ""
    content: bytes = b""
    uploaded: bool = False
    completed: bool = False
    ready: bool = False
    shares: dict[str, list[str]] = field(default_factory=dict)  # channel -> ts of the messages that carry it


@dataclass
class Trigger:
    app: str
    person: str
    expires: float
    used: bool = False
    view: str | None = None  # the modal it was given in, which views.push builds on


@dataclass
class ResponseUrl:
    app: AppConfig
    person: str
    channel: str
    expires: float
    left: int
    message: str | None = None  # ts of the message it may replace
    thread_ts: str | None = None


class Workspace:
    def __init__(self, config: SandboxConfig, clock: Clock | None = None) -> None:
        self.config = config
        self.clock = clock or Clock()
        self.team_id = config.team_id
        self.apps: dict[str, AppConfig] = {app.id: app for app in config.apps}
        self.revoked: set[str] = set()  # former tokens of apps
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.modals: dict[str, list[View]] = {}  # person -> open modals, the top one last
        self.homes: dict[tuple[str, str], View] = {}  # (app, person)
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.choices: dict[tuple[str, str, str], dict[str, Json]] = {}  # (person, channel, ts) -> selections
        self.base_url = ""
        self.on_event: Callable[[Json, Channel | None, AppConfig | None], None] = lambda event, channel, app: None
        self.on_change: Callable[[str, Json, str | None, Channel | None], None] = lambda kind, what, who, where: None
        self._last_ts = 0
        self._ids = 0
        for entry in config.people:
            self.add_person(entry)
        for app in config.apps:
            self._add_bot(app)
        for each in config.channels:
            self.add_channel(each)
        for group in config.groups:
            self.add_group(group)

    def add_person(self, entry: PersonConfig) -> Person:
        team = (entry.team_id or f"T_{entry.id}") if entry.kind == "external" else self.team_id
        person = Person(
            entry.id,
            entry.name,
            entry.real_name or entry.name,
            entry.tz,
            entry.kind,
            entry.admin,
            team,
            "" if entry.kind == "bot" else entry.email or f"{entry.name}@{self.config.team_domain}.example",
            updated=self.seconds(),
        )
        self.people[person.id] = person
        return person

    def add_channel(self, entry: ChannelConfig) -> Channel:
        members = [self._member(reference) for reference in entry.members]
        channel = Channel(
            entry.id,
            entry.name,
            entry.private,
            None,
            members,
            entry.archived,
            entry.ext_shared,
            entry.topic,
            created=self.seconds(),
        )
        self.channels[channel.id] = channel
        return channel

    def add_group(self, entry: GroupConfig) -> Group:
        members = [self.person(reference).id for reference in entry.members]
        now = self.seconds()
        group = Group(entry.id, entry.handle, entry.name or entry.handle, members, entry.disabled, now, now)
        self.groups[group.id] = group
        return group

    def group(self, reference: str) -> Group:
        """A user group, by id or by handle. Raises Refused."""
        for group in self.groups.values():
            if reference in (group.id, group.handle, f"@{group.handle}"):
                return group
        raise Refused(f"There is no user group {reference!r} here.", 404)

    def _add_bot(self, app: AppConfig) -> None:
        person = self.people.get(app.bot_user) or self.add_person(
            PersonConfig(app.bot_user, app.name, app.name, kind="bot")
        )
        person.app = app

    def _member(self, reference: str) -> str:
        if reference in self.apps:
            return self.apps[reference].bot_user
        return self.person(reference).id

    def seconds(self) -> int:
        return int(self.clock.now())

    def new_ts(self) -> str:
        """A timestamp in Slack's form that no other message of this workspace has."""
        self._last_ts = max(self._last_ts + 1, int(self.clock.now() * 1_000_000))
        return ts_text(self._last_ts)

    def new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids:08d}{random_text(4).upper()}"

    def person(self, reference: str) -> Person:
        """A person, by id or by name. Raises Refused."""
        found = self.people.get(reference)
        if found is None:
            found = next((each for each in self.people.values() if reference in (each.name, f"@{each.name}")), None)
        if found is None:
            raise Refused(f"There is no person {reference!r} here.", 404)
        return found

    def acting(self, reference: str) -> Person:
        person = self.person(reference)
        if person.kind == "deactivated":
            raise Refused(f"{person.name}'s account is deactivated.", 403)
        return person

    def find_channel(self, reference: str) -> Channel:
        """A channel, by id or by name, with or without #. Raises SlackError channel_not_found."""
        found = self.channels.get(reference)
        if found is None:
            name = reference.removeprefix("#")
            found = next((each for each in self.channels.values() if each.im_with is None and each.name == name), None)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def visible_channel(self, person: Person, reference: str) -> Channel:
        """A channel that this person can see. Raises Refused, also for private channels of others."""
        try:
            channel = self.find_channel(reference)
        except SlackError:
            channel = None
        if channel is None or not sees_channel(channel, person):
            raise Refused(f"{person.name} cannot see a channel {reference!r}.", 404)
        return channel

    def direct_messages(self, person: str, bot_user: str) -> Channel:
        """The direct messages of a person with a bot, opened at the first use."""
        pair = (person, bot_user)
        for channel in self.channels.values():
            if channel.im_with == pair:
                return channel
        channel = Channel(self.new_id("D"), "", True, pair, list(pair), created=self.seconds())
        self.channels[channel.id] = channel
        self.on_change("channel", {"channel": channel.id}, person, None)
        return channel

    def view(self, view_id: str) -> View | None:
        shown = [view for stack in self.modals.values() for view in stack] + list(self.homes.values())
        return next((view for view in shown if view.id == view_id), None)


def sees_channel(channel: Channel, person: Person) -> bool:
    if person.id in channel.members:
        return True
    return channel.kind == "public" and person.kind in ("full", "bot")


def ts_text(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def random_text(length: int) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))
