"""A Python client for the control API: act as any person of the workspace, from a test or a script."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from bot.sandbox import blocks as block_kit
from bot.sandbox.outcome import Outcome
from bot.sandbox.wire import Json

__all__ = ["ControlError", "Message", "Outcome", "Person", "SandboxClient", "View"]

POLL_SECONDS = 0.02
KEPT_SECONDS = 2.0  # an idle connection is used again within this time; the workspace closes it after a minute
HOME_SECONDS = 3.0  # for the app to publish the Home tab again in open_home
FIRST_HOME_SECONDS = 10.0  # the same for the first time
Found = TypeVar("Found")


class ControlError(Exception):
    """The workspace refused an action. The text is its sentence, `status` the HTTP status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Message:
    channel: str
    ts: str
    thread_ts: str | None
    user: str
    text: str
    blocks: list[Json]
    ephemeral: bool
    reactions: dict[str, list[str]]
    files: list[Json]
    metadata: Json | None
    edited: bool
    thread: Json = field(default_factory=dict)

    @property
    def plain(self) -> str:
        """All visible text, one text object per line."""
        return block_kit.plain(self.text, self.blocks)

    @property
    def buttons(self) -> list[str]:
        return block_kit.buttons(self.blocks)


@dataclass(frozen=True)
class View:
    """An open modal, or a Home tab; `depth` counts from 1 for the lowest of a stack."""

    id: str
    type: str
    callback_id: str
    title: str
    blocks: list[Json]
    private_metadata: str
    hash: str
    depth: int
    state: Json
    app: str

    @property
    def plain(self) -> str:
        return block_kit.plain(self.title, self.blocks)

    @property
    def buttons(self) -> list[str]:
        return block_kit.buttons(self.blocks)


Place = Message | View


class SandboxClient:
    """`SandboxClient("http://127.0.0.1:7007")`; close it or use it as a context manager. May be shared by threads."""

    def __init__(self, address: str) -> None:
        self.address = address
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=KEPT_SECONDS)
        secure = address.startswith("https:")  # without TLS, no certificates are loaded, which takes time
        self._http = httpx.Client(base_url=address, timeout=120.0, limits=limits, trust_env=False, verify=secure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def person(self, reference: str) -> "Person":
        """A person, by id or by name."""
        me = self.get("state", person=reference)["me"]
        return Person(self, me["id"], me["name"])

    def wait_for(self, condition: Callable[[], Found], timeout: float = 30.0, what: str = "") -> Found:
        """Calls `condition` every 20 ms until its result is true, and returns that. Raises TimeoutError with the last
        answer."""
        end = time.monotonic() + timeout
        while not (found := condition()):
            if time.monotonic() > end:
                wanted = what or getattr(condition, "__name__", "it")
                raise TimeoutError(f"{wanted} was still {found!r} after {timeout} s")
            time.sleep(POLL_SECONDS)
        return found

    def calls(self, method: str | None = None) -> list[Json]:
        """The Web API calls so far, oldest first: method, args, status, ok, error, at."""
        return list(self.get("calls", **({"method": method} if method else {}))["calls"])

    def inspector(self, since: int = 0) -> list[Json]:
        return list(self.get("inspector", since=since)["entries"])

    def fault(self, method: str, kind: str, times: int = 1, retry_after: int = 1, seconds: float = 60) -> None:
        """Makes the next `times` calls fail: ratelimited, server_error, timeout, lost_answer or any Slack error code.
        method: a method, `response_url`, `upload`, or `*` for any."""
        self.do("faults", method=method, kind=kind, times=times, retry_after=retry_after, seconds=seconds)

    def clear_faults(self) -> None:
        self.do("faults", kind="none")

    def drop_sockets(self, app: str | None = None, abruptly: bool = False) -> int:
        """Closes sockets without a warning; abruptly: without a close frame either."""
        return int(self.do("sockets/drop", app=app, abruptly=abruptly)["dropped"])

    def refresh_sockets(self, app: str | None = None) -> None:
        """Warns the sockets now and closes them ten seconds later (see advance)."""
        self.do("sockets/refresh", app=app)

    def events(self, mode: str) -> None:
        """Sets how events are delivered: normal, twice, late or reordered."""
        self.do("events", mode=mode)

    def verify_url(self, app: str | None = None) -> Outcome:
        return Outcome(**self.do("verify", app=app))

    def add_person(self, id: str, name: str, channels: list[str] | None = None, **fields: Any) -> "Person":
        self.do("people", id=id, name=name, channels=channels or [], **fields)
        return self.person(id)

    def add_channel(self, id: str, name: str, members: list[str] | None = None, **fields: Any) -> str:
        return str(self.do("channels", id=id, name=name, members=members or [], **fields)["id"])

    def change_person(self, person: str, **fields: Any) -> None:
        """Changes kind, tz, real_name or admin. Apps receive user_change."""
        self.do("people/change", person=person, **fields)

    def deactivate(self, person: str) -> None:
        self.do("people/change", person=person, kind="deactivated")

    def add_group(self, id: str, handle: str, members: list[str] | None = None, **fields: Any) -> str:
        return str(self.do("groups", id=id, handle=handle, members=members or [], **fields)["id"])

    def change_group(self, group: str, **fields: Any) -> None:
        """Changes members (all of them) or disabled. Apps receive subteam_members_changed and subteam_updated."""
        self.do("groups/change", group=group, **fields)

    def invite(self, person: str, channel: str) -> None:
        self.do("invite", person=person, channel=channel)

    def kick(self, person: str, channel: str) -> None:
        self.do("kick", person=person, channel=channel)

    def archive(self, channel: str, undo: bool = False) -> None:
        self.do("archive", channel=channel, undo=undo)

    def revoke_token(self, app: str | None = None) -> str:
        """Revokes the app's bot token and returns a new one."""
        return str(self.do("tokens/revoke", app=app)["bot_token"])

    def advance(self, seconds: float) -> None:
        """Advances the workspace's clock, which retries, triggers, rates and response_urls use."""
        self.do("clock/advance", seconds=seconds)

    def rates(self, on: bool) -> None:
        self.do("rates", on=on)

    def state(self) -> Json:
        return self.get("state")

    def get(self, path: str, **query: Any) -> Json:
        return _body(self._http.get(f"/control/{path}", params=query))

    def do(self, path: str, **fields: Any) -> Json:
        return _body(self._http.post(f"/control/{path}", json=fields))


@dataclass(frozen=True)
class Person:
    box: SandboxClient
    id: str
    name: str

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """The messages that the person sees, oldest first, ephemeral ones too; a thread starts with its parent."""
        query = {"thread_ts": thread_ts} if thread_ts else {}
        found = self.box.get("messages", person=self.id, channel=channel, **query)["messages"]
        return [_message(each) for each in found]

    def click(self, message: Message, name: str, *, action_ts: str | None = None, retries: int = 0) -> Outcome:
        """Clicks a button or an entry of an overflow menu, named by its text or action_id."""
        return self._act("click", **_at(message), name=name, action_ts=action_ts, retries=retries)

    def choose(self, place: Place, action_id: str, value: object) -> Outcome:
        """Chooses in a select, radio group, checkboxes or picker: an option (value or text), an id, a date, a list."""
        return self._act("choose", **_at(place), action_id=action_id, value=value)

    def suggestions(self, place: Place, action_id: str, query: str) -> list[Json]:
        """The app's options for the text typed into an external select."""
        found = self.box.do("suggestions", person=self.id, **_at(place), action_id=action_id, query=query)
        return list(found["options"])

    @property
    def views(self) -> list[View]:
        """The open modals; the top one is last."""
        return [_view(each) for each in self.box.get("views", person=self.id)["views"]]

    @property
    def view(self) -> View | None:
        views = self.views
        return views[-1] if views else None

    @property
    def home(self) -> View | None:
        return self.home_of(None)

    def home_of(self, app: str | None) -> View | None:
        found = self.box.get("home", person=self.id, **({"app": app} if app else {}))["view"]
        return _view(found) if found else None

    def open_home(self, app: str | None = None) -> View:
        """Opens the app's Home tab and waits until the app has published it again."""
        before = self.home_of(app)
        outcome = self._act("home/open", app=app)
        began = time.monotonic()
        while (now := self.home_of(app)) is None or (before is not None and now.hash == before.hash):
            waited = time.monotonic() - began
            if now is not None and waited > HOME_SECONDS:
                return now
            if waited > FIRST_HOME_SECONDS:
                raise ControlError(f"The app published no Home tab ({outcome.error or 'it acknowledged'}).", 504)
            time.sleep(POLL_SECONDS)
        return now

    def submit(self, values: Json | None = None) -> Outcome:
        """Fills in the top modal by block_id and submits it; other inputs keep their values."""
        return self._act("submit", values=values or {})

    def click_view(self, name: str) -> Outcome:
        return self._act("click", surface="modal", name=name)

    def close_view(self, everything: bool = False) -> Outcome:
        return self._act("close", everything=everything)

    def click_home(self, name: str, app: str | None = None) -> Outcome:
        return self._act("click", surface="home", name=name, app=app)

    def react(self, message: Message, name: str, *, event_ts: str | None = None) -> Outcome:
        return self._act("react", channel=message.channel, ts=message.ts, name=name, event_ts=event_ts)

    def unreact(self, message: Message, name: str, *, event_ts: str | None = None) -> Outcome:
        return self._act("react", channel=message.channel, ts=message.ts, name=name, event_ts=event_ts, remove=True)

    def command(self, text: str, channel: str) -> Outcome:
        return self._act("command", text=text, channel=channel)

    def shortcut(self, message: Message, callback_id: str) -> Outcome:
        return self._act("shortcut", callback_id=callback_id, channel=message.channel, ts=message.ts)

    def global_shortcut(self, callback_id: str) -> Outcome:
        return self._act("shortcut", callback_id=callback_id)

    def post(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        return _message(self.box.do("post", person=self.id, channel=channel, text=text, thread_ts=thread_ts)["message"])

    def edit(self, message: Message, text: str) -> Message:
        fields = {"channel": message.channel, "ts": message.ts, "text": text}
        return _message(self.box.do("edit", person=self.id, **fields)["message"])

    def delete(self, message: Message) -> None:
        self.box.do("delete", person=self.id, channel=message.channel, ts=message.ts)

    def join(self, channel: str) -> None:
        self.box.do("join", person=self.id, channel=channel)

    def leave(self, channel: str) -> None:
        self.box.do("leave", person=self.id, channel=channel)

    def _act(self, path: str, **fields: Any) -> Outcome:
        return Outcome(**self.box.do(path, person=self.id, **fields))


def _at(place: Place) -> Json:
    if isinstance(place, Message):
        return {"channel": place.channel, "ts": place.ts}
    return {"surface": place.type, "app": place.app}


def _body(answer: httpx.Response) -> Json:
    body: Json = answer.json()
    if answer.status_code >= 400:
        raise ControlError(str(body.get("error")), answer.status_code)
    return body


def _message(given: Json) -> Message:
    return Message(**{name: given[name] for name in Message.__dataclass_fields__})


def _view(given: Json) -> View:
    title = block_kit.words(given.get("title") or {})
    named = {name: given[name] for name in View.__dataclass_fields__ if name != "title"}
    return View(title=title, **named)
