"""The work on one shard: read its texts, rank them and keep the top-ranked ones. It writes nothing.

All engines run this function. Texts are ordered by value, then by content hash, never by position. So the result
depends neither on the engine nor on the order in which shards are done. Memory does not grow with the size of the
shard."""

import heapq
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.discovery.ranking import NEVER, Ranker, Ranking, ranking_of
from core.discovery.results import Found, Reading, Result, Scored, Unread
from core.discovery.sources import Columns, Shard, read
from core.errors import Refusal
from core.policy import PrivacyPolicy
from core.text.content_hash import content_hash
from core.text.storable import storable

LONGEST_TEXT = 100_000  # characters; nobody would read a longer text
HASH_DIGITS = 16  # digits of a content hash by which known texts are compared
TRIES = 2  # attempts at a shard that cannot be read
DAMAGE = (OSError, EOFError, ValueError, zlib.error, MemoryError)  # errors of readers on damaged files

Known = NDArray[np.uint64]


@dataclass(frozen=True)
class Task:
    """The part of the work that is the same for all shards. known: sorted beginnings of the content hashes of texts
    that are left out; most: number of texts that each shard keeps, at least one."""

    ranker: Ranker
    columns: Columns
    privacy: PrivacyPolicy
    known: Known
    most: int


def score(task: Task, shard: Shard) -> Result:
    """The result of `scoring`, without its progress."""
    events = scoring(task, shard)
    while True:
        event = next(events)
        if not isinstance(event, Reading):
            return event


def scoring(task: Task, shard: Shard) -> Iterator[Reading | Result]:
    """Yield the progress after each batch, and the result at the end. A shard that cannot be read is tried twice."""
    for attempt in range(1, TRIES + 1):
        try:
            yield from _scoring(task, shard)
            return
        except Refusal as refusal:
            yield Unread(shard.position, str(refusal))
            return
        except DAMAGE as error:
            if attempt == TRIES:
                yield Unread(shard.position, f"{shard.address} cannot be read ({type(error).__name__}: {error}).")


def _scoring(task: Task, shard: Shard) -> Iterator[Reading | Result]:
    rank, front = ranking(task.ranker), Front(task)
    for ids, texts in read(shard, task.columns):
        front.add(ids, texts, rank(texts))
        yield Reading(shard.position, front.rows)
    yield Scored(shard.position, front.rows, front.foreign, front.known, front.top())


class Front:
    """The top-ranked texts, as a heap with the last of them on top. Only a text that would get in is masked and hashed.
    Of equal contents, the first counts."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._heap: list[tuple[float, int, str, str, str]] = []
        self._inside: set[str] = set()
        self._last = sys.float_info.max  # below `NEVER`, so that unranked texts are left out
        self.rows = self.foreign = self.known = 0

    def add(self, ids: Sequence[str], texts: Sequence[str], values: NDArray[np.float64]) -> None:
        self.rows += len(texts)
        self.foreign += int((values == NEVER).sum())
        for place in map(int, np.flatnonzero(values <= self._last)):
            if values[place] <= self._last and len(texts[place]) <= LONGEST_TEXT:
                self._offer(float(values[place]), ids[place], texts[place])

    def top(self) -> tuple[Found, ...]:
        return tuple(Found(-value, digest, ident, text) for value, _, digest, ident, text in sorted(self._heap)[::-1])

    def _offer(self, value: float, ident: str, text: str) -> None:
        stored = self._task.privacy.stored(storable(text))
        digest = content_hash(stored)
        if digest in self._inside:
            return
        if is_known(digest, self._task.known):
            self.known += 1
            return
        entry = (-value, -int(digest, 16), digest, storable(ident), stored)
        if len(self._heap) < self._task.most:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            self._inside.discard(heapq.heapreplace(self._heap, entry)[2])
        else:
            return
        self._inside.add(digest)
        if len(self._heap) == self._task.most:
            self._last = -self._heap[0][0]


def is_known(digest: str, known: Known) -> bool:
    """Whether a content is known. Among some trillion contents, two share these digits; then one is taken for known and
    left out."""
    number = np.uint64(int(digest[:HASH_DIGITS], 16))
    place = int(np.searchsorted(known, number))
    return place < len(known) and bool(known[place] == number)


def known_digits(hashes: Sequence[str]) -> Known:
    """The hashes in the form of `Task.known`."""
    return np.unique(np.array([int(digest[:HASH_DIGITS], 16) for digest in hashes], dtype=np.uint64))


def ranking(ranker: Ranker) -> Ranking:
    """The ranking of this ranker. The last one used stays loaded in the process."""
    with _loading:
        if not _loaded or _loaded[0][0] is not ranker:
            _loaded[:] = [(ranker, ranking_of(ranker))]
        return _loaded[0][1]


_loading = threading.Lock()
_loaded: list[tuple[Ranker, Ranking]] = []
