"""The log context: fields that each record bears which is logged in a block, such as the id of a request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_bound: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=MappingProxyType({}))


def bound_fields() -> Mapping[str, object]:
    """The fields of the blocks around the caller. Another thread has none: bind them there again."""
    return _bound.get()


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add these fields for the block."""
    token = _bound.set(MappingProxyType({**_bound.get(), **fields}))
    try:
        yield
    finally:
        _bound.reset(token)
