"""How fast scans are, beside the bare model in the same run; how well two processes share one; how much memory.

    python -m benchmarks.discovery [FOLDER] [--rows 1000000] [--only rates processes memory few]

FOLDER (default: ../shared/data) holds clinc150/, whose training part the model learns. The source is sentences of
docstrings, numbered so that none comes twice. The parts, any of which runs alone:

rates       a scan beside the bare model, by processor time and in turns, so that it holds on a busy machine
processes   two processes beside one, by the clock: only on a machine with two free cores
memory      the peak, at a tenth of the rows and at all
few         10,000 rows in new processes, the engine alone and the whole command, by processor time and by the clock; of
            other kinds than the queue's, and with a tenth of clinc150's test texts, among which finds are selected

The last line is SUMMARY with the figures as JSON. Results of a run: benchmarks/discovery.txt.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.chaos.results import machine
from benchmarks.discovery_command import engine_alone, laid_out
from benchmarks.foreign_pool import foreign_sentences
from benchmarks.loop.sources import DATA, read_source
from core.discovery.domain import fit_domain, sample_texts
from core.discovery.engines import Engine, one_process, pool
from core.discovery.ranking import Ranker, ranking_of
from core.discovery.results import Scored
from core.discovery.scoring import Task, known_digits, scoring
from core.discovery.selection import digest_of, merged
from core.discovery.sources import Columns, Shard, shards_of
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import pack
from core.learning.learners.text import TextLearner, TextModel
from core.policy import PrivacyPolicy
from tests.core.models import Learned

COLUMNS = Columns("text")
MOST = 500  # texts in front: those of 50 places
SHARD_BYTES = 6_000_000  # some 50,000 rows
TURNS = 3
SENTENCES = 20_000
FEW = 10_000
PARTS = ("rates", "processes", "memory", "few")
MASKED = PrivacyPolicy(mask=("email", "card", "iban"), keep_original=False)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = arguments.parse_args()
    if not (given.folder / "clinc150" / "train.csv").exists():
        sys.exit(f"{given.folder}/clinc150/train.csv is missing; give the folder that has it.")
    print(machine(), f"{given.rows:,} rows", "", sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as place:
        found = measured(given.folder, Path(place), given.rows, given.only)
    for name, value in found.items():
        print(f"{name:60} {value:12,.2f}")
    print("SUMMARY", json.dumps({name: round(value, 3) for name, value in found.items()}))


def measured(folder: Path, place: Path, rows: int, parts: Sequence[str]) -> dict[str, float]:
    source = read_source(folder, "clinc150")
    labelled = [(row.text, row.label) for row in source.stream]
    model, training = learned(labelled), [text for text, _label in labelled]
    sentences = foreign_sentences(SENTENCES)
    sizes = {"few": FEW, "tenth": rows // 10, "whole": rows}
    shards = {name: written(place / f"{name}.jsonl", sentences, count) for name, count in sizes.items()}
    task = task_of(model, training, shards["whole"])
    found = {"cores": float(os.cpu_count() or 1)}
    if "rates" in parts:
        found |= beside_the_bare_model(model, task, shards["tenth"])
    if "processes" in parts:
        found |= of_two_processes(task, shards["whole"])
    if "memory" in parts:
        found |= of_memory(task, shards)
    if "few" in parts:
        mixed = mixed_in(place / "mixed.jsonl", sentences, [row.text for row in source.unseen])
        sources = {"few": shards["few"], "mixed": mixed}
        found |= of_few_rows((model, task.ranker.packed), labelled, task, sources, place)
    return found


def learned(labelled: Sequence[tuple[str, str]]) -> TextModel:
    return TextLearner().fit_uncalibrated([Example(Input(text), label) for text, label in labelled], 1)


def written(path: Path, sentences: list[str], rows: int) -> list[Shard]:
    with path.open("w", encoding="utf-8") as file:
        for row in range(rows):
            file.write(json.dumps({"text": f"{sentences[row % len(sentences)]} {row // len(sentences)}"}) + "\n")
    return shards_of(str(path), lines_bytes=SHARD_BYTES)


def mixed_in(path: Path, sentences: list[str], texts: list[str]) -> list[Shard]:
    """Sentences, each tenth replaced by one of these texts."""
    rows = [texts[row // 10] if row % 10 == 0 else sentences[row] for row in range(FEW)]
    path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), "utf-8")
    return shards_of(str(path))


def task_of(model: TextModel, training: list[str], shards: list[Shard]) -> Task:
    domain = fit_domain(model.ngrams, training, sample_texts(shards, COLUMNS, 1), 0.9, 1)
    ranker = Ranker(pack(TextLearner(), model), "text", model.classes, domain=domain)
    known = known_digits([f"{number:064x}" for number in np.random.default_rng(1).integers(2**60, size=100_000)])
    return Task(ranker, COLUMNS, PrivacyPolicy(), known, MOST)


def beside_the_bare_model(model: TextModel, task: Task, shards: list[Shard]) -> dict[str, float]:
    """Rows a second of processor time. The bare model reads nothing: its texts are in memory."""
    texts = [json.loads(line)["text"] for line in Path(shards[0].address).read_text("utf-8").splitlines()]
    ranking_of(task.ranker)
    masked = Task(task.ranker, COLUMNS, MASKED, task.known, MOST)
    bare, scans, masking = [], [], []
    for _turn in range(TURNS):
        bare.append(rate(lambda: bare_model(model, texts), len(texts)))
        scans.append(rate(lambda: scan(task, shards), len(texts)))
        masking.append(rate(lambda: scan(masked, shards), len(texts)))
    ratios = [one / other for one, other in zip(scans, bare, strict=True)]
    return {
        "bare, rows/s of a core": statistics.median(bare),
        "scan, rows/s of a core": statistics.median(scans),
        "scan / bare": statistics.median(ratios),
        "scan with masking, rows/s of a core": statistics.median(masking),
    }


def bare_model(model: TextModel, texts: list[str]) -> None:
    for start in range(0, len(texts), 4096):
        model.probabilities([Input(text) for text in texts[start : start + 4096]])


def scan(task: Task, shards: list[Shard]) -> Iterator[Scored]:
    return iter([event for shard in shards for event in scoring(task, shard) if isinstance(event, Scored)])


def rate(work: Callable[[], object], rows: int) -> float:
    begun = time.process_time()
    work()
    return rows / (time.process_time() - begun)


def of_two_processes(task: Task, shards: list[Shard]) -> dict[str, float]:
    """Wall seconds, each process with its start."""
    walls, digests = {}, set()
    for name, engine in (("one", pool(1)), ("two", pool(2))):
        walls[name], digest = timed(engine, task, shards)
        digests.add(digest)
    assert len(digests) == 1, "the engines found different texts"
    return {
        "seconds, one process": walls["one"],
        "seconds, two": walls["two"],
        "gain of two": walls["one"] / walls["two"],
    }


def timed(engine: Engine, task: Task, shards: list[Shard]) -> tuple[float, str]:
    begun = time.perf_counter()
    tops = [event.top for event in engine(task, shards) if isinstance(event, Scored)]
    return time.perf_counter() - begun, digest_of(merged(tops, MOST))


def of_memory(task: Task, shards: dict[str, list[Shard]]) -> dict[str, float]:
    found = {name: apart(memory_of, task, shards[name]) for name in ("tenth", "whole")}
    named = {f"MB, {name} of the rows": value for name, value in found.items()}
    return named | {"memory, whole / tenth": found["whole"] / found["tenth"]}


def of_few_rows(
    learned: Learned, labelled: list[tuple[str, str]], task: Task, sources: dict[str, list[Shard]], place: Path
) -> dict[str, float]:
    """Seconds, each in a new process, with its imports and the model: the engine alone, and the whole command, which
    ends at the finds. sources: few and mixed, see above."""
    found = timed_anew("10,000 rows", lambda: engine_alone(task, sources["few"], place))
    for name, shards in sources.items():
        named = "… the whole command" + (", with texts to find" if name == "mixed" else "")
        found |= timed_anew(named, laid_out(place / f"command-{name}", Path(shards[0].address), learned, labelled))
    return found


def timed_anew(name: str, timed: Callable[[], tuple[float, float]]) -> dict[str, float]:
    walls, cpu = zip(*(timed() for _turn in range(TURNS)), strict=True)
    return {f"{name}, s": statistics.median(walls), f"{name}, s of processor": statistics.median(cpu)}


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as one:
        return one.apply(work, arguments)


def memory_of(task: Task, shards: list[Shard]) -> float:
    """Peak, in MB."""
    scored(task, shards)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scored(task: Task, shards: list[Shard]) -> list[Scored]:
    return [event for event in one_process(task, shards) if isinstance(event, Scored)]


if __name__ == "__main__":
    main()
