"""Fingerprints of fitted models: equal when all parameters are equal.

The stored bytes cannot be compared: skops writes a zip file that contains dates. The fingerprint is computed from the
state, so "the same snapshot and seed give the same model" can be verified a year later."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.errors import Invalid
from core.learning.learners.base import Fitted

DIGITS = 16  # significant binary digits of a parameter, about 5 decimal ones; the rest may differ between processors


def fingerprint(fitted: Fitted) -> str:
    """16 hex digits over the model's state. A model that is fitted again, or stored and restored, keeps its
    fingerprint.

    Parameters are rounded to 16 significant binary digits. Raises Invalid if the state holds an object whose parts
    cannot be compared, such as an open file."""
    digest = hashlib.sha256()
    for part in _parts(fitted.state()):
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]


def _parts(value: Any) -> Iterator[bytes]:
    """Yield each value with its type, depth first; mappings in the order of their keys."""
    yield type(value).__name__.encode()
    if isinstance(value, np.ndarray | np.number) and np.issubdtype(value.dtype, np.inexact):
        yield from (str(np.shape(value)).encode(), _rounded(np.asarray(value)))
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield from (f"{value.dtype.str}{value.shape}".encode(), value.tobytes())
    elif isinstance(value, float):
        yield _rounded(np.array(value))
    elif isinstance(value, str | bytes | int | None):
        yield value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    elif isinstance(value, Mapping):
        yield from _all(item for key in sorted(value, key=str) for item in (key, value[key]))
    elif isinstance(value, list | tuple | np.ndarray):
        yield from _all(value)
    elif isinstance(value, set | frozenset):
        yield from sorted(b"".join(_parts(item)) for item in value)
    else:
        yield from _object_parts(value)


def _all(values: Any) -> Iterator[bytes]:
    items = list(values)
    yield str(len(items)).encode()
    for item in items:
        yield from _parts(item)


def _rounded(values: np.ndarray[Any, Any]) -> bytes:
    """The values, rounded to `DIGITS` significant binary digits, half to even, by their bits. All types but float32 are
    read as float64."""
    single = values.dtype == np.float32
    exact = np.ascontiguousarray(values, dtype=np.float32 if single else np.float64)
    bits: Any = exact.view(np.uint32 if single else np.uint64)
    dropped = bits.dtype.type((24 if single else 53) - DIGITS)
    one = bits.dtype.type(1)
    rounded = (bits + ((one << dropped - one) - one) + (bits >> dropped & one)) >> dropped << dropped
    return bytes((rounded.view(exact.dtype) + exact.dtype.type(0)).tobytes())  # + 0 removes negative zeros


def _object_parts(value: Any) -> Iterator[bytes]:
    """The parts from which pickle would rebuild an object (nothing is rebuilt); functions and types by name."""
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        yield f"{value.__module__}.{value.__qualname__}".encode()
        return
    try:
        reduced = value.__reduce_ex__(2)
    except TypeError as error:
        raise Invalid(f"A model that holds {type(value).__name__} has no fingerprint: {error}.") from None
    if isinstance(reduced, str):
        yield reduced.encode()
    else:
        yield from _all(list(part) if isinstance(part, Iterator) else part for part in reduced)
