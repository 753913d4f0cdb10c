"""Compact storage of arrays with many zeros: one bit per cell, and the values of the other cells.

Half to three quarters of the weights of the learner `text` are exactly zero. Without them an artefact is about as large
as a deflated one, and is written and read in a tenth of the time (benchmarks/training.txt).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import Invalid

SHARE = 0.25  # the smallest share of zeros for which an array is stored without them
KEYS = FILLED, VALUES, SHAPE = ("filled bits", "filled values", "filled shape")


def without_zeros(state: Any) -> Any:
    """The state, in which each array of floats with many zeros is replaced by three plain parts. state: mappings, lists
    and arrays."""
    if isinstance(state, Mapping):
        return {name: without_zeros(one) for name, one in state.items()}
    if isinstance(state, list):
        return [without_zeros(one) for one in state]
    if isinstance(state, np.ndarray) and np.issubdtype(state.dtype, np.floating) and state.ndim:
        filled = state != 0
        if np.count_nonzero(filled) < (1 - SHARE) * filled.size:
            return {FILLED: np.packbits(filled), VALUES: state[filled], SHAPE: list(state.shape)}
    return state


def with_zeros(state: Any, most_bytes: int) -> Any:
    """The inverse of `without_zeros`. most_bytes: the limit of all arrays with their zeros. Raises Invalid above it,
    and ValueError, TypeError or LookupError for parts that do not match."""
    return _refilled(state, _Room(most_bytes))


class _Room:
    """The number of bytes that arrays may still take with their zeros."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Invalid(f"The model's arrays unpack to over {self._most:,} bytes. Retrain on fewer examples.")


def _refilled(state: Any, room: _Room) -> Any:
    match state:
        case dict() if set(state) == set(KEYS):
            return _array(state[FILLED], state[VALUES], state[SHAPE], room)
        case dict():
            return {name: _refilled(one, room) for name, one in state.items()}
        case list():
            return [_refilled(one, room) for one in state]
    return state


def _array(bits: Any, values: Any, shape: list[int], room: _Room) -> Any:
    cells = int(np.prod([*map(int, shape)], dtype=object))
    room.take(cells * values.itemsize)
    if len(bits) != -(-cells // 8):
        raise ValueError(f"{len(bits)} bytes of bits for {cells} cells")
    array = np.zeros(cells, values.dtype)
    array[np.unpackbits(bits, count=cells).view(np.bool_)] = values
    return array.reshape(shape)
