"""Clusters of the top-ranked texts, for people: how many texts have the same topic, and the words that distinguish
them. Texts have the same topic if the model gives them similar probabilities. By their words, short texts would gather
around "how" and "can", whatever the language; a list of such words would serve one language only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from threadpoolctl import threadpool_limits

from core.discovery.results import DIGITS, Cluster

MOST = 8  # the largest number of clusters
WORDS = 4  # the most words named for a cluster
TEXTS = 10  # the fewest texts per cluster, on average
FEWEST = 3  # texts that a word must be in to count
FEWEST_INSIDE = 2  # texts of a cluster that a word must be in to be named for it
LEAST = 0.1  # a word is named if its score is at least this share of the cluster's highest score
WORD = r"(?u)\b[^\W\d]{3,}\b"

Chances = NDArray[np.floating]
Groups = NDArray[np.int32]


def clusters_of(texts: Sequence[str], chances: Chances, seed: int) -> list[Cluster]:
    """The clusters of these texts, the largest first. texts: masked, as people see them. chances: the model's
    probabilities of each, shape (texts, labels)."""
    groups = groups_of(chances, seed)
    if groups is None:
        return []
    sizes, words = np.bincount(groups), telling_words(texts, chances, groups)
    return [Cluster(int(sizes[group]), words[group]) for group in np.argsort(-sizes, kind="stable") if sizes[group]]


def groups_of(chances: Chances, seed: int) -> Groups | None:
    """The cluster of each text, by k-means on the square roots of the probabilities, so that distances are Hellinger's.
    None: there are too few texts."""
    roots = np.sqrt(chances).round(DIGITS)
    number = min(MOST, len(roots) // TEXTS)
    if not number:
        return None
    from sklearn.cluster import KMeans  # a second

    number = min(number, len(np.unique(roots, axis=0)))
    with threadpool_limits(1):  # with so few texts, threads would wait for each other
        groups: Groups = KMeans(number, n_init=3, random_state=seed).fit(roots).labels_
    return groups


def telling_words(texts: Sequence[str], chances: Chances, groups: Groups) -> list[tuple[str, ...]]:
    """The words to name for each cluster, the most telling first.

    A word's score for a cluster is the log-likelihood ratio of how many of the word's texts are in the cluster (Dunning
    1993, Computational Linguistics 19(1), 61-74), times the square of how much the word says about the label: the
    Kullback-Leibler divergence from the mean probabilities of all texts to those of the word's texts, with one text of
    mean probabilities added. Words such as "how" are in texts of all labels, so their divergence is small."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(min_df=FEWEST, max_df=0.5, binary=True, token_pattern=WORD, dtype=np.float64)
    number = int(groups.max()) + 1
    try:
        holds = vectorizer.fit_transform(texts)
    except ValueError:  # no word is in enough texts
        return [()] * number
    names, times = vectorizer.get_feature_names_out(), np.asarray(holds.sum(axis=0)).ravel()
    mean = chances.mean(axis=0)
    divergence = rel_entr((holds.T @ chances + mean) / (times + 1)[:, None], mean).sum(axis=1)
    named = []
    for group in range(number):
        inside = groups == group
        here, expected = np.asarray(holds[inside].sum(axis=0)).ravel(), times * inside.mean()
        ratios = rel_entr(here, expected) + rel_entr(times - here, times - expected)
        scores = np.where((here > expected) & (here >= FEWEST_INSIDE), ratios * divergence**2, 0.0)
        named.append(_named(scores, names))
    return named


def _named(scores: NDArray[np.float64], names: Sequence[str]) -> tuple[str, ...]:
    best = np.argsort(-scores, kind="stable")[:WORDS]
    return tuple(str(names[place]) for place in best if scores[place] > LEAST * scores[best[0]])
