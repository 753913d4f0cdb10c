"""Clusters of the top-ranked texts, for people: how many are about the same, and the words that set them apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.discovery.results import Cluster

MOST = 8  # clusters
WORDS = 4  # of each
FEWEST = 3  # texts that a word must be in to count
WORD = r"(?u)\b[^\W\d]{3,}\b"


def clusters_of(texts: Sequence[str], seed: int) -> list[Cluster]:
    """The clusters of these texts, the largest first. A text that shares no word with others belongs to none. texts:
    masked, as people see them."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(min_df=FEWEST, max_df=0.5, sublinear_tf=True, token_pattern=WORD)
    try:
        rows = vectorizer.fit_transform(texts)
    except ValueError:  # no word is in enough of them
        return []
    rows = rows[np.diff(rows.indptr) > 0]
    if rows.shape[0] < FEWEST:
        return []
    number = min(MOST, max(1, rows.shape[0] // FEWEST))
    found = KMeans(number, n_init=3, random_state=seed).fit(rows)
    names, mean = vectorizer.get_feature_names_out(), np.asarray(rows.mean(axis=0)).ravel()
    sizes = np.bincount(found.labels_, minlength=number)
    return [
        Cluster(int(sizes[place]), _telling(found.cluster_centers_[place] - mean, names))
        for place in np.argsort(-sizes, kind="stable")
        if sizes[place]
    ]


def _telling(differences: NDArray[np.float64], names: Sequence[str]) -> tuple[str, ...]:
    order = np.argsort(-differences, kind="stable")[:WORDS]
    return tuple(str(names[place]) for place in order if differences[place] > 0)
