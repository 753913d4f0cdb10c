"""The policy watch: a thread of each process that switches to a new version of the policy within seconds, reloads the
policy file on SIGHUP, and records that the process is running.

Slack's requests need no watch: each transaction reads which version is in force. Work that begins outside a transaction
uses the version that the watch has read.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.runtime.policy_in_force import reload_policy
from bot.runtime.processes import process_title
from bot.runtime.services import Services
from bot.wording.policy_changes import advice, change_lines, out_of_date
from core.errors import DatabaseUnavailable, Refusal
from core.policy_in_force.versions import PutInForce, Standing, Started
from core.storage.changes import Changes
from core.storage.running import Running, note_ended, note_running

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
SEEN_SECONDS = 60.0  # between two records that this process runs; each is a commit, which wakes an idle worker
WAIT_SECONDS = 2.0  # to wait for the database; the next interval tries again


class PolicyWatch:
    """The watch. A signal handler may call `ask_to_reload`, because it takes no lock."""

    def __init__(self, services: Services, file: Path, parts: str, works: bool) -> None:
        """parts: the parts of Goldloop that this process runs, in words; works: whether the worker is one of them."""
        self._services, self._file, self._parts, self._works = services, file, parts, works
        self._is_asked = False
        self._changes = Changes(services.database)
        self._mark: object = None
        self._noted_at = 0.0
        self._noted: Running | None = None

    def ask_to_reload(self) -> None:
        self._is_asked = True

    def run(self, stopping: threading.Event) -> None:
        """Watch until `stopping` is set. No error ends it."""
        while True:
            try:
                self._check()
            except DatabaseUnavailable:
                log.debug("Policy not read, database unavailable")
            except Exception:
                log.exception("Policy watch failed")
            if stopping.wait(LOOK_SECONDS):
                break
        self._changes.close()
        self._end()

    def _check(self) -> None:
        if self._is_asked:
            self._is_asked = False
            self._reload()
        self._read()
        in_force = self._services.in_force
        row = Running(self._services.process, self._parts, in_force.version, in_force.problem, self._works)
        if row != self._noted or time.monotonic() - self._noted_at >= SEEN_SECONDS:
            self._note(row)

    def _read(self) -> None:
        """Read the version, but only after a commit: checking for a commit takes a fourth of the time."""
        mark = self._changes.mark()
        if mark != self._mark:
            with self._services.database.reading(wait=WAIT_SECONDS) as session:
                self._services.in_force.read(session)
            self._mark = mark

    def _reload(self) -> None:
        services, by = self._services, f"SIGHUP to {process_title(self._services.process)}"
        try:
            put = reload_policy(services.database, self._file, by, services.clock(), services.extra_learners)
        except Refusal as problem:
            log.error("Policy not reloaded. %s", " ".join(str(problem).splitlines()))
        else:
            log_reload(put)

    def _note(self, row: Running) -> None:
        with self._services.database.transaction(wait=WAIT_SECONDS) as session:
            note_running(session, row, self._services.clock())
        self._noted, self._noted_at = row, time.monotonic()

    def _end(self) -> None:
        try:
            with self._services.database.transaction(wait=WAIT_SECONDS) as session:
                note_ended(session, self._services.process)
        except DatabaseUnavailable:
            log.debug("End of the process not recorded, database unavailable")


@contextmanager
def watched_policy(services: Services, file: Path, parts: str, works: bool) -> Iterator[PolicyWatch]:
    watch, stopping = PolicyWatch(services, file, parts, works), threading.Event()
    thread = threading.Thread(target=watch.run, args=(stopping,), daemon=True, name="policy")
    thread.start()
    try:
        yield watch
    finally:
        stopping.set()
        thread.join(2 * WAIT_SECONDS)


def log_reload(put: PutInForce | None) -> None:
    if put is None:
        log.info("Policy file reloaded: nothing differs from the policy in force")
        return
    log.info("Policy file reloaded", extra={"policy_version": put.version})
    for line in change_lines(put.changes):
        log.info("Policy: %s", line.strip())
    for sentence in advice(put.changes):
        log.warning("%s", sentence)


def log_start(started: Started, file: Path) -> None:
    """Log the policy with which a process starts, unless it is simply the policy file."""
    if started.standing is Standing.FORMER:
        log.warning("%s", out_of_date(file, started.version))
    elif started.put is not None and started.version > 1:
        log_reload(started.put)
