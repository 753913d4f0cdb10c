"""Folds that keep groups together: no row is held out while another row of its group, such as a patient, trains.
Held-out rows stand for later inputs, of other patients. A model that has learned from one picture of a patient looks
more accurate and more confident on another one than it is. A row without a group is a group of its own."""

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
    """The fold in which each row is held out, shape (rows,): 0 to folds-1, or -1 for never. The fold is a hash of the
    group's name, so that a group is held out in the same fold in every training set; for a row without a group, of the
    row's key.

    targets: index of each row's label; keys: a hash of each row; real: (rows,) False for rows that are never held out.
    Every fold's training rows have every label: a group that alone has a label is never held out, nor is one of the
    groups if all with that label fell into the same fold."""
    units = _units(groups)
    own = [_hash(group) if group else int(key) for group, key in zip(groups, keys, strict=True)]
    assigned = np.zeros(int(units.max()) + 1, dtype=np.intp)
    assigned[units] = [one % folds for one in own]
    return np.where(real, _known_in_every_fold(assigned, units[real], targets[real])[units], -1)


def drawn_folds(targets: NDArray[np.intp], groups: Sequence[str], rng: np.random.Generator, folds: int) -> Folds:
    """The same as `folds_by_hash`, but drawn: one group after the other, the largest first, is put into the fold with
    the fewest rows of its labels so far, so that each label is spread about evenly (as scikit-learn's
    StratifiedGroupKFold, which refuses labels of fewer groups than folds)."""
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
    """The number of each row's unit: one unit per group, in the order of their names, and one per row without a
    group."""
    number = {name: place for place, name in enumerate(sorted({group for group in groups if group}))}
    alone = iter(range(len(number), len(number) + len(groups)))
    return np.array([number[group] if group else next(alone) for group in groups], dtype=np.intp)


def _known_in_every_fold(assigned: Folds, units: NDArray[np.intp], targets: NDArray[np.intp]) -> Folds:
    """The folds, with units taken out where a fold would not know a label. assigned: the fold of each unit, changed in
    place. A unit that is never held out harms no other label."""
    for label in np.unique(targets):
        its = np.unique(units[targets == label])
        if len(np.unique(assigned[its])) == 1:
            assigned[its[0]] = -1
    return assigned


def _hash(group: str) -> int:
    return int.from_bytes(blake2b(group.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
