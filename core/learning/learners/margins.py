"""A linear support vector machine on n-grams: the margin of a text for each label."""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.learning.learners.ngrams import Ngrams, fit_ngrams
from core.learning.learners.rows import FloatArray, Rows
from core.learning.learners.temperature import HeldOutFit, held_out_fit
from core.vocabulary import Coded

C = 0.5  # inverse regularisation; within .5 points of the best of .25 to 2 for 8 to 100 rows per label, docs/methods.md


def held_out_margins(rows: Rows, seed: int, progress: Callable[[Coded], None]) -> HeldOutFit:
    """Fit the scale on held-out rows: margins by the model of the fold, which has not seen the row. The n-grams are
    collected separately in each fold: with the n-grams of all rows, a held-out text would have no unknown n-grams,
    unlike any later text.
    """

    def margins(held_out: NDArray[np.bool_]) -> FloatArray:
        ngrams, weights, offsets = fit_margins(rows.take(~held_out), seed)
        found: FloatArray = ngrams.features(rows.take(held_out).texts) @ weights + offsets
        return found

    return held_out_fit(rows.targets, rows.weights, rows.keys, progress, margins, rows.real, rows.groups)


def fit_margins(rows: Rows, seed: int) -> tuple[Ngrams, NDArray[np.float32], FloatArray]:
    from sklearn.svm import LinearSVC  # not needed to serve a model

    ngrams = fit_ngrams(rows.texts)
    # random_state: without it, LIBLINEAR visits the rows in another order each time, and two fits differ
    svm = LinearSVC(C=C, random_state=seed % 2**32, max_iter=10_000)
    with warnings.catch_warnings():
        # With one or two rows per label, scikit-learn warns that the labels look like measurements.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%", UserWarning)
        svm.fit(ngrams.features(rows.texts), rows.targets, sample_weight=rows.weights)
    coefficients, offsets = svm.coef_, svm.intercept_
    if rows.labels == 2:  # scikit-learn gives a single column, the margin of the second label
        coefficients, offsets = np.vstack([-coefficients, coefficients]), np.concatenate([-offsets, offsets])
    return ngrams, np.ascontiguousarray(coefficients.T, dtype=np.float32), offsets.astype(np.float64)
