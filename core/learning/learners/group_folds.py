"""Folds that keep groups together: no row is held out while another of its group, such as a patient, trains.

Held-out rows stand for inputs that come later, of other patients. If a model has learned from one picture of a patient
and is asked about another, it looks better, and surer with reason, than it is. A row without a group is a group of its
own."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.intp]


def folds_by_hash(
    targets: NDArray[np.intp],
    keys: NDArray[np.uint64],
    groups: Sequence[str],
    folds: int,
    real: NDArray[np.bool_],
) -> Folds:
    """The fold in which each row is held out, shape (rows,): 0 to folds-1, or -1 for never. By a hash of the group's
    name, so that a group is held out in the same fold in every training set; by the row's key where it has none.

    targets: index of each row's label; keys: a hash of each row; real: (rows,) False for rows that are never held
    out. A label is known in every fold: a group that alone has it is never held out, nor is one of several that fell
    into the same fold."""
    units = _units(groups)
    own = [_hash(group) if group else int(key) for group, key in zip(groups, keys, strict=True)]
    assigned = np.zeros(int(units.max()) + 1, dtype=np.intp)
    assigned[units] = [one % folds for one in own]
    return np.where(real, _known_in_every_fold(assigned, units[real], targets[real])[units], -1)


def drawn_folds(targets: NDArray[np.intp], groups: Sequence[str], rng: np.random.Generator, folds: int) -> Folds:
    """As `folds_by_hash`, drawn: one group after the other goes where there are fewest rows of its labels so far, the
    largest first, so that each label is spread about evenly (as scikit-learn's StratifiedGroupKFold, which refuses
    labels of fewer groups than folds)."""
    units, labels = _units(groups), int(targets.max()) + 1
    sizes = np.bincount(units)
    drawn = rng.permutation(len(sizes))
    rows_of = np.zeros((folds, labels))
    assigned = np.zeros(len(sizes), dtype=np.intp)
    of_unit = np.split(targets[np.argsort(units, kind="stable")], np.cumsum(sizes)[:-1])
    for unit in drawn[np.argsort(-sizes[drawn], kind="stable")]:
        its = np.bincount(of_unit[unit], minlength=labels)
        assigned[unit] = np.lexsort((rows_of.sum(axis=1), rows_of @ its))[0]
        rows_of[assigned[unit]] += its
    return _known_in_every_fold(assigned, units, targets)[units]


def _units(groups: Sequence[str]) -> NDArray[np.intp]:
    """A number for each group, in the order of their names, and one for each row without."""
    number = {name: place for place, name in enumerate(sorted({group for group in groups if group}))}
    alone = iter(range(len(number), len(number) + len(groups)))
    return np.array([number[group] if group else next(alone) for group in groups], dtype=np.intp)


def _known_in_every_fold(assigned: Folds, units: NDArray[np.intp], targets: NDArray[np.intp]) -> Folds:
    """assigned: the fold of each unit, changed in place. Units that are never held out harm no other label."""
    for label in np.unique(targets):
        its = np.unique(units[targets == label])
        if len(np.unique(assigned[its])) == 1:
            assigned[its[0]] = -1
    return assigned


def _hash(group: str) -> int:
    return int.from_bytes(blake2b(group.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
