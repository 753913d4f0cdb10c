"""The report: each cycle, the months, the pairs, what each rule of the gate found, the aims, the cost, the summary."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import mean

from benchmarks.loop.judged import CLASSES, Months, aims, class_of, in_class, refused, refused_share, summary
from benchmarks.loop.months import cycle_words
from benchmarks.loop.plan import Arm, Team
from benchmarks.loop.results import NATURAL, Cost, Month, Pair
from benchmarks.loop.spoiling import KINDS
from core.learning.evaluation.intervals import wilson

NAME, WIDTH = 20, 13  # characters of a row's name and of a column


def report(months: Sequence[Month]) -> Iterator[str]:
    """Lines. The last one is the summary of the months, as JSON."""
    teams = [Months(team, [month for month in months if month.setting.team is team]) for team in Team]
    shown = [one for one in teams if one.months]
    for one in shown:
        yield from _cycles(one)
    for one in shown:
        yield from (*_months_table(one), *_pairs_table(one), *_rules_table(one), *_aims(one))
    yield from _costs(months)
    for one in shown[:1]:
        yield f"SUMMARY {json.dumps(summary(one))}"


def _row(name: str, cells: Iterable[str]) -> str:
    return f"{name:{NAME}}" + "".join(f"{cell:>{max(WIDTH, len(cell) + 2)}}" for cell in cells)


def _cycles(one: Months) -> Iterator[str]:
    for month in one.months:
        same = ": as always, since nothing was refused" if month.copied else ""
        yield f"{one.team}, {month.setting.name}, {month.arm}{same}"
        for done in () if month.copied else month.cycles:
            random, past = done.golden
            texts = f"{done.corrections} of {done.traffic} texts"
            yield f"{done.cycle:4}  {cycle_words(done)}; {texts}, golden {random} random, {past} past errors"
    yield ""


def _months_table(one: Months) -> Iterator[str]:
    setting = one.settings[0]
    yield f"{one.team}: {len(one.settings)} runs of {setting.cycles} cycles of {setting.corrections} corrections"
    names = ("candidates", "better", "refused", "though better", "final", "always", "random", "wrong golden")
    yield _row("", names)
    for each in one.settings:
        own = Months(one.team, [month for month in one.months if month.setting == each])
        yield _row(each.name, _months_cells(own))
    yield _row("all", _months_cells(one))
    yield ""


def _months_cells(one: Months) -> list[str]:
    """Counts are sums over the runs, accuracies and shares are means."""
    better = in_class(one.natural, "better")
    counts = (len(one.natural), len(better), refused(one.natural), refused(better))
    finals = (one.final(arm) for arm in (Arm.GATE, Arm.ALWAYS, Arm.RANDOM))
    shares = (*finals, mean(month.wrong_golden for month in one.of(Arm.GATE)))
    return [*map(str, counts), *(f"{value:.3f}" for value in shares)]


def _pairs_table(one: Months) -> Iterator[str]:
    yield f"{one.team}, pairs: refused of all, by true difference (points on unseen texts, candidate minus live)"
    yield _row("", CLASSES)
    for kind in _kinds(one):
        yield _by_class(kind, [pair for pair in one.pairs if pair.kind == kind], _fraction)
    yield _by_class("beside a twin", [pair for pair in one.pairs if pair.twin], _fraction)
    yield _by_class("all", one.pairs, _fraction)
    yield _by_class("all, share", one.pairs, _share)
    yield _by_class("95 % interval", one.pairs, _interval)
    yield ""


def _kinds(one: Months) -> list[str]:
    return [kind for kind in (NATURAL, *KINDS) if any(pair.kind == kind for pair in one.pairs)]


def _by_class(name: str, pairs: Sequence[Pair], cell: Callable[[Sequence[Pair]], str]) -> str:
    return _row(name, [cell(found) if (found := in_class(pairs, each)) else "-" for each in CLASSES])


def _fraction(pairs: Sequence[Pair]) -> str:
    return f"{refused(pairs)}/{len(pairs)}"


def _share(pairs: Sequence[Pair]) -> str:
    return f"{refused_share(pairs):.2f}"


def _interval(pairs: Sequence[Pair]) -> str:
    found = wilson(refused(pairs), len(pairs))
    return f"{found.low:.2f} to {found.high:.2f}"


def _rules_table(one: Months) -> Iterator[str]:
    """Whatever codes the gate has given."""
    codes = sorted({code for pair in one.pairs for code in pair.blocks})
    yield f"{one.team}, rules: candidates that each refused; those on natural ones that are better are false alarms"
    yield _row("", ["candidates", *codes])
    natural = [pair for pair in one.pairs if pair.kind == NATURAL]
    better = [pair for pair in natural if class_of(pair.difference) == "better"]
    yield _rules_row("natural, better", better, codes)
    for kind in _kinds(one):
        yield _rules_row(kind, [pair for pair in one.pairs if pair.kind == kind], codes)
    yield ""


def _rules_row(name: str, pairs: Sequence[Pair], codes: Sequence[str]) -> str:
    fired = Counter(code for pair in pairs for code in set(pair.blocks))
    return _row(name, [str(len(pairs)), *(f"{fired[code]:>{len(code)}}" for code in codes)])


def _aims(one: Months) -> Iterator[str]:
    yield f"{one.team}, aims"
    for aim in aims(one):
        value = "-" if aim.value is None else f"{aim.value:.3f}"
        yield f"{'met' if aim.met else 'MISSED':8}{value:>8}  {aim.name}"
    yield ""


def _costs(months: Sequence[Month]) -> Iterator[str]:
    """The months of a size of team together; with several processes they overlap."""
    yield "seconds, elapsed and of the processor"
    for team in Team:
        for arm in Arm:
            costs = [month.cost for month in months if month.setting.team is team and month.arm is arm]
            parts = sorted({part for cost in costs for part in cost.wall})
            if parts:
                yield f"{team + ', ' + arm:{NAME}}  {'; '.join(_part(part, costs) for part in parts)}"
    wall = sum(sum(month.cost.wall.values()) for month in months)
    cpu = sum(sum(month.cost.cpu.values()) for month in months)
    yield f"{'all':{NAME}}  {wall:.0f}, {cpu:.0f}"
    yield ""


def _part(part: str, costs: Sequence[Cost]) -> str:
    wall, cpu = sum(cost.wall.get(part, 0) for cost in costs), sum(cost.cpu.get(part, 0) for cost in costs)
    return f"{part} {wall:.0f}, {cpu:.0f}"
