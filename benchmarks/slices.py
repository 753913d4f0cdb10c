"""Are weak slices found, and does nothing else pass for one?

    python -m benchmarks.slices [--runs 100] [--data FOLDER]

Simulated known rows whose truth is known go through the product's own search (core/quality/slices.py): about 2,950
settled rows of 11,500, a fifth of them flagged because the model is unsure and 5 % audited, with 20 labels, two fields,
terms and lengths; labels differ in how often they are flagged. Clean: the errors are permuted within the flagged and
within the audited rows; the share of runs with any claim. Weak: in one value of a field, 30 points more rows are wrong;
the share of runs in which it is found, where 350, 180 or 60 of its rows are known.

Words: of 3,000 rows of each public set in FOLDER (default: ../shared/data), with the set's own labels, drawn three
times: the words in at least 30 rows, English stop words (those of scikit-learn) apart from others, and the share of
them that the search leaves out because they are common and tell nothing of the label; and of their occurrences.
The last line is SUMMARY and the figures as JSON."""

import argparse
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.flagging import SETS, rows_of
from benchmarks.learners import DATA
from core.quality.slices import FEWEST, KnownRow, looks_of, weak_slices
from core.text.normalisation import normalise
from core.vocabulary import SliceKind

ROWS, FLAGGED, AUDITED = 11_500, 0.22, 0.05
LABELS, WORDS = 20, 400
MORE_WRONG = 0.3
SAMPLE, DRAWS = 3_000, 3  # rows of a set, and how often they are drawn


def known_rows(rng: np.random.Generator, weak_support: int | None) -> list[KnownRow]:
    """weak_support: known rows of the weak value of the field "source"; None: no slice is weak."""
    shares = 1 / (1 + np.arange(WORDS))
    shares /= shares.sum()
    label = rng.integers(0, LABELS, ROWS)
    hard = rng.uniform(0.5, 1.5, LABELS)[label]
    flagged = rng.random(ROWS) < np.minimum(0.9, FLAGGED * hard)
    known = flagged | (rng.random(ROWS) < AUDITED)
    weak = rng.random(ROWS) < (weak_support or 200) / known.sum()
    wrong = rng.random(ROWS) < np.where(flagged, 0.45, 0.12) + (MORE_WRONG * weak if weak_support else 0)
    places = np.flatnonzero(known)
    lengths = rng.integers(2, 16, places.size)
    words = np.split(rng.choice(WORDS, lengths.sum(), p=shares), np.cumsum(lengths)[:-1])
    rows = [
        KnownRow(
            item_id=int(place),
            text=" ".join(f"word{word}" for word in text),
            fields={"source": "weak" if weak[place] else f"s{rng.integers(0, 4)}", "region": f"r{rng.integers(0, 12)}"},
            label=f"label {label[place]}",
            second=f"label {rng.integers(0, LABELS)}",
            wrong=bool(wrong[place]),
            reviewed=bool(flagged[place]),
        )
        for place, text in zip(places, words, strict=True)
    ]
    return rows if weak_support else _permuted(rng, rows)


def _permuted(rng: np.random.Generator, rows: list[KnownRow]) -> list[KnownRow]:
    errors = np.array([row.wrong for row in rows])
    reviewed = np.array([row.reviewed for row in rows])
    for stratum in (reviewed, ~reviewed):
        errors[stratum] = rng.permutation(errors[stratum])
    return [replace(row, wrong=bool(error)) for row, error in zip(rows, errors, strict=True)]


def claims(seed: int, weak_support: int | None) -> bool:
    """Whether there is any claim; of a weak slice, whether it is that one."""
    found = weak_slices(known_rows(np.random.default_rng(seed), weak_support))
    if weak_support is None:
        return bool(found)
    return any(one.look.kind is SliceKind.FIELD and one.look.value == "weak" for one in found)


def left_out(folder: Path) -> dict[str, tuple[int, float, float]]:
    """Of stop words and of other words: their number, the share that is not tested, and that of their occurrences."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    all_rows = [row for part in ("train", "val", "test") for row in rows_of(folder, part)]
    words: dict[str, list[tuple[int, bool]]] = {"stop words": [], "other words": []}
    for seed in range(DRAWS):
        places = np.random.default_rng(seed).permutation(len(all_rows))[:SAMPLE]
        rows = [KnownRow(0, all_rows[n].input.text, {}, all_rows[n].label, None, False, True) for n in places]
        known = Counter(word for row in rows for word in set(re.findall(r"\w{3,}", normalise(row.text))))
        tested = {look.value for look in looks_of(rows) if look.kind is SliceKind.TERM}
        for word, count in [one for one in known.most_common() if one[1] >= FEWEST]:
            words["stop words" if word in ENGLISH_STOP_WORDS else "other words"].append((count, word not in tested))
    return {kind: _shares(found) for kind, found in words.items()}


def _shares(words: list[tuple[int, bool]]) -> tuple[int, float, float]:
    out = [count for count, left in words if left]
    return len(words), round(len(out) / len(words), 3), round(sum(out) / sum(count for count, _left in words), 3)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=100)
    options.add_argument("--data", type=Path, default=DATA)
    chosen = options.parse_args()
    summary: dict[str, object] = {}
    for name, support in (("clean_claimed", None), ("found_350", 350), ("found_180", 180), ("found_60", 60)):
        summary[name] = sum(claims(seed, support) for seed in range(chosen.runs)) / chosen.runs
        print(name, summary[name], flush=True)
    for folder in [chosen.data / name for name in SETS if (chosen.data / name / "train.csv").exists()]:
        summary[folder.name] = left_out(folder)
        print(folder.name, "words, not tested, of their occurrences:", summary[folder.name], flush=True)
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
