"""The selection of finds among the top-ranked texts of all shards: texts that differ, spread over the topics."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.discovery.clusters import clusters_of
from core.discovery.ranking import Ranker, opened_model
from core.discovery.results import Found, Picked, Selected
from core.learning.data.inputs import Input
from core.learning.data.text_similarity import near_texts, without_near
from core.learning.learners.label_subset import label_subset
from core.learning.learners.ngrams import fit_ngrams
from core.policy import QueuePolicy
from core.vocabulary import Coded

FRONT = 10  # texts that compete for each place


def merged(tops: Iterable[Sequence[Found]], most: int) -> list[Found]:
    """The `most` top-ranked texts of all shards, each content once. The order of the shards does not matter."""
    best: dict[str, Found] = {}
    for found in sorted(found for top in tops for found in top):
        best.setdefault(found.content_hash, found)
    return list(best.values())[:most]


def digest_of(front: Sequence[Found]) -> str:
    """The digest of the top-ranked texts, in their order: 64 hex digits."""
    lines = [[found.value, found.content_hash, found.external_id] for found in front]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def select_finds(
    front: Sequence[Found],
    golden: Sequence[str],
    ranker: Ranker,
    policy: QueuePolicy,
    wanted: int,
    seed: int,
    _report: Callable[[Coded], None],
) -> Selected:
    """Select finds. Near-duplicates are left out, then one text is taken from each of `wanted` clusters, in which
    unsure texts weigh more (Zhdanov 2019, arXiv:1901.05954). front: the top-ranked texts, in order. golden: texts of
    golden examples."""
    apart = _without_near_duplicates(front, golden, policy)
    texts = [found.text for found in apart]
    fitted = label_subset(opened_model(ranker.packed, ranker.learner, ranker.extra_learners), policy.label_named)
    probabilities = fitted.probabilities([Input(text) for text in texts])
    picked = [
        Picked(apart[place], dict(zip(fitted.classes, map(float, probabilities[place]), strict=True)))
        for place in spread(texts, [found.value for found in apart], wanted, seed)
    ]
    clusters = clusters_of([policy.privacy.shown(text) for text in texts], probabilities, seed)
    return Selected(tuple(picked), len(front) - len(apart), tuple(clusters))


def _without_near_duplicates(front: Sequence[Found], golden: Sequence[str], policy: QueuePolicy) -> list[Found]:
    texts = [found.text for found in front]
    leaks = near_texts(texts, golden, policy.golden.near_duplicate)
    left = [found for found, leaked in zip(front, leaks, strict=True) if not leaked]
    return [left[place] for place in without_near([found.text for found in left], policy.discovery.near_duplicate)]


def spread(texts: Sequence[str], values: Sequence[float], wanted: int, seed: int) -> list[int]:
    """The places of at most `wanted` texts, the smallest value first: from each cluster, the text nearest to its
    centre."""
    if len(texts) <= wanted:
        return list(range(len(texts)))
    from sklearn.cluster import MiniBatchKMeans  # a second

    rows = fit_ngrams(texts).features(texts)
    weights = 1 - np.clip(np.array(values), 0, 0.999)
    found = MiniBatchKMeans(wanted, n_init=1, random_state=seed, batch_size=1024, max_iter=30)
    with threadpool_limits(1):  # with so few texts, threads would wait for each other
        found.fit(rows, sample_weight=weights)
    distances = _distances(rows, found.cluster_centers_)
    places = []
    for cluster in range(wanted):
        members = np.flatnonzero(found.labels_ == cluster)
        if len(members):
            places.append(int(members[distances[members, cluster].argmin()]))
    return sorted(places, key=lambda place: (values[place], place))


def _distances(rows: object, centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared distances to each centre, less the row's own squared length, which is the same for all centres."""
    return np.asarray(-2 * (rows @ centres.T) + (centres**2).sum(axis=1))  # type: ignore[operator]
