"""The plan: which months are played, and under which conditions."""

import re
from dataclasses import dataclass
from enum import StrEnum

SOURCES = ("banking77", "clinc150", "hwu64")


class Team(StrEnum):
    """How large a queue is: its labels and its corrections."""

    MONTHS = "months"
    SMALL = "small teams"


class Arm(StrEnum):
    """How a month goes. ALWAYS: every candidate is promoted, whatever the gate says, and pairs are measured beside it.
    GATE: a lead approves what passes. RANDOM: as many labels, of random texts, all for training, always promoted."""

    ALWAYS = "always"
    GATE = "gate"
    RANDOM = "random"


@dataclass(frozen=True)
class Setting:
    """The conditions of a run.

    labels: as many of the data set's, drawn at random; 0: all. corrections: of a cycle. late: labels that appear later,
    without any seed row. seeds: labelled rows of each other label to start from. pairs_every: cycles between two looks
    at pairs; 0: none."""

    source: str
    seed: int
    team: Team
    cycles: int
    corrections: int
    labels: int
    late: int
    seeds: int = 10
    pairs_every: int = 4

    @property
    def name(self) -> str:
        return f"{self.source} {self.seed}"

    @property
    def file_name(self) -> str:
        words = f"{self.source} {self.team} {self.seed} {self.cycles} x {self.corrections} of {self.labels}"
        return re.sub(r"\W+", "-", f"{words} {self.late} {self.seeds} {self.pairs_every}")


def months(source: str, seed: int, cycles: int) -> Setting:
    labels = 75 if source == "clinc150" else 0
    return Setting(source, seed, Team.MONTHS, cycles, corrections=200, labels=labels, late=8)


def small_team(source: str, seed: int, cycles: int) -> Setting:
    return Setting(source, seed, Team.SMALL, cycles, corrections=50, labels=14, late=2)


def planned(seeds: int, cycles: int) -> list[Setting]:
    """The long ones first, so that no process is left with one at the end."""
    runs = [(source, seed) for seed in range(1, seeds + 1) for source in SOURCES]
    return [team(source, seed, cycles) for team in (months, small_team) for source, seed in runs]
