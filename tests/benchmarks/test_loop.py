"""A tiny run of `make bench-loop` on made-up texts; and what its tables are made of."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.loop.__main__ import app
from benchmarks.loop.judged import CLASSES, Months, aims, class_of, summary
from benchmarks.loop.months import gated_without_refusals
from benchmarks.loop.plan import Arm, Setting, Team, planned
from benchmarks.loop.report import report
from benchmarks.loop.results import NATURAL, Cost, Cycle, Month, Pair, kept
from benchmarks.loop.running import MonthFailed, parts_of, play_part, run_all
from benchmarks.loop.sources import Source, Text, read_source
from benchmarks.loop.spoiling import KINDS, MERGED, Batch, row_id
from benchmarks.loop.world import Traffic, World, make_world
from core.learning.data.inputs import Input
from core.learning.data.snapshots import Row
from core.vocabulary import Source as RowSource

TINY = Setting("made up", 1, Team.MONTHS, cycles=2, corrections=12, labels=0, late=1, seeds=6, pairs_every=2)
WISHES = {
    "refund": ("i want my money back for the", "please return what i paid for the"),
    "billing error": ("you charged my card twice for the", "the invoice is wrong about the"),
    "delivery": ("where is the parcel with my", "the courier never brought the"),
    "repair": ("please mend the broken", "it does not work any more, the"),
}
THINGS = ("lamp", "chair", "table", "vase", "sofa", "mirror", "kettle", "shelf", "clock", "carpet", "bed", "desk")


def made_up() -> Source:
    rows = [
        Text(f"{wish} {colour} {thing}", label)
        for label, wishes in WISHES.items()
        for wish in wishes
        for colour in ("red", "blue")
        for thing in THINGS
    ]
    return Source(tuple(rows[::2] + rows[1::4]), tuple(rows[3::4]))


def stored(source: Source, folder: Path) -> None:
    for name, rows in (("train.csv", source.stream), ("test.csv", source.unseen)):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *((row.text, row.label) for row in rows)])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of the texts and of the results."""
    data, results = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("results")
    (data / TINY.source).mkdir()
    stored(made_up(), data / TINY.source)
    for part in parts_of([TINY]):
        play_part(part, read_source(data, TINY.source), results)
    return data, results


def months_in(folder: Path) -> dict[Arm, Month]:
    return {arm: found for arm in Arm if (found := kept(folder, TINY, arm)) is not None}


@pytest.mark.slow
def test_a_tiny_month_is_played_three_ways_and_reported(played: tuple[Path, Path]) -> None:
    months = months_in(played[1])
    assert [len(month.cycles) for month in months.values()] == [TINY.cycles] * 3
    always = months[Arm.ALWAYS]
    beside = {(pair.kind, pair.twin) for pair in always.pairs}
    possible = [kind for kind in KINDS if kind not in ("4 cycles older", "8 cycles older")]
    assert beside == {(kind, twin) for kind in possible for twin in (False, True)}
    assert always.cycles[-1].candidate > always.cycles[-1].live, "the label that came with this cycle is learned"
    assert always.cost.cpu.keys() >= {"training", "pairs, fitted", "pairs, measured"}
    found = json.loads(list(report(list(months.values())))[-1].removeprefix("SUMMARY "))
    assert found["always"] == round(always.final, 4)


@pytest.mark.slow
def test_a_stopped_run_plays_only_what_is_missing_and_that_comes_out_the_same(played: tuple[Path, Path]) -> None:
    data, folder = played
    files = sorted(folder.iterdir())
    before = months_in(folder)
    times = {file: file.stat().st_mtime_ns for file in files}
    [missing] = [file for file in files if file.name.endswith(f"{Arm.RANDOM}.json")]
    missing.unlink()
    run_all([TINY], data, folder, at_once=2)
    assert sorted(folder.iterdir()) == files, "no database is left"
    assert [file for file in files if file.stat().st_mtime_ns != times[file]] == [missing]
    again = months_in(folder)[Arm.RANDOM]
    assert replace(again, cost=Cost()) == replace(before[Arm.RANDOM], cost=Cost())


@pytest.mark.slow
def test_a_month_that_fails_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(MonthFailed):
        run_all([TINY], tmp_path / "nothing here", tmp_path, at_once=1)


def world(cycles: int = 6) -> World:
    return make_world(made_up(), replace(TINY, cycles=cycles), np.random.default_rng(1))


def test_a_late_label_comes_with_its_cycle_and_at_its_share_of_the_traffic() -> None:
    this = world()
    [late] = [label for label, cycle in this.begins.items() if cycle]
    assert late not in {row.label for row in this.seeds}
    traffic = Traffic(this, np.random.default_rng(1))
    assert late not in {row.label for row in traffic.draw(200, this.begins[late] - 1)}
    share = np.mean([row.label == late for row in traffic.draw(1000, this.begins[late])])
    assert share == pytest.approx(1 / len(WISHES), abs=0.05)


def test_the_drifted_label_changes_its_wording_in_the_middle() -> None:
    this = world()
    before, after = (
        {row.text for row in Traffic(this, np.random.default_rng(1)).draw(300, cycle) if row.label == this.drifted}
        for cycle in (this.drifts - 1, this.drifts)
    )
    assert before
    assert after
    assert not before & this.new_wording
    assert after <= this.new_wording


def test_unseen_texts_weigh_as_much_as_the_traffic_of_their_label() -> None:
    this = world()
    [late] = [label for label, cycle in this.begins.items() if cycle]
    for cycle in (1, this.begins[late]):
        weights = this.weights(cycle)
        assert weights.sum() == pytest.approx(1)
        of_late = sum(weights[place] for place, row in enumerate(this.source.unseen) if row.label == late)
        assert of_late == pytest.approx(this.shares(cycle).get(late, 0))


def rows_of(labels: tuple[str, ...] = ("a", "b", "c"), each: int = 40) -> list[Row]:
    return [
        Row(RowSource.CORRECTION, number, Input(f"text {number}"), labels[number % len(labels)], 1.0, f"hash {number}")
        for number in range(each * len(labels))
    ]


def spoilt(kind: str) -> tuple[list[Row], list[Row]]:
    """The rows before and after; 90 of 120 stood in the snapshot of a cycle ago, 60 in that of two cycles ago."""
    rows = rows_of()
    before = {1: frozenset(map(row_id, rows[:90])), 2: frozenset(map(row_id, rows[:60]))}
    batch = Batch(rows, before, {"a": "b", "b": "c", "c": "a"})
    return rows, KINDS[kind](batch, np.random.default_rng(2))


def changed(kind: str) -> list[Row]:
    rows, after = spoilt(kind)
    labels = {row.source_id: row.label for row in after}
    return [row for row in rows if labels[row.source_id] != row.label]


def test_a_merged_class_has_no_rows_left_and_the_one_it_is_taken_for_has_them() -> None:
    lost = {row.label for row in changed(MERGED)}
    assert len(lost) == 1
    assert len(changed(MERGED)) == 40
    assert lost.isdisjoint({row.label for row in spoilt(MERGED)[1]})


def test_swapped_labels_change_places() -> None:
    assert len(changed("labels swapped")) == 80


@pytest.mark.parametrize(("kind", "share"), [("15 % noise", 0.15), ("30 % noise", 0.30)])
def test_noise_changes_its_share_of_the_labels(kind: str, share: float) -> None:
    assert len(changed(kind)) / 120 == pytest.approx(share, abs=0.1)


def test_a_rogue_batch_is_wrong_in_all_that_is_new() -> None:
    assert [row.source_id for row in changed("rogue newest batch")] == list(range(90, 120))


@pytest.mark.parametrize(
    ("kind", "left"), [("1 cycle older", 90), ("2 cycles older", 60), ("4 cycles older", 0), ("equal", 114)]
)
def test_an_older_candidate_has_fewer_rows(kind: str, left: int) -> None:
    assert len(spoilt(kind)[1]) == pytest.approx(left, abs=6 if kind == "equal" else 0)


def test_half_of_one_class_is_lost() -> None:
    rows, after = spoilt("half a class lost")
    lost = [row for row in rows if row not in after]
    assert len({row.label for row in lost}) == 1
    assert len(lost) == pytest.approx(20, abs=10)


@pytest.mark.parametrize(
    ("points", "name"),
    [(0.5, "better"), (0.4, "equal"), (-0.4, "equal"), (-0.5, "worse .5-2"), (-2, "2-5"), (-5, "2-5"), (-5.1, "> 5")],
)
def test_candidates_are_sorted_by_their_true_difference(points: float, name: str) -> None:
    assert class_of(points) == name
    assert name in CLASSES


def month(arm: Arm, verdicts: tuple[bool, ...] = (True,), final: float = 0.9, pairs: tuple[Pair, ...] = ()) -> Month:
    """Every candidate is ten points better than what is live."""
    cycles = tuple(
        Cycle(number, 0.7, 0.8, passed, () if passed else ("a_new_rule",), 100, 50, (10, 5))
        for number, passed in enumerate(verdicts, 1)
    )
    return Month(TINY, arm, cycles, pairs, final, 0.01, Cost({"training": 2.0}, {"training": 1.0}))


def pair(difference: float, passed: bool, kind: str = "30 % noise", blocks: tuple[str, ...] = ()) -> Pair:
    return Pair(2, kind, False, difference, passed, blocks)


def judged(*pairs: Pair, verdicts: tuple[bool, ...] = (True, False, True, True)) -> Months:
    always = month(Arm.ALWAYS, verdicts, final=0.95, pairs=pairs)
    return Months(Team.MONTHS, [always, month(Arm.GATE, verdicts), month(Arm.RANDOM, final=0.8)])


def test_the_summary_has_the_means_of_the_runs_and_the_shares_of_the_pairs() -> None:
    pairs = pair(-3, True), pair(-3, False), pair(-6, False), pair(-7, False), pair(-8, False), pair(-9, True)
    assert summary(judged(*pairs)) == {
        "refused_though_better": 0.25,
        "final": 0.9,
        "always": 0.95,
        "random": 0.8,
        "passed_2_5": 0.5,
        "passed_over_5": 0.25,
    }


def test_a_share_of_nothing_is_unknown() -> None:
    assert summary(judged())["passed_over_5"] is None


def test_the_aims_that_are_missed_are_named() -> None:
    missed = [aim.name.split(":")[0] for aim in aims(judged(pair(3, True, MERGED), pair(-9, False))) if not aim.met]
    assert missed == [
        "refused although better",
        "final at least always - .005 = 0.945",
        "merged classes that passed, of 1",
    ]


def test_a_merged_class_counts_as_missed_even_where_the_candidate_is_better() -> None:
    one = judged(pair(3, False, MERGED), verdicts=(True,))
    assert [aim.met for aim in aims(one)][-1]
    assert not [aim.met for aim in aims(judged(pair(3, True, MERGED)))][-1]


def test_a_rule_that_the_benchmark_has_never_heard_of_is_counted_by_kind() -> None:
    months = judged(pair(-6, False, blocks=("exchanged", "exchanged", "worse"))).months
    lines = "\n".join(report(months))
    assert re.search(r"candidates\s+a_new_rule\s+exchanged\s+worse", lines)
    assert re.search(r"30 % noise +1 +0 +1 +1\n", lines)
    assert re.search(rf"{NATURAL}, better +8 +2 +0 +0\n", lines)


def test_where_nothing_is_refused_both_months_are_the_same_and_count_once() -> None:
    always = month(Arm.ALWAYS, (True, True))
    same = gated_without_refusals(always)
    assert same is not None
    assert same.cycles == always.cycles
    assert len(Months(Team.MONTHS, [always, same]).pairs) == 2
    assert gated_without_refusals(month(Arm.ALWAYS, (True, False))) is None


def test_the_full_plan_has_every_data_set_three_times_for_both_sizes() -> None:
    settings = planned(seeds=3, cycles=16)
    assert len(settings) == len({one.file_name for one in settings}) == 18
    assert {one.corrections for one in settings if one.team is Team.SMALL} == {50}


def test_texts_that_may_arrive_are_never_among_the_unseen(tmp_path: Path) -> None:
    folder = tmp_path / "hwu64"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\nWhere is it?,delivery\nno idea,oos\n", encoding="utf-8")
    (folder / "test.csv").write_text("text,label\nwhere is  it?,delivery\nmoney back,refund\n", encoding="utf-8")
    found = read_source(tmp_path, "hwu64")
    assert found == Source((Text("Where is it?", "delivery"),), (Text("money back", "refund"),))


def test_a_folder_without_the_data_sets_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert result.exit_code == 1
    assert f"There is no {tmp_path}" in result.output
