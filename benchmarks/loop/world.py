"""What happens outside the product: which labels there are when, how one is worded, what arrives, and who is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.loop.plan import Setting
from benchmarks.loop.sources import Source, Text

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A run's texts in time. begins: label -> first cycle in which it arrives, 0 for those of the start. drifted: the
    label that changes its wording with the cycle `drifts`; new_wording: of its texts, those that come from then on."""

    source: Source
    labels: tuple[str, ...]
    begins: Mapping[str, int]
    drifted: str
    drifts: int
    new_wording: frozenset[str]
    seeds: tuple[Text, ...]

    def arrives(self, row: Text, cycle: int) -> bool:
        """Whether such a text is part of the traffic of the cycle."""
        worded = row.label != self.drifted or (row.text in self.new_wording) == (cycle >= self.drifts)
        return self.begins[row.label] <= cycle and worded

    def shares(self, cycle: int) -> dict[str, float]:
        """The share of each label in the cycle's traffic. A new one comes at its own share from its first cycle on."""
        rows = {label: 0 for label in self.labels if self.begins[label] <= cycle}
        for row in self.source.stream:
            if row.label in rows:
                rows[row.label] += 1
        return {label: count / sum(rows.values()) for label, count in rows.items()}

    def weights(self, cycle: int) -> FloatArray:
        """Of the unseen texts, so that they stand for the cycle's traffic; the sum is 1."""
        here = [self.arrives(row, cycle) for row in self.source.unseen]
        counts: dict[str, int] = {}
        for row, counted in zip(self.source.unseen, here, strict=True):
            counts[row.label] = counts.get(row.label, 0) + counted
        shares = self.shares(cycle)
        raw = [
            shares[row.label] / counts[row.label] if counted else 0.0
            for row, counted in zip(self.source.unseen, here, strict=True)
        ]
        return np.array(raw) / sum(raw)


def make_world(source: Source, setting: Setting, rng: np.random.Generator) -> World:
    """Late labels are spread over the first two thirds of the run, the wording changes in its middle."""
    chosen = source.labels if not setting.labels else [str(one) for one in _some(source.labels, setting.labels, rng)]
    known = source.only(set(chosen))
    drifted, *late = (str(one) for one in _some(known.labels, setting.late + 1, rng))
    step = 2 * setting.cycles / 3 / max(1, len(late))
    begins = dict.fromkeys(known.labels, 0) | {label: 2 + int(n * step) for n, label in enumerate(late)}
    world = World(
        source=known,
        labels=tuple(known.labels),
        begins=begins,
        drifted=drifted,
        drifts=setting.cycles // 2 + 1,
        new_wording=_new_wording(known, drifted),
        seeds=(),
    )
    return World(**{**vars(world), "seeds": _seeds(world, setting.seeds, rng)})


def _some(labels: Sequence[str], count: int, rng: np.random.Generator) -> Sequence[str]:
    return list(rng.choice(sorted(labels), min(count, len(labels)), replace=False))


def _new_wording(source: Source, label: str) -> frozenset[str]:
    """Half of the label's texts, those on one side of the direction in which its words differ most."""
    own = [row.text for row in source.stream if row.label == label]
    unseen = [row.text for row in source.unseen if row.label == label]
    words = TfidfVectorizer().fit(own)
    # The first direction is what all have in common.
    directions = TruncatedSVD(2, random_state=0).fit(words.transform(own))
    border = np.median(directions.transform(words.transform(own))[:, 1])
    places = directions.transform(words.transform(own + unseen))[:, 1]
    return frozenset(text for text, place in zip(own + unseen, places, strict=True) if place > border)


def _seeds(world: World, of_each: int, rng: np.random.Generator) -> tuple[Text, ...]:
    rows = [row for row in world.source.stream if world.begins[row.label] == 0 and world.arrives(row, 0)]
    found: list[Text] = []
    taken: dict[str, int] = {}
    for place in rng.permutation(len(rows)):
        row = rows[place]
        taken[row.label] = taken.get(row.label, 0) + 1
        if taken[row.label] <= of_each:
            found.append(row)
    return tuple(found)


@dataclass
class Traffic:
    """Texts as they arrive. A label's texts come in random order, and again when all have come."""

    world: World
    rng: np.random.Generator
    _decks: dict[tuple[str, bool], list[Text]] = field(default_factory=dict)

    def draw(self, count: int, cycle: int) -> list[Text]:
        shares = self.world.shares(cycle)
        drawn = self.rng.choice(list(shares), count, p=list(shares.values()))
        return [self._next(str(label), cycle) for label in drawn]

    def _next(self, label: str, cycle: int) -> Text:
        key = (label, cycle >= self.world.drifts)
        deck = self._decks.get(key) or self._shuffled(label, cycle)
        self._decks[key] = deck
        return deck.pop()

    def _shuffled(self, label: str, cycle: int) -> list[Text]:
        seeds = set(self.world.seeds)
        rows = [row for row in self.world.source.stream if row.label == label and self.world.arrives(row, cycle)]
        fresh = [row for row in rows if row not in seeds] or rows
        return [fresh[place] for place in self.rng.permutation(len(fresh))]
