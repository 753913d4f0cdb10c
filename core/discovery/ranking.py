"""The ranking of texts, many at once: exact margins, and whether a text is of the queue's kind.

A text without any known n-gram has equal probabilities, and so the margin 0. Texts of another kind have small margins:
by margin alone, they would come first. So texts without known n-grams are never ranked, and the others must pass the
domain classifier, which is one more column of weights beside those of the labels.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from core.discovery.domain import Domain
from core.discovery.results import DIGITS, LEAST_SHARE
from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.learners.artifacts import Packed, unpack
from core.learning.learners.base import Fitted
from core.learning.learners.registry import find_learner
from core.learning.learners.text import TextModel

NEVER = np.inf  # the value of texts that are not ranked

Floats = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ranker:
    """The specification of a ranking. labels: those of the queue; label: rank texts between this label and another;
    foreign: rank texts of another kind than the queue's."""

    packed: Packed
    learner: str
    labels: tuple[str, ...]
    label: str | None = None
    foreign: bool = False
    domain: Domain | None = None
    extra_learners: Mapping[str, str] = field(default_factory=dict, hash=False)


_opening = threading.Lock()
_opened: list[tuple[str, Fitted]] = []  # (hash of the model's bytes, model)


def opened_model(packed: Packed, learner: str, extra_learners: Mapping[str, str]) -> Fitted:
    """The opened model. Unpacking takes a second, so the last model stays open in the process. Raises Invalid if it
    cannot be opened here."""
    with _opening:
        if not _opened or _opened[0][0] != packed.sha256:
            _opened[:] = [(packed.sha256, unpack(packed, find_learner(learner, extra_learners)))]
        return _opened[0][1]


class Ranking(Protocol):
    def __call__(self, texts: Sequence[str]) -> Values:
        """The value of each text, shape (texts,). The smallest is ranked first; a text with `NEVER` is not ranked."""
        ...


def ranking_of(ranker: Ranker) -> Ranking:
    """The ranking for a specification. Raises Invalid if the model cannot be opened here or does not know the label."""
    fitted = opened_model(ranker.packed, ranker.learner, ranker.extra_learners)
    columns = [place for place, name in enumerate(fitted.classes) if name in ranker.labels]
    require_known(ranker.label, fitted)
    wanted = None if ranker.label is None else [fitted.classes[place] for place in columns].index(ranker.label)
    if isinstance(fitted, TextModel):
        return _ByNgrams(fitted, ranker, columns, wanted)
    return _ByProbabilities(fitted, ranker, columns, wanted)


def require_known(label: str | None, fitted: Fitted) -> None:
    """Raises Invalid if the model does not know the label that is looked for."""
    if label is not None and label not in fitted.classes:
        raise Invalid(f"The live model does not know “{label}” yet. Train it with some examples of this label first.")


class _ByNgrams:
    """The ranking by the built-in learner: labels and domain in one matrix product, in float32 throughout."""

    def __init__(self, model: TextModel, ranker: Ranker, columns: Sequence[int], wanted: int | None) -> None:
        self._ngrams, self._domain = model.ngrams, ranker.domain
        self._foreign, self._wanted = ranker.foreign, wanted
        self._columns = None if len(columns) == len(model.classes) else np.array(columns, dtype=np.intp)
        labels, scale, offsets = len(model.classes), np.float32(model.scale), model.offsets.astype(np.float32)
        self._weights = np.empty((len(model.weights), labels + (ranker.domain is not None)), dtype=np.float32)
        np.multiply(model.weights, scale, out=self._weights[:, :labels])
        self._offsets = offsets * scale
        if ranker.domain is not None:
            self._weights[:, labels] = ranker.domain.weights
            self._offsets = np.append(self._offsets, np.float32(ranker.domain.offset))

    def __call__(self, texts: Sequence[str]) -> Values:
        features: csr_matrix = self._ngrams.features(texts)
        margins = features @ self._weights
        margins += self._offsets
        kinds = None
        if self._domain is not None:
            kinds, margins = margins[:, -1], margins[:, :-1]
        values = _ranked(_shares(margins, self._columns), self._wanted) if not self._foreign else None
        return _of_wanted_kind(values, kinds, np.diff(features.indptr) == 0, self._domain, self._foreign)


class _ByProbabilities:
    """The ranking by any other learner: its probabilities, and a domain classifier with n-grams of its own."""

    def __init__(self, fitted: Fitted, ranker: Ranker, columns: Sequence[int], wanted: int | None) -> None:
        self._fitted, self._domain, self._foreign = fitted, ranker.domain, ranker.foreign
        self._columns, self._wanted = np.array(columns, dtype=np.intp), wanted

    def __call__(self, texts: Sequence[str]) -> Values:
        probabilities = self._fitted.probabilities([Input(text) for text in texts])
        knows_nothing = np.ptp(probabilities, axis=1) == 0
        kinds = None
        if self._domain is not None and self._domain.ngrams is not None:
            kinds = self._domain.ngrams.features(texts) @ self._domain.weights + np.float32(self._domain.offset)
        values = _ranked(probabilities[:, self._columns].astype(np.float32), self._wanted)
        return _of_wanted_kind(values, kinds, knows_nothing, self._domain, self._foreign)


def _shares(margins: Floats, columns: NDArray[np.intp] | None) -> Floats:
    """The probabilities of the queue's labels: the softmax is over all labels of the model."""
    margins -= margins.max(axis=1, keepdims=True)
    np.exp(margins, out=margins)
    total = margins.sum(axis=1, keepdims=True)
    shares = margins if columns is None else margins[:, columns]
    shares /= total
    return shares


def _ranked(shares: Floats, wanted: int | None) -> Values:
    """The margin between the two most probable labels or, if `wanted` is given, between that label and the best other
    one."""
    rows = np.arange(len(shares))
    best = shares.argmax(axis=1) if wanted is None else np.full(len(shares), wanted)
    first = shares[rows, best].astype(np.float64)
    shares[rows, best] = -1
    values: Values = np.round(np.abs(first - shares.max(axis=1).astype(np.float64)), DIGITS)
    if wanted is not None:
        values[first < LEAST_SHARE] = NEVER
    return values


def _of_wanted_kind(
    values: Values | None,
    kinds: Floats | None,
    knows_nothing: NDArray[np.bool_],
    domain: Domain | None,
    foreign: bool,
) -> Values:
    """The values of the texts that pass the classifier. values: None if texts of another kind are looked for; the more
    foreign, the earlier."""
    ranked: Values = np.zeros(len(knows_nothing)) if values is None or foreign else values
    if foreign and kinds is not None:
        ranked = np.asarray(kinds, dtype=np.float64).round(DIGITS)
    if kinds is not None and domain is not None and domain.threshold is not None:
        passes = kinds >= domain.threshold
        ranked[passes if foreign else ~passes] = NEVER
    ranked[knows_nothing] = NEVER
    return ranked
