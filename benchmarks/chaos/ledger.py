"""The ledger of actions of people and senders, with the responses they got, for comparison with the rows.

Times are seconds since 1970 of this machine, `clicked_at` and `reacted_at` microseconds as Slack counts them.
"""

import threading
from dataclasses import dataclass, field

from core.vocabulary import AnswerKind


@dataclass(frozen=True)
class Click:
    """One delivery of a click about an item. heard: the workspace saw it acknowledged."""

    person: str
    item_id: int
    kind: AnswerKind
    label: str | None
    clicked_at: int
    sent: float
    answered: float
    heard: bool
    by_lead: bool = False


@dataclass(frozen=True)
class Form:
    """The form "label and why", sent once. recorded: it closed, as it does when the answer was taken."""

    person: str
    item_id: int
    label: str
    note: str  # no two are alike, so it tells which submission a row came from
    sent: float
    answered: float
    heard: bool
    recorded: bool


@dataclass(frozen=True)
class Reacted:
    person: str
    channel: str
    ts: str
    approves: bool
    reacted_at: int


@dataclass(frozen=True)
class Typed:
    """A slash command and the words of its answer."""

    person: str
    text: str
    heard: bool
    words: str


@dataclass(frozen=True)
class Sent:
    """A prediction that the API has accepted."""

    external_id: str
    model_version: str
    text: str
    uncertain: bool


@dataclass(frozen=True)
class Outage:
    """PostgreSQL was away, from a little before it went until it answered again."""

    kind: str  # stop, crash
    since: float
    until: float


@dataclass
class Ledger:
    """Written by many threads, read when they have ended."""

    clicks: list[Click] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    reactions: list[Reacted] = field(default_factory=list)
    commands: list[Typed] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    kills: list[tuple[float, str]] = field(default_factory=list)  # when, whom
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: Click | Form | Reacted | Typed | Sent | Outage) -> None:
        lists = {
            Click: self.clicks,
            Form: self.forms,
            Reacted: self.reactions,
            Typed: self.commands,
            Sent: self.sent,
            Outage: self.outages,
        }
        with self._lock:
            lists[type(what)].append(what)  # type: ignore[attr-defined]

    def away(self, since: float, until: float, grace: float = 4.0) -> bool:
        """Was the database away at any time of these, or less than `grace` seconds before?"""
        return any(one.since < until and since < one.until + grace for one in self.outages)

    def killed(self, since: float, until: float) -> bool:
        return any(since <= at <= until for at, _ in self.kills)
