"""The lease of a claimed job, renewed while the job is worked on."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from core import jobs
from core.errors import DatabaseUnavailable
from core.jobs import Claim
from core.storage.database import Database

RENEW_SECONDS = 3  # several attempts before a lease of twenty seconds runs out


@contextlib.contextmanager
def renewed(database: Database, clock: Callable[[], datetime], claimed: Claim) -> Iterator[None]:
    """Keep the lease while the block is worked on."""
    done = threading.Event()
    keeper = threading.Thread(target=_renew, args=(database, clock, claimed, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _renew(database: Database, clock: Callable[[], datetime], claimed: Claim, done: threading.Event) -> None:
    """Renew the lease; while the database is away, try again. If the lease runs out meanwhile, `jobs.finish` will say
    so."""
    while not done.wait(RENEW_SECONDS):
        with contextlib.suppress(DatabaseUnavailable), database.transaction(wait=RENEW_SECONDS) as session:
            if not jobs.renew(session, claimed, clock()):
                return
