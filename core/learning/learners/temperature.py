"""Calibration of margins to probabilities: one number, fitted on margins of rows that the model has not seen.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) multiplies all margins by one scale before the softmax. Two
things differ from that paper, because labels here are few and often easy:

* Folds that work from one row per label (scikit-learn's calibration refuses labels with fewer rows than folds).
* Platt's smoothed targets (Platt 1999, "Probabilistic outputs for support vector machines", section 2.2). Where all
  held-out rows are right, the likelihood grows with the scale for ever: the model would be certain of everything, even
  of a text about something else, which would then not be flagged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.learning.learners.group_folds import drawn_folds, folds_by_hash
from core.vocabulary import Coded, RunStep

FOLDS = 3
SCALES = (
    0.05,
    50.0,
)  # smallest and largest scale; margins of an SVM are around 1, so these mean "knows nothing" and "certain"


def assign_folds(
    targets: NDArray[np.intp], rng: np.random.Generator, folds: int = FOLDS, groups: Sequence[str] = ()
) -> NDArray[np.intp]:
    """The fold in which each row is held out, shape (rows,): 0 to folds-1, or -1 for never.

    targets: index of each row's label. Each label's rows are spread evenly, so that a label with two rows or more is
    known in every fold. The only row of a label is never held out: its fold would not know the label. groups: each
    row's group, or ""; empty: no row has one. A group's rows are held out together, or never.
    """
    if any(groups):
        return drawn_folds(targets, groups, rng, folds)
    assigned = np.full(len(targets), -1, dtype=np.intp)
    for label in np.unique(targets):
        rows = rng.permutation(np.flatnonzero(targets == label))
        if len(rows) > 1:
            assigned[rows] = np.arange(len(rows)) % folds
    return assigned


def content_folds(
    targets: NDArray[np.intp],
    keys: NDArray[np.uint64],
    real: NDArray[np.bool_] | None = None,
    groups: Sequence[str] = (),
) -> NDArray[np.intp]:
    """The same as `assign_folds`, but by a hash of each row's content, shape (rows,): rows that two training sets have
    in common are held out together in both. With drawn folds, two models of the same rows differ on a tenth of them.

    Where this would hold out all rows of a label at once, they are spread by the order of their hashes. real: (rows,)
    False for texts by a language model, which are never held out, because confidence is not to be measured on a
    machine's words; None: people wrote all. groups: as for `assign_folds`; a hash of the group's name decides."""
    real = np.ones(len(targets), dtype=np.bool_) if real is None else real
    if any(groups):
        return folds_by_hash(targets, keys, groups, FOLDS, real)
    assigned = np.where(real, (keys % np.uint64(FOLDS)).astype(np.intp), -1)
    for label in np.unique(targets[real]):
        rows = np.flatnonzero((targets == label) & real)
        if len(rows) == 1:
            assigned[rows] = -1
        elif len(np.unique(assigned[rows])) == 1:
            assigned[rows[np.argsort(keys[rows], kind="stable")]] = np.arange(len(rows)) % FOLDS
    return assigned


@dataclass(frozen=True)
class HeldOutFit:
    """The result of a calibration. scale: inverse temperature. shares: (rows, labels), P(label | row) by the model of
    the other folds; NaN for a row that is never held out."""

    scale: float
    shares: NDArray[np.float64]


def held_out_fit(
    targets: NDArray[np.intp],
    weights: NDArray[np.float64],
    keys: NDArray[np.uint64],
    progress: Callable[[Coded], None],
    margins_of: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    real: NDArray[np.bool_] | None = None,
    groups: Sequence[str] = (),
) -> HeldOutFit:
    """Fit the scale on held-out rows: margins by the model of the fold, which has not seen the row. Returns it with
    that model's probabilities.

    targets: (rows,) index of the right label, each label at least once; weights: (rows,) above 0; keys, real, groups:
    (rows,), see `content_folds`; margins_of: fits on the rows that are not marked and returns the margins of the marked
    ones, shape (marked, labels)."""
    folds = content_folds(targets, keys, real, groups)
    rows_of_label = np.bincount(targets if real is None else targets[real], minlength=int(targets.max()) + 1)
    margins = np.full((len(folds), len(rows_of_label)), np.nan)
    count = int(folds.max()) + 1
    for fold in range(count):
        progress(Coded(RunStep.CALIBRATING, {"part": fold + 1, "parts": count}))
        margins[folds == fold] = margins_of(folds == fold)
    seen = folds >= 0
    scale = fit_scale(margins[seen], targets[seen], weights[seen], rows_of_label)
    return HeldOutFit(scale, softmax(scale * margins))


def softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The softmax of each row, computed in place."""
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def fit_scale(
    margins: NDArray[np.float64],
    targets: NDArray[np.intp],
    weights: NDArray[np.float64],
    label_rows: NDArray[np.intp],
) -> float:
    """The scale s for which softmax(s * margins) has the smallest weighted cross-entropy against smoothed targets.

    margins: (rows, labels) of held-out rows; targets: (rows,) index of the right label; weights: (rows,) above 0;
    label_rows: (labels,) training rows of each label. Returns a value within SCALES; 1.0 without rows. A row of a label
    with n rows has the target 1 - eps on its label and eps spread over the others, eps = 1 / (n + 2). The function is
    convex in s, so the bounded search finds the only minimum."""
    from scipy.optimize import minimize_scalar  # here, because serving a model does not need scipy.optimize
    from scipy.special import logsumexp

    if not len(margins):
        return 1.0
    aims = _smoothed(targets, label_rows)
    expected = (aims * margins).sum(axis=1)

    def loss(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return float(np.average(logsumexp(scale * margins, axis=1) - scale * expected, weights=weights))

    found = minimize_scalar(loss, bounds=tuple(np.log(SCALES)), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def fit_weights(
    logarithms: Sequence[NDArray[np.float64]],
    targets: NDArray[np.intp],
    weights: NDArray[np.float64],
    label_rows: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Weights w for which softmax(sum of w * logarithms) has the smallest weighted cross-entropy, as in `fit_scale`.

    logarithms: the log probabilities of several models, each (rows, labels), of held-out rows; the other arguments as
    there. Returns a weight per model, from 0 to `SCALES[1]`; without rows, equal weights of sum 1. This is a
    logarithmic opinion pool (Genest and Zidek 1986, Statistical Science 1, 114-135), and convex, too."""
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    equal = np.full(len(logarithms), 1 / len(logarithms))
    if not len(targets):
        return equal
    aims, parts, shares = _smoothed(targets, label_rows), np.stack(logarithms), weights / weights.sum()
    expected = (aims * parts).sum(axis=2)

    def loss(chosen: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = np.tensordot(chosen, parts, 1)
        logs = logsumexp(pooled, axis=1)
        found = (np.exp(pooled - logs[:, None]) * parts).sum(axis=2)
        return float(shares @ (logs - chosen @ expected)), (found - expected) @ shares

    bounds = [(0.0, SCALES[1])] * len(logarithms)
    found = minimize(loss, equal, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-8})
    best: NDArray[np.float64] = found.x
    return best


def _smoothed(targets: NDArray[np.intp], label_rows: NDArray[np.intp]) -> NDArray[np.float64]:
    slack = 1 / (label_rows[targets] + 2)
    aims = np.repeat((slack / (len(label_rows) - 1))[:, None], len(label_rows), axis=1)
    aims[np.arange(len(targets)), targets] = 1 - slack
    return aims
