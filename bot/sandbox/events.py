"""Events for apps: subscriptions, scopes and membership decide which app receives which event.

An app receives messages of channels its bot is in. A reaction does not require that the person is a member: people can
react in a channel that they only preview (docs.slack.dev reference/events/reaction_added; gratibot #928).
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.sandbox.config import AppConfig
from bot.sandbox.delivery import Delivery
from bot.sandbox.inspector import Inspector
from bot.sandbox.outcome import Outcome
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Workspace, random_text

KINDS = {"public": "channels", "private": "groups", "im": "im"}
SENT = frozenset(
    (
        *(f"message.{kind}" for kind in KINDS.values()),
        *(
            "app_home_opened",
            "app_mention",
            "file_shared",
            "message_metadata_posted",
            "reaction_added",
            "reaction_removed",
        ),
        *("channel_archive", "channel_unarchive", "group_archive", "group_unarchive"),
        *("member_joined_channel", "member_left_channel", "user_change"),
        *("subteam_members_changed", "subteam_updated"),
    )
)
EVENT_SCOPES = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "message_metadata_posted": "metadata.message:read",
    "user_change": "users:read",
    "file_shared": "files:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
}
MODES = ("normal", "twice", "late", "reordered")
LATE_SECONDS = 5.0  # by the workspace's clock, for which `late` and `reordered` delay an event


@dataclass
class Held:
    app: AppConfig
    payload: Json


@dataclass
class Events:
    workspace: Workspace
    delivery: Delivery
    inspector: Inspector
    mode: str = "normal"
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _collecting: list[asyncio.Future[Outcome]] | None = None
    _held: Held | None = None

    def publish(self, event: Json, channel: Channel | None, only: AppConfig | None) -> None:
        """Starts the delivery to every app that may receive it. `only` limits it to one app (app_home_opened)."""
        for app in self.workspace.apps.values():
            if only is not None and app.id != only.id:
                continue
            for each in self._as_heard(app, event, channel):
                self._start(app, callback(self.workspace, app, each, channel))

    @contextmanager
    def collecting(self) -> Iterator[list[asyncio.Future[Outcome]]]:
        """The first outcomes of the events published inside the block, which must not await."""
        self._collecting = []
        try:
            yield self._collecting
        finally:
            self._collecting = None

    def _as_heard(self, app: AppConfig, event: Json, channel: Channel | None) -> Iterator[Json]:
        kind = str(event["type"])
        if kind == "message":
            if channel is None or app.bot_user not in channel.members:
                return
            if self._subscribed(app, f"message.{KINDS[channel.kind]}"):
                yield event
            mention = f"<@{app.bot_user}>" in str(event.get("text", "")) and event.get("user") != app.bot_user
            if mention and not event.get("subtype") and channel.kind != "im" and self._subscribed(app, "app_mention"):
                yield {name: value for name, value in event.items() if name != "channel_type"} | {"type": "app_mention"}
        elif self._subscribed(app, kind) and (channel is None or app.bot_user in channel.members):
            yield from as_granted(app, event)

    def _subscribed(self, app: AppConfig, name: str) -> bool:
        if app.events is not None and name not in app.events:
            return False
        needed = EVENT_SCOPES.get(name)
        if needed is not None and not app.granted(needed):
            self.inspector.note("note", app=app.id, text=f"{name} was not delivered: the scope {needed} is missing.")
            return False
        return True

    def _start(self, app: AppConfig, payload: Json) -> None:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self._collecting is not None:
            self._collecting.append(done)
        self.run(self._deliver(app, payload, done))

    def run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _deliver(self, app: AppConfig, payload: Json, done: asyncio.Future[Outcome]) -> None:
        try:
            await self._deliver_as_ordered(app, payload, done)
        finally:
            _settle(done, Outcome(False, error="the workspace is closing"))

    async def _deliver_as_ordered(self, app: AppConfig, payload: Json, done: asyncio.Future[Outcome]) -> None:
        if self.mode in ("late", "reordered"):
            _settle(done, Outcome(False, error=f"held back (events={self.mode})"))
            await self._hold(app, payload)
            return
        outcome = await self.delivery.first_attempt(app, payload)
        _settle(done, outcome)
        if self.mode == "twice":
            await self.delivery.first_attempt(app, payload)
        await self.delivery.retry(app, payload, outcome)

    async def _hold(self, app: AppConfig, payload: Json) -> None:
        """Delays an event. Late: by some seconds. Reordered: until after the next event, or by those seconds."""
        if self.mode == "reordered":
            before, self._held = self._held, None
            if before is not None:
                await self.delivery.event(app, payload)
                await self.delivery.event(before.app, before.payload)
                return
            held = self._held = Held(app, payload)
            await self.workspace.clock.sleep(LATE_SECONDS)
            if self._held is not held:
                return
            self._held = None
        else:
            await self.workspace.clock.sleep(LATE_SECONDS)
        await self.delivery.event(app, payload)

    async def stop(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _settle(done: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not done.done():
        done.set_result(outcome)


def never_sent(app: AppConfig) -> list[str]:
    """The events that the app subscribes to and this workspace does not have."""
    return sorted(set(app.events or ()) - SENT)


def as_granted(app: AppConfig, event: Json) -> Iterator[Json]:
    """Yield the event as this app may receive it: with metadata only if subscribed, and an email address only with the
    scope."""
    if event["type"] == "message_metadata_posted" and app.metadata_subscriptions is not None:
        wanted = {(each.app_id, each.event_type) for each in app.metadata_subscriptions}
        if (event["app_id"], event["metadata"]["event_type"]) not in wanted:
            return
    if event["type"] == "user_change" and not app.granted("users:read.email"):
        profile = {name: value for name, value in event["user"]["profile"].items() if name != "email"}
        event = event | {"user": event["user"] | {"profile": profile}}
    yield event


def callback(workspace: Workspace, app: AppConfig, event: Json, channel: Channel | None) -> Json:
    """The event_callback around an event."""
    return {
        "token": "sandbox",
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{random_text(10).upper()}",
        "event_time": workspace.seconds(),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel is not None and channel.ext_shared,
        "event_context": f"4-{random_text(12)}",
    }
