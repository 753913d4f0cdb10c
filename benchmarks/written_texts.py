"""Texts that a small real language model wrote for the weak labels of benchmarks/synthetic.py.

    python -m benchmarks.written_texts [FOLDER] [--seeds 3] [--minutes 60]

asks the model (bot/demo/small_model.py) with Goldloop's own prompt and client, and adds its answers to
written_texts.jsonl; what is there is not asked again. The benchmark reads that file, so it needs no model. A text that
is in the data set word for word stands there as its content hash.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.discovery_learning import STRONG_ROWS, WEAK_LABELS, WEAK_ROWS, drawn
from benchmarks.loop.sources import DATA, Source, Text, read_source
from bot.demo.small_model import NAME, SLOTS, serving
from bot.llm import request_body
from core.synthesis.answers import read_answer
from core.synthesis.calls import Ask
from core.synthesis.prompt import MOST_EXAMPLES, Shown, TextSpec, messages
from core.text.content_hash import content_hash

RECORDED = Path(__file__).with_name("written_texts.jsonl")
CALLS = 2  # for each label
MOST_TOKENS = 500  # of an answer
LONGEST_ANSWER = 900.0  # seconds, on a busy machine


@dataclass(frozen=True)
class Scene:
    """weak: the labels with few rows. pool: what was not drawn."""

    weak: tuple[str, ...]
    rows: tuple[Text, ...]
    pool: tuple[Text, ...]
    test: tuple[Text, ...]

    def of(self, label: str) -> list[Text]:
        return [row for row in self.rows if row.label == label]


def scene(source: Source, seed: int) -> Scene:
    """Eight labels with five rows, the others with sixty, as in benchmarks/discovery_learning.py."""
    labels = [str(one) for one in np.random.default_rng(seed).permutation(source.labels)[:WEAK_LABELS]]
    counts = {label: WEAK_ROWS if label in labels else STRONG_ROWS for label in source.labels}
    rows = tuple(row for label, count in counts.items() for row in drawn(source.stream, label, count, seed))
    pool = tuple(sorted(set(source.stream) - set(rows), key=lambda row: row.text))
    return Scene(tuple(labels), rows, pool, source.unseen)


def written(source: Source, seed: int) -> dict[str, list[str]]:
    """By label, what was recorded for it with this seed. Raises KeyError if the data set is another one."""
    known = {content_hash(row.text): row.text for row in source.stream}
    found: dict[str, list[str]] = defaultdict(list)
    for answer in recorded():
        if answer["seed"] == seed:
            found[answer["label"]] += [known[one["copy"]] if isinstance(one, dict) else one for one in answer["texts"]]
    return found


def recorded() -> list[dict[str, Any]]:
    if not RECORDED.exists():
        return []
    return [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--minutes", type=float, default=60)
    given = arguments.parse_args()
    source = read_source(given.folder, "banking77")
    left = list(_left(source, given.seeds))
    with serving() as address, ThreadPoolExecutor(SLOTS) as threads:
        until = time.monotonic() + 60 * given.minutes
        for start in range(0, len(left), SLOTS):
            if time.monotonic() > until:
                break
            asked = left[start : start + SLOTS]
            _store(list(threads.map(lambda one: _answer(address, source, *one), asked)))
            print(f"{start + len(asked)} of {len(left)} calls", flush=True)


def _left(source: Source, seeds: int) -> Iterator[tuple[int, str, int]]:
    done = {(one["seed"], one["label"], one["call"]) for one in recorded()}
    for call in range(1, CALLS + 1):
        for seed in range(1, seeds + 1):
            for label in scene(source, seed).weak:
                if (seed, label, call) not in done:
                    yield seed, label, call


def _answer(address: str, source: Source, seed: int, label: str, call: int) -> dict[str, Any]:
    examples = [Shown(row.text) for row in scene(source, seed).of(label)][:MOST_EXAMPLES]
    prompt = messages(TextSpec(label.replace("_", " ")), examples)
    ask = Ask(0, call, CALLS, prompt, call, address, NAME, LONGEST_ANSWER)
    body = request_body(ask) | {"max_tokens": MOST_TOKENS}
    answer = httpx.post(f"{address}/chat/completions", json=body, timeout=LONGEST_ANSWER)
    found = read_answer(answer.raise_for_status().text)
    texts = _without_copies(found.texts, source)
    return {
        "seed": seed, "label": label, "call": call, "tokens": found.tokens_out, "problem": found.problem,
        "texts": texts,
    }  # fmt: skip


def _without_copies(texts: Sequence[str], source: Source) -> list[str | dict[str, str]]:
    known = {content_hash(row.text) for row in source.stream}
    return [{"copy": content_hash(text)} if content_hash(text) in known else text for text in texts]


def _store(answers: Sequence[dict[str, Any]]) -> None:
    with RECORDED.open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(one, ensure_ascii=False)}\n" for one in answers)


if __name__ == "__main__":
    main()
