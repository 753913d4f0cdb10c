"""The data that the invariants read, and their findings."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.place import LEADS as LEAD_PEOPLE
from benchmarks.chaos.place import REVIEW, REVIEWERS, Place


@dataclass(frozen=True)
class Finding:
    """broken: each violation in words; empty where the invariant holds. held: of how many things it was checked."""

    name: str
    held: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """What one person alone was told."""

    at: float
    text: str


@dataclass
class Scene:
    place: Place
    ledger: Ledger
    notes: dict[str, int] = field(default_factory=dict)  # figures beside the invariants

    @cached_property
    def told(self) -> dict[str, list[Words]]:
        """Person -> the messages that only they saw, oldest first."""
        found = {}
        for who in (*REVIEWERS, *LEAD_PEOPLE):
            seen = self.place.box.person(who).messages(REVIEW)
            found[who] = [Words(float(one.ts), one.plain) for one in seen if one.ephemeral]
        return found

    @cached_property
    def posts(self) -> list[dict[str, Any]]:
        """Every message of every channel, as the workspace has it."""
        return [message for channel in self.place.box.state()["channels"] for message in channel["messages"]]
