"""Confident learning: finds labels that contradict models fitted without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Doubt:
    """A label that is probably wrong. place: the position of its row; suggested: index of the more probable label.
    margin: probability of the suggested label minus that of the given one, above 0, at most 1."""

    place: int
    suggested: int
    margin: float


def doubtful_labels(given: Sequence[int], probabilities: NDArray[np.float64]) -> list[Doubt]:
    """The off-diagonal of the confident joint, the largest margin first; ties in the order of the rows.

    given: (rows,) index of each row's label. probabilities: (rows, labels), by models that were fitted without the row.
    The threshold of a label is its mean probability in the rows given this label. A row counts for the most probable
    label among those whose threshold it reaches, and is doubtful if that is not the given label. If the given label is
    the most probable of all, it is not doubtful. No rows: none.

    Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels", JAIR 70,
    1373-1411, equations 1 and 2.
    """
    labels = np.asarray(given, dtype=np.intp)
    if not len(labels):
        return []
    confident = np.where(probabilities >= _thresholds(labels, probabilities), probabilities, -1.0)
    suggested, rows = confident.argmax(axis=1), np.arange(len(labels))
    reached = confident[rows, suggested] >= 0
    doubtful = reached & (suggested != labels) & (probabilities.argmax(axis=1) != labels)
    margins = probabilities[rows, suggested] - probabilities[rows, labels]
    found = [Doubt(int(row), int(suggested[row]), float(margins[row])) for row in np.flatnonzero(doubtful)]
    return sorted((one for one in found if one.margin > 0), key=lambda one: -one.margin)


def _thresholds(labels: NDArray[np.intp], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The thresholds, shape (labels,). The threshold of a label without rows cannot be reached."""
    columns = range(probabilities.shape[1])
    mine = [probabilities[labels == column, column] for column in columns]
    return np.array([shares.mean() if len(shares) else np.inf for shares in mine])
