"""Driving an engine: its results are stored as they come, the progress is shown, and a cancelled scan ends."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from core.discovery.results import Found, Reading, Result, Scored
from core.discovery.scans import is_over, note_progress, store_result
from core.discovery.selection import merged
from core.jobs import Check
from core.storage.database import PATIENT, Database

Clock = Callable[[], datetime]
SHOW_SECONDS = 5.0  # between two redraws of the scan's card
LOOK_SECONDS = 1.0  # between two checks whether it was cancelled


@dataclass(frozen=True)
class Progress:
    """The progress of a scan. done, total: in bytes; rows: those read up to now; seconds: since this driver began."""

    done: int
    total: int
    rows: int
    seconds: float


Hear = Callable[[Progress], None]


class ScanOver(Exception):  # noqa: N818 - a fact: it was cancelled while it was worked on
    """The scan was cancelled, or finished by another driver."""


class Watch:
    """A check whether the scan is over, which raises ScanOver. It may be called often; it looks once a second. check:
    called each time, for other reasons to end the work."""

    def __init__(self, database: Database, scan_id: int, check: Check) -> None:
        self._database, self._scan_id, self._check = database, scan_id, check
        self._looked = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._check()
        with self._database.reading(wait=PATIENT) as session:
            if is_over(session, self._scan_id):
                raise ScanOver
        self._looked = time.monotonic()


class Driver:
    """Stores the results of an engine, and now and then shows the progress."""

    def __init__(
        self, database: Database, scan_id: int, most: int, front: list[Found], clock: Clock, hear: Hear, watch: Watch
    ) -> None:
        self._database, self._scan_id, self._most, self._front = database, scan_id, most, front
        self._clock, self._hear, self._watch = clock, hear, watch
        self._began = self._shown = self._heard = time.monotonic()
        self._reading: dict[int, int] = {}
        self._told = Progress(0, 0, 0, 0.0)

    def drive(self, events: Iterator[Reading | Result | None]) -> None:
        """Store the results of an engine until it has no more. Raises ScanOver. The engine is closed in any case."""
        try:
            self._note()
            for event in events:
                if isinstance(event, Reading):
                    self._reading[event.position] = event.rows
                elif event is not None:
                    self._store(event)
                self._watch()
                self._show()
            self._note()
        finally:
            events.close()  # type: ignore[attr-defined]

    def _store(self, result: Result) -> None:
        self._reading.pop(result.position, None)
        kept = self._selectable(result) if isinstance(result, Scored) else []
        with self._database.transaction(wait=PATIENT) as session:
            if not store_result(session, self._scan_id, result, kept):
                raise ScanOver

    def _selectable(self, scored: Scored) -> list[Found]:
        """The texts of this result that are top-ranked among all shards so far; other texts can no longer be
        selected."""
        self._front = merged([self._front, scored.top], self._most)
        inside = {found.content_hash for found in self._front}
        return [found for found in scored.top if found.content_hash in inside]

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown >= SHOW_SECONDS:
            self._note()
        if now - self._heard >= LOOK_SECONDS:
            self._heard = now
            rows = self._told.rows + sum(self._reading.values())
            self._hear(Progress(self._told.done, self._told.total, rows, now - self._began))

    def _note(self) -> None:
        self._shown = time.monotonic()
        seconds = self._shown - self._began
        with self._database.transaction(wait=PATIENT) as session:
            if is_over(session, self._scan_id):
                raise ScanOver
            self._told = Progress(**note_progress(session, self._scan_id, seconds, self._clock()))
        self._hear(self._told)
