"""The words that the clusters of a scan are named by: how many are function words, and whether they fit the label.

    python -m benchmarks.cluster_words [FOLDER] [--seeds 5] [--first 1]

FOLDER (default: ../shared/data) holds clinc150/ and banking77/. A first model of ten rows for each label ranks the rest
of the training part; the 500 top-ranked texts are clustered and named, as in a scan (core/discovery/clusters.py), and
beside it by their words alone: k-means on TF-IDF, and the words furthest above the mean.

* function words: the share of the named words that are in a list of English ones (scikit-learn's, less what is none,
  and a few more). The product has no such list, because queues are in many languages.
* fits: the share of clusters of which a named word is in the name of the label that most of its texts have; or in one
  of the three that most have.

The last line is SUMMARY with means over the seeds, and 95 % intervals (Student's t). Results: benchmarks/discovery.txt.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from benchmarks.chaos.results import machine
from benchmarks.discovery_learning import NEAR, ROWS_PER_LABEL, drawn, fitted, interval, ranked
from benchmarks.loop.sources import DATA, Text, read_source
from core.discovery.clusters import MOST, WORD, WORDS, Chances, Groups, groups_of, telling_words
from core.learning.data.inputs import Input
from core.learning.data.text_similarity import without_near

FRONT = 500
NOT_FUNCTION = (
    "amount bill bottom call computer cry describe detail empty fill find fire front full interest mill move name "
    "serious show side system thick thin top"
)
MORE_FUNCTION = "did didn does doesn don isn just know let like need needs tell want wasn won"
FUNCTION_WORDS = (set(ENGLISH_STOP_WORDS) - set(NOT_FUNCTION.split())) | set(MORE_FUNCTION.split())
Named = tuple[Groups, list[tuple[str, ...]]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--first", type=int, default=1, help="the first seed")
    given = arguments.parse_args()
    print(machine(), "", sep="\n", flush=True)
    found: dict[str, list[float]] = defaultdict(list)
    for name in ("clinc150", "banking77"):
        if not (given.folder / name / "train.csv").exists():
            sys.exit(f"{given.folder}/{name}/train.csv is missing; give the folder that has it.")
        for seed in range(given.first, given.first + given.seeds):
            for what, value in _of_seed(given.folder, name, seed):
                found[f"{name}: {what}"].append(value)
                print(f"seed {seed}: {name}: {what:44} {value:.3f}", flush=True)
    print("SUMMARY", json.dumps({name: interval(values) for name, values in found.items()}))


def _of_seed(folder: Path, name: str, seed: int) -> Iterator[tuple[str, float]]:
    rows, chances = _front(folder, name, seed)
    texts = [row.text for row in rows]
    groups = groups_of(chances, seed)
    assert groups is not None
    arms = {"as in a scan": (groups, telling_words(texts, chances, groups)), "by words alone": _by_words(texts, seed)}
    for arm, named in arms.items():
        for what, value in _judged(rows, *named).items():
            yield f"{what}, {arm}", value


def _front(folder: Path, name: str, seed: int) -> tuple[list[Text], Chances]:
    source = read_source(folder, name)
    known = [row for label in source.labels for row in drawn(source.stream, label, ROWS_PER_LABEL, seed)]
    pool = sorted(set(source.stream) - set(known), key=lambda row: row.text)
    model = fitted(known, seed)
    front = [pool[place] for place in list(ranked(model, pool, None))[:FRONT]]
    apart = [front[place] for place in without_near([row.text for row in front], NEAR)]
    return apart, model.probabilities([Input(row.text) for row in apart])


def _by_words(texts: Sequence[str], seed: int) -> Named:
    vectorizer = TfidfVectorizer(min_df=3, max_df=0.5, sublinear_tf=True, token_pattern=WORD)
    rows = vectorizer.fit_transform(texts)
    found = KMeans(MOST, n_init=3, random_state=seed).fit(rows)
    names, mean = vectorizer.get_feature_names_out(), np.asarray(rows.mean(axis=0)).ravel()
    best = [np.argsort(-(centre - mean), kind="stable")[:WORDS] for centre in found.cluster_centers_]
    return found.labels_, [tuple(map(str, names[places])) for places in best]


def _judged(rows: Sequence[Text], groups: Groups, named: Sequence[tuple[str, ...]]) -> dict[str, float]:
    labels = np.array([row.label for row in rows])
    words = [word for of_group in named for word in of_group]
    common = [[label for label, _n in Counter(labels[groups == group]).most_common(3)] for group in range(len(named))]
    pairs = list(zip(named, common, strict=True))
    return {
        "function words": float(np.mean([word in FUNCTION_WORDS for word in words])),
        "fits the label": float(np.mean([_fits(of_group, first[:1]) for of_group, first in pairs])),
        "fits one of three labels": float(np.mean([_fits(of_group, first) for of_group, first in pairs])),
    }


def _fits(words: Sequence[str], labels: Sequence[str]) -> bool:
    in_names = {_stem(word) for label in labels for word in re.findall("[a-z]+", label.lower())}
    return any(_stem(word) in in_names for word in words if word not in FUNCTION_WORDS)


def _stem(word: str) -> str:
    return re.sub("(ing|ed|es|s|e)$", "", word) if len(word) > 4 else word.rstrip("s")


if __name__ == "__main__":
    main()
