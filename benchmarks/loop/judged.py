"""The months judged: candidates by their true difference, shares, the aims and the summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.loop.plan import Arm, Setting, Team
from benchmarks.loop.results import Month, Pair
from benchmarks.loop.spoiling import MERGED

BETTER = 0.5  # points on unseen texts from which on a candidate is better, and below minus which it is worse
CLASSES = ("better", "equal", "worse .5-2", "2-5", "> 5")


def class_of(difference: float) -> str:
    """One of `CLASSES`. difference: candidate minus live on unseen texts, in points."""
    if difference >= BETTER:
        return "better"
    if difference > -BETTER:
        return "equal"
    return "worse .5-2" if difference > -2 else "2-5" if difference >= -5 else "> 5"


def in_class(pairs: Sequence[Pair], name: str) -> list[Pair]:
    return [pair for pair in pairs if class_of(pair.difference) == name]


def refused(pairs: Sequence[Pair]) -> int:
    return sum(not pair.passed for pair in pairs)


def refused_share(pairs: Sequence[Pair]) -> float | None:
    """None without any."""
    return refused(pairs) / len(pairs) if pairs else None


@dataclass(frozen=True)
class Months:
    """The months of one size of team: one of each arm for each setting."""

    team: Team
    months: Sequence[Month]

    @property
    def settings(self) -> list[Setting]:
        return list(dict.fromkeys(month.setting for month in self.months))

    def of(self, arm: Arm) -> list[Month]:
        return [month for month in self.months if month.arm is arm]

    def one(self, setting: Setting, arm: Arm) -> Month:
        return next(month for month in self.of(arm) if month.setting == setting)

    @property
    def natural(self) -> list[Pair]:
        """The candidates of the months with the gate."""
        return [done.natural for month in self.of(Arm.GATE) for done in month.cycles]

    @property
    def pairs(self) -> list[Pair]:
        """Every comparison: the natural candidates of both months, each once, and what was made beside them."""
        played = [month for month in (*self.of(Arm.GATE), *self.of(Arm.ALWAYS)) if not month.copied]
        natural = [done.natural for month in played for done in month.cycles]
        return [*natural, *(pair for month in self.of(Arm.ALWAYS) for pair in month.pairs)]

    def final(self, arm: Arm) -> float:
        return mean(month.final for month in self.of(arm))

    def passed_share(self, name: str) -> float | None:
        """Of the comparisons of this class. None without any."""
        found = refused_share(in_class(self.pairs, name))
        return None if found is None else 1 - found


def summary(one: Months) -> dict[str, float | None]:
    """Accuracies are means over the runs; shares are over the candidates, or all comparisons, of all runs."""
    values = {
        "refused_though_better": refused_share(in_class(one.natural, "better")),
        "final": one.final(Arm.GATE),
        "always": one.final(Arm.ALWAYS),
        "random": one.final(Arm.RANDOM),
        "passed_2_5": one.passed_share("2-5"),
        "passed_over_5": one.passed_share("> 5"),
    }
    return {name: None if value is None else round(value, 4) for name, value in values.items()}


@dataclass(frozen=True)
class Aim:
    """value: None where nothing was there to measure it."""

    name: str
    value: float | None
    met: bool


def aims(one: Months) -> list[Aim]:
    """What the loop must keep. A small team has less to see a fall with."""
    over_5, to_5 = (0.10, 0.45) if one.team is Team.SMALL else (0.05, 0.15)
    final, always, random = (round(one.final(arm), 4) for arm in (Arm.GATE, Arm.ALWAYS, Arm.RANDOM))
    merged = [pair for pair in one.pairs if pair.kind == MERGED]
    passed = float(len(merged) - refused(merged))
    return [
        _at_most("refused although better", refused_share(in_class(one.natural, "better")), 0.05),
        _at_most("passed although > 5 points worse", one.passed_share("> 5"), over_5),
        _at_most("passed although 2-5 points worse", one.passed_share("2-5"), to_5),
        Aim(f"final at least always - .005 = {always - 0.005:.3f}", final, final >= always - 0.005),
        Aim(f"final at least random = {random:.3f}", final, final >= random),
        Aim(f"merged classes that passed, of {len(merged)}: none", passed, passed == 0),
    ]


def _at_most(name: str, value: float | None, most: float) -> Aim:
    return Aim(f"{name}: at most {most:.2f}", value, value is None or value <= most)
