"""The demo's text, and its split into parts that keep the measurement honest.

Of each label, some rows are there from the start, some are golden, some are held out (accuracy before and after
is measured on them), and the rest arrives as new tickets. A few labels start with two rows only, as a new kind of
request does.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from bot.files.tables import labelled_rows
from core.errors import Invalid
from core.text.content_hash import content_hash, unit_interval

SEED_SHARE = 0.5  # of the demo's seed file becomes golden, by content hash (`golden.seed_share` in its policy)
SEEDED, GOLDEN, UNSEEN = 0.21, 0.21, 0.26  # of each label's rows; the rest is streamed
LATE_LABELS = ("data privacy", "gift card", "repair")  # of the demo's own text
LATE_ROWS = 2
FEWEST_ROWS = 60
FEWEST_LABELS = 2


@dataclass(frozen=True)
class Ticket:
    """label: None if no label fits. also: other labels that would be defensible."""

    text: str
    label: str | None
    also: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True)
class Shares:
    """seed: labelled rows to start from, including those that become golden (by content hash); unseen: held-out rows;
    stream: the tickets that arrive, in this order."""

    labels: tuple[str, ...]
    seed: tuple[Ticket, ...]
    unseen: tuple[Ticket, ...]
    stream: tuple[Ticket, ...]


def own_tickets() -> list[Ticket]:
    """The messages that ship with Goldloop, written for this demo."""
    lines = files("bot.demo").joinpath("messages.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Ticket(row["text"], row["label"], tuple(row.get("also", ())), row["language"])
        for row in map(json.loads, lines)
    ]  # fmt: skip


def file_tickets(path: Path, size: int, rng: np.random.Generator) -> list[Ticket]:
    """The user's own labelled texts, sampled to about `size` rows with every label kept. Raises Invalid if too few are
    given."""
    unique = {content_hash(text): Ticket(text, label) for text, label in labelled_rows(path)}
    tickets = list(unique.values())
    labels = {ticket.label for ticket in tickets}
    if len(tickets) < FEWEST_ROWS or len(labels) < FEWEST_LABELS:
        raise Invalid(
            f"{path}: the demo needs at least {FEWEST_ROWS} different texts and {FEWEST_LABELS} labels; "
            f"this file has {len(tickets)} texts and {len(labels)} labels."
        )
    return _sampled(tickets, size, rng)


def share_out(tickets: Sequence[Ticket], late: Sequence[str], rng: np.random.Generator) -> Shares:
    """Split the tickets. late: labels with two rows at the start. Raises Invalid if too few labels can start."""
    seed: list[Ticket] = []
    unseen: list[Ticket] = []
    stream = [ticket for ticket in tickets if ticket.label is None]
    for label, rows in _by_label(tickets, rng).items():
        total = len(rows)
        fall_golden = [row for row in rows if _falls_golden(row)]
        others = [row for row in rows if not _falls_golden(row)]
        started = LATE_ROWS if label in late else max(1, round(SEEDED * total))
        chosen = others[:started] + fall_golden[: round(GOLDEN * total)]
        rest = [row for row in rows if row not in chosen]
        held_out = round(UNSEEN * total)
        seed, unseen, stream = seed + chosen, unseen + rest[:held_out], stream + rest[held_out:]
    if len({row.label for row in seed if not _falls_golden(row)}) < FEWEST_LABELS:
        raise Invalid("The demo needs more rows per label: fewer than two labels have a row to start from.")
    order = rng.permutation(len(stream))
    labels = tuple(sorted({ticket.label for ticket in tickets if ticket.label is not None}))
    return Shares(labels, tuple(seed), tuple(unseen), tuple(stream[place] for place in order))


def _falls_golden(ticket: Ticket) -> bool:
    """Whether importing the seed file will make this text golden."""
    return unit_interval(content_hash(ticket.text), "seed golden") < SEED_SHARE


def _by_label(tickets: Sequence[Ticket], rng: np.random.Generator) -> dict[str, list[Ticket]]:
    grouped: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        if ticket.label is not None:
            grouped[ticket.label].append(ticket)
    return {label: [rows[place] for place in rng.permutation(len(rows))] for label, rows in sorted(grouped.items())}


def _sampled(tickets: Sequence[Ticket], size: int, rng: np.random.Generator) -> list[Ticket]:
    """Equal numbers of rows for each label, as far as there are enough."""
    grouped = _by_label(tickets, rng)
    most = max(1, size // len(grouped))
    return [ticket for rows in grouped.values() for ticket in rows[:most]]
