"""How fast scans are, beside the bare model in the same run; how well two processes share one; how much memory.

    python -m benchmarks.discovery [FOLDER] [--rows 1000000]

FOLDER (default: ../shared/data) holds clinc150/, whose training part the model learns. The source is sentences of
docstrings, numbered so that none comes twice. Rates are of processor time, taken in turns with the bare model, so they
hold on a busy machine; walls, and so the gain of a second process, do not. The last line is SUMMARY with the figures as
JSON. Results of a run: benchmarks/discovery.txt.
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
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

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

COLUMNS = Columns("text")
MOST = 500  # texts in front: those of 50 places
SHARD_BYTES = 6_000_000  # some 50,000 rows
TURNS = 3
SENTENCES = 100_000
FEW = 10_000
MASKED = PrivacyPolicy(mask=("email", "card", "iban"), keep_original=False)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    given = arguments.parse_args()
    if not (given.folder / "clinc150" / "train.csv").exists():
        sys.exit(f"{given.folder}/clinc150/train.csv is missing; give the folder that has it.")
    with tempfile.TemporaryDirectory() as place:
        print("SUMMARY", json.dumps(measured(given.folder, Path(place), given.rows)))


def measured(folder: Path, place: Path, rows: int) -> dict[str, float]:
    model, training = learned(folder)
    sentences = foreign_sentences(SENTENCES)
    sizes = {"few": FEW, "tenth": rows // 10, "whole": rows}
    shards = {name: written(place / f"{name}.jsonl", sentences, count) for name, count in sizes.items()}
    task = task_of(model, training, shards["whole"])
    found = {"cores": float(os.cpu_count() or 1), "load": os.getloadavg()[0]}
    found |= beside_the_bare_model(model, task, shards["tenth"])
    found |= of_two_processes(task, shards["whole"])
    found |= {f"MB, {name}": apart(memory_of, task, shards[name]) for name in ("tenth", "whole")}
    found["memory, whole / tenth"] = found["MB, whole"] / found["MB, tenth"]
    found["seconds, 10,000 rows"] = statistics.median(apart(seconds_of, task, shards["few"]) for _turn in range(TURNS))
    for name, value in found.items():
        print(f"{name:40} {value:12,.2f}")
    return {name: round(value, 3) for name, value in found.items()}


def learned(folder: Path) -> tuple[TextModel, list[str]]:
    rows = read_source(folder, "clinc150").stream
    examples = [Example(Input(row.text), row.label) for row in rows]
    return TextLearner().fit_uncalibrated(examples, 1), [row.text for row in rows]


def written(path: Path, sentences: list[str], rows: int) -> list[Shard]:
    with path.open("w", encoding="utf-8") as file:
        for row in range(rows):
            file.write(json.dumps({"text": f"{sentences[row % len(sentences)]} {row // len(sentences)}"}) + "\n")
    return shards_of(str(path), lines_bytes=SHARD_BYTES)


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


def apart(work: Callable[[Task, list[Shard]], float], task: Task, shards: list[Shard]) -> float:
    """In a new process, with what its start takes."""
    with multiprocessing.get_context("spawn").Pool(1) as one:
        return one.apply(clocked, (work, task, shards, time.time()))


def clocked(work: Callable[[Task, list[Shard]], float], task: Task, shards: list[Shard], begun: float) -> float:
    return work(task, shards) if work is memory_of else time.time() - begun + work(task, shards)


def memory_of(task: Task, shards: list[Shard]) -> float:
    """Peak, in MB."""
    for _event in one_process(task, shards):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds_of(task: Task, shards: list[Shard]) -> float:
    begun = time.time()
    for _event in one_process(task, shards):
        pass
    return time.time() - begun


if __name__ == "__main__":
    main()
