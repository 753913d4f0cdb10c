"""The log context: fields, such as the id of a request, that are added to each record logged in a block."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_bound: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=MappingProxyType({}))


def bound_fields() -> Mapping[str, object]:
    """The fields of the blocks around the caller. Another thread has none; they must be bound there again."""
    return _bound.get()


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add these fields to each record logged in the block."""
    token = _bound.set(MappingProxyType({**_bound.get(), **fields}))
    try:
        yield
    finally:
        _bound.reset(token)
