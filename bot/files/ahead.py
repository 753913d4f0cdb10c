"""Reading ahead: the next element of an iterator is computed before it is asked for."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """The elements of `source`, of which `prepare` computes the next one early. What is raised meanwhile, at the end
    too, is kept until the element is asked for."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._prepared: Future[T] | None = None

    def prepare(self) -> None:
        """Compute the next element, unless it is there already."""
        if self._prepared is None:
            self._prepared = Future()
            try:
                self._prepared.set_result(next(self._source))
            except Exception as error:  # noqa: BLE001 - `__next__` raises it
                self._prepared.set_exception(error)

    def __next__(self) -> T:
        prepared, self._prepared = self._prepared, None
        return next(self._source) if prepared is None else prepared.result()
