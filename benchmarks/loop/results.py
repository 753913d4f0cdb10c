"""What came of a month, as values that are kept in a file, so that a stopped benchmark goes on where it was."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.loop.plan import Arm, Setting

NATURAL = "natural"


@dataclass(frozen=True)
class Pair:
    """A candidate measured beside the live model. kind: NATURAL, or how the candidate was made. twin: the live model
    was fitted on the same rows, unspoilt. difference: accuracy on unseen texts, candidate minus live, in points."""

    cycle: int
    kind: str
    twin: bool
    difference: float
    passed: bool
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Cycle:
    """live, candidate: accuracies on unseen texts as the cycle's traffic has them. traffic: texts that arrived;
    corrections: of them; golden: examples that measure, random and past errors."""

    cycle: int
    live: float
    candidate: float
    passed: bool
    blocks: tuple[str, ...]
    traffic: int
    corrections: int
    golden: tuple[int, int]

    @property
    def natural(self) -> Pair:
        difference = 100 * (self.candidate - self.live)
        return Pair(self.cycle, NATURAL, False, difference, self.passed, self.blocks)


@dataclass
class Cost:
    """Seconds by part of the work: elapsed, and of the processor."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[part] = self.wall.get(part, 0.0) + time.perf_counter() - wall
        self.cpu[part] = self.cpu.get(part, 0.0) + time.process_time() - cpu


@dataclass(frozen=True)
class Month:
    """final: accuracy of the live model at the end. wrong_golden: share of the golden labels that are wrong. copied: it
    was not played, because nothing was refused in the month in which everything is promoted: it is that month."""

    setting: Setting
    arm: Arm
    cycles: tuple[Cycle, ...]
    pairs: tuple[Pair, ...]
    final: float
    wrong_golden: float
    cost: Cost
    copied: bool = False


_ADAPTER = TypeAdapter(Month)


def kept(folder: Path, setting: Setting, arm: Arm) -> Month | None:
    file = _file(folder, setting, arm)
    return _ADAPTER.validate_json(file.read_bytes()) if file.exists() else None


def keep(folder: Path, month: Month) -> None:
    """All or nothing: a file that is there is whole."""
    file = _file(folder, month.setting, month.arm)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(_ADAPTER.dump_json(month))
    unfinished.replace(file)


def _file(folder: Path, setting: Setting, arm: Arm) -> Path:
    return folder / f"{setting.file_name}-{arm}.json"
