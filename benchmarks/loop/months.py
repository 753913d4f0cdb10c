"""A month: from seeds to the last cycle's decision, in one of three ways (`Arm`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop.pairs import Made, confusions, made_candidates, measured
from benchmarks.loop.people import People, usually_taken_for
from benchmarks.loop.plan import Arm, Setting
from benchmarks.loop.product import Product, opened
from benchmarks.loop.results import Cost, Cycle, Month, Pair
from benchmarks.loop.sources import Source
from benchmarks.loop.spoiling import Batch, RowId, row_id
from benchmarks.loop.world import BoolArray, Traffic, World, make_world
from core.learning.data.inputs import Input
from core.learning.data.snapshots import Row
from core.learning.learners.base import Fitted
from core.learning.lifecycle.serving import LiveModel
from core.records.learning import TrainingRun
from core.text.content_hash import content_hash
from core.vocabulary import Stratum

PORTION = 100  # texts that arrive between two looks whether enough are settled
# Random labels only train: shown with the model's suggestion, nothing becomes golden.
SECTIONS: Mapping[Arm, Mapping[str, Any]] = {
    Arm.ALWAYS: {},
    Arm.GATE: {},
    Arm.RANDOM: {"review": {"blind_share": 0.0}},
}

Told = Callable[[str], None]


@dataclass
class Play:
    """A month under way. right: model id -> whether it is right on each unseen text."""

    setting: Setting
    arm: Arm
    world: World
    product: Product
    traffic: Traffic
    people: People
    chance: np.random.Generator  # of the pairs alone: the months of two arms meet the same texts and votes
    cost: Cost = field(default_factory=Cost)
    right: dict[int, BoolArray] = field(default_factory=dict)
    snapshots: list[frozenset[RowId]] = field(default_factory=list)
    arrived: int = 0

    def first_model(self) -> LiveModel:
        self.product.seed([(row.text, row.label) for row in self.world.seeds])
        with self.cost.of("training"):
            model_id = self.product.train()
        self.product.decide(model_id, self.product.verdict(model_id).passed, anyway=True)
        self.snapshots.append(frozenset(map(row_id, self.product.run_of(model_id)[1])))
        return self._opened(model_id)

    def cycle(self, cycle: int, live: LiveModel) -> tuple[Cycle, LiveModel, list[Pair]]:
        """Returns what came of it, the model that is live then, and the pairs that were measured."""
        self.product.begin_cycle(cycle)
        arrived = self.arrived
        with self.cost.of("predictions and votes"):
            self._collect(cycle, live)
        with self.cost.of("training"):
            model_id = self.product.train()
        candidate, verdict = self._opened(model_id), self.product.verdict(model_id)
        run, rows = self.product.run_of(model_id)
        made = self._made(cycle, candidate, rows)
        pairs = self._measured(made, run, cycle, live, twin=False)
        self.product.decide(model_id, verdict.passed, anyway=self.arm is not Arm.GATE)
        pairs += self._measured(made, run, cycle, candidate, twin=True)
        self.snapshots.append(frozenset(map(row_id, rows)))
        done = Cycle(
            cycle,
            self.accuracy(live.id, cycle),
            self.accuracy(candidate.id, cycle),
            verdict.passed,
            verdict.blocks,
            self.arrived - arrived,
            self.setting.corrections,
            self._golden_counts(),
        )
        return done, candidate if self.product.live_model_id() == model_id else live, pairs

    def accuracy(self, model_id: int, cycle: int) -> float:
        return float(self.world.weights(cycle) @ self.right[model_id])

    def wrong_golden(self) -> float:
        """Share of the golden labels that are not the right ones."""
        truth = {content_hash(row.text): row.label for row in self.world.source.stream}
        golden = self.product.golden()
        return sum(truth[one.content_hash] != one.label for one in golden) / max(1, len(golden))

    def _collect(self, cycle: int, live: LiveModel) -> None:
        """Until the cycle's corrections are there; what is left open then comes first in the next one."""
        settled = 0
        everything = self.arm is Arm.RANDOM
        while settled < self.setting.corrections:
            waiting = self.product.open_items()
            if not waiting:
                size = min(PORTION, self.setting.corrections - settled) if everything else PORTION
                rows = [(row.text, row.label) for row in self.traffic.draw(size, cycle)]
                self.arrived += size
                self.product.predict(live, rows, flagged=everything)
            for item_id, label in waiting[: self.setting.corrections - settled]:
                self._settle(item_id, label)
                settled += 1

    def _settle(self, item_id: int, label: str) -> None:
        with self.product.database.transaction() as session:
            self.people.settle(session, item_id, label, self.product.clock(), self.product.policy)

    def _opened(self, model_id: int) -> LiveModel:
        model = self.product.model(model_id)
        with self.cost.of("unseen texts"):
            self.right[model_id] = self._right(model.fitted)
        return model

    def _right(self, fitted: Fitted) -> BoolArray:
        unseen = self.world.source.unseen
        best = fitted.probabilities([Input(row.text) for row in unseen]).argmax(axis=1)
        return np.array([fitted.classes[place] == row.label for place, row in zip(best, unseen, strict=True)])

    def _made(self, cycle: int, candidate: LiveModel, rows: Sequence[Row]) -> list[Made]:
        """Spoilt, older and equal candidates, where this cycle has some."""
        every = self.setting.pairs_every
        if self.arm is not Arm.ALWAYS or not every or cycle % every:
            return []
        before = dict(enumerate(reversed(self.snapshots), 1))
        batch = Batch(rows, before, confusions(candidate.fitted, rows))
        return made_candidates(self.product, batch, self._right, self.chance, self.cost)

    def _measured(self, made: Sequence[Made], run: TrainingRun, cycle: int, live: LiveModel, twin: bool) -> list[Pair]:
        weights, pairs = self.world.weights(cycle), []
        for one in made:
            difference = 100 * float(weights @ one.right - weights @ self.right[live.id])
            verdict = measured(self.product, run, one, self.cost)
            pairs.append(Pair(cycle, one.kind, twin, difference, verdict.passed, verdict.blocks))
        return pairs

    def _golden_counts(self) -> tuple[int, int]:
        strata = [one.stratum for one in self.product.golden()]
        return strata.count(Stratum.RANDOM), strata.count(Stratum.PAST_ERROR)


def play(setting: Setting, arm: Arm, source: Source, folder: Path, told: Told) -> Month:
    """Play a month on a database in `folder`. The same setting and arm give the same month. told: hears of each
    cycle."""
    numbers = np.random.SeedSequence([setting.seed, *setting.file_name.encode()])
    for_world, for_traffic, for_people, for_pairs = map(np.random.default_rng, numbers.spawn(4))
    world = make_world(source, setting, for_world)
    file = folder / f"{setting.file_name}-{arm}.sqlite"
    with opened(file, world.labels, SECTIONS[arm]) as product:
        people = People(world.labels, usually_taken_for(world.labels, for_people), for_people)
        this = Play(setting, arm, world, product, Traffic(world, for_traffic), people, for_pairs)
        live = this.first_model()
        cycles: list[Cycle] = []
        pairs: list[Pair] = []
        for number in range(1, setting.cycles + 1):
            done, live, found = this.cycle(number, live)
            cycles, pairs = [*cycles, done], [*pairs, *found]
            told(f"cycle {number} of {setting.cycles}: {cycle_words(done)}" + (f", {len(found)} pairs" * bool(found)))
        final = this.accuracy(live.id, setting.cycles)
        return Month(setting, arm, tuple(cycles), tuple(pairs), final, this.wrong_golden(), this.cost)


def cycle_words(done: Cycle) -> str:
    verdict = "passed" if done.passed else f"refused: {', '.join(dict.fromkeys(done.blocks))}"
    return f"live {done.live:.3f}, candidate {done.candidate:.3f}, {verdict}"


def gated_without_refusals(always: Month) -> Month | None:
    """The month with the gate, where the one without it shows that nothing would have been refused."""
    if not all(done.passed for done in always.cycles):
        return None
    return replace(always, arm=Arm.GATE, pairs=(), cost=Cost(), copied=True)
