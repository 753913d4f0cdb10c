"""The demo's texts, split into disjoint parts, so that the measurement is fair. Of each label, some rows are given at
the start, some are golden, some are held out to measure the accuracy before and after, and the rest arrives as new
tickets. A few labels start with only two rows, like a new kind of request.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from bot.files.tables import labelled_rows
from bot.wording.numbers import count
from core.errors import Invalid
from core.learning.data.inputs import ImageRef, Input
from core.pictures.decoded import Decoded
from core.text.content_hash import content_hash, unit_interval
from core.text.picture_address import picture_address

SEED_SHARE = 0.5  # of the seed file becomes golden, by content hash (`golden.seed_share` in the demo's policy)
SEEDED, GOLDEN, UNSEEN = 0.21, 0.21, 0.26  # shares of each label's rows; the rest arrives as tickets
LATE_LABELS = ("data privacy", "gift card", "repair")  # labels of the demo's own texts that start with two rows
LATE_ROWS = 2
OPENING = 8  # easy tickets that arrive first, for newcomers
HELPDESK = 4  # messages in #helpdesk
FEWEST_ROWS = 60
FEWEST_LABELS = 2
FEWEST_PER_LABEL = 5  # so that each label has a row in every share


@dataclass(frozen=True)
class Ticket:
    """A ticket with its true label. label: None if no label fits. also: other labels that would be defensible. picture:
    in place of a text."""

    text: str
    label: str | None
    also: tuple[str, ...] = ()
    language: str = ""
    picture: Decoded | None = None

    @property
    def input(self) -> Input:
        if self.picture is None:
            return Input(self.text)
        return Input(image=ImageRef(picture_address(self.picture.sha256), self.picture.grey))


@dataclass(frozen=True)
class Shares:
    """The parts of the texts. seed: labelled rows at the start, including those that become golden (by content hash);
    unseen: held-out rows; stream: the tickets that arrive, in this order; helpdesk: messages that people may flag."""

    labels: tuple[str, ...]
    seed: tuple[Ticket, ...]
    unseen: tuple[Ticket, ...]
    stream: tuple[Ticket, ...]
    helpdesk: tuple[Ticket, ...]


def own_tickets() -> list[Ticket]:
    """The messages that ship with Goldloop, written for this demo."""
    return _written("messages.jsonl")


def spanish_tickets() -> list[Ticket]:
    """Messages in Spanish, in which no other ticket is."""
    return _written("spanish.jsonl")


def _written(file: str) -> list[Ticket]:
    lines = files("bot.demo").joinpath(file).read_text(encoding="utf-8").splitlines()
    return [
        Ticket(row["text"], row["label"], tuple(row.get("also", ())), row["language"])
        for row in map(json.loads, lines)
    ]  # fmt: skip


def file_tickets(path: Path, size: int, rng: np.random.Generator) -> list[Ticket]:
    """The user's own labelled texts, sampled to about `size` rows, or to more if a label would have fewer than five.
    Labels get their titles. Raises Invalid if too few are given."""
    unique = {content_hash(text): (text, label) for text, label in labelled_rows(path)}
    shown = titles({label for _text, label in unique.values()})
    tickets = [Ticket(text, shown[label]) for text, label in unique.values()]
    labels = {ticket.label for ticket in tickets}
    if len(tickets) < FEWEST_ROWS or len(labels) < FEWEST_LABELS:
        raise Invalid(
            f"{path}: the demo needs at least {FEWEST_ROWS} different texts and {FEWEST_LABELS} labels; "
            f"this file has {len(tickets)} texts and {len(labels)} labels."
        )
    return sampled(tickets, size, rng)


def titles(labels: Collection[str]) -> dict[str, str]:
    """Label -> title that people see: an identifier such as `card_arrival` becomes “Card arrival”, unless another label
    has that title."""
    words = {label: " ".join(label.split("_")).strip() for label in labels}
    shown = {label: said[:1].upper() + said[1:] if said != label else label for label, said in words.items()}
    taken = Counter(title.casefold() for title in shown.values())
    return {label: title if title and taken[title.casefold()] == 1 else label for label, title in shown.items()}


def expectation(tickets: Sequence[Ticket], size: int, one: str = "text") -> str:
    """A note for the user about the sample: more rows than requested, or labels with too few."""
    counts = Counter(ticket.label for ticket in tickets)
    few = sum(rows < FEWEST_PER_LABEL for rows in counts.values())
    words = f"Using {len(tickets)} {one}s with {len(counts)} labels."
    if len(tickets) > size:
        words += f" These are more than {size}, because each label needs {FEWEST_PER_LABEL}."
    if few:
        it, has = ("it", "has") if few == 1 else ("them", "have")
        words += f" {count(few, 'label')} {has} fewer than {FEWEST_PER_LABEL}: expect the model to miss {it}."
    return words


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
    arriving = [stream[place] for place in rng.permutation(len(stream))]
    easy = [ticket for ticket in arriving if _is_easy(ticket, late)][: OPENING + HELPDESK]
    opening, helpdesk = easy[:OPENING], easy[OPENING:]
    rest = [ticket for ticket in arriving if ticket not in easy]
    labels = tuple(sorted({ticket.label for ticket in tickets if ticket.label is not None}))
    return Shares(labels, tuple(seed), tuple(unseen), (*opening, *rest), tuple(helpdesk))


def _is_easy(ticket: Ticket, late: Sequence[str]) -> bool:
    """Whether one label fits, and the first model knows it."""
    known = ticket.label is not None and ticket.label not in late
    return known and not ticket.also and ticket.language in ("", "en")


def _falls_golden(ticket: Ticket) -> bool:
    """Whether importing the seeds will make this ticket golden."""
    return unit_interval(ticket.input.content_hash, "seed golden") < SEED_SHARE


def _by_label(tickets: Sequence[Ticket], rng: np.random.Generator) -> dict[str, list[Ticket]]:
    grouped: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        if ticket.label is not None:
            grouped[ticket.label].append(ticket)
    return {label: [rows[place] for place in rng.permutation(len(rows))] for label, rows in sorted(grouped.items())}


def sampled(tickets: Sequence[Ticket], size: int, rng: np.random.Generator) -> list[Ticket]:
    """Equal numbers of rows for each label, at least five, as far as there are enough."""
    grouped = _by_label(tickets, rng)
    most = max(FEWEST_PER_LABEL, size // len(grouped))
    return [ticket for rows in grouped.values() for ticket in rows[:most]]
