"""Work on a claimed job: its lease is renewed meanwhile, and a failure is stored in its row."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.runtime.gc_tuning import give_memory_back
from bot.runtime.services import Services
from bot.worker.job_lease import renewed
from core import jobs
from core.discovery.scans import SCAN, fail_scan
from core.errors import DatabaseUnavailable, ModelUnavailable
from core.jobs import Claim, Interrupted, LostLease, WorkFailed
from core.learning.lifecycle.runs import EVALUATE, TRAIN, fail_run, give_up_evaluation
from core.storage.database import PATIENT
from core.storage.leases import MOST_ATTEMPTS
from core.synthesis.batches import SYNTHESIS, fail_batch
from core.vocabulary import BatchProblem, Coded, RunProblem

log = logging.getLogger(__name__)

SERVICE_SECONDS = 10.0  # the shortest pause before a job that needs a model's service is tried again
RELEASE_SECONDS = 2.0  # for the write that releases a job when the worker ends


def work_on_next(services: Services, name: str, work: Callable[[Claim], None]) -> bool:
    """Claim one job of this name and finish it. False: there is none. A worker that lost the lease stops without an
    error."""
    claimed = services.database.write_if_needed(
        lambda session: jobs.claim(session, name, services.process, services.clock())
    )
    if claimed is None:
        return False
    try:
        with renewed(services.database, services.clock, claimed):
            work(claimed)
    except LostLease:
        log.warning("Job lease lost", extra={"job": claimed.id})
    except Interrupted:
        log.info("Job released at shutdown", extra={"job": claimed.id, "job_name": name})
        _release(services, claimed, RELEASE_SECONDS)
    except DatabaseUnavailable:
        log.warning("Job postponed, database unavailable", extra={"job": claimed.id, "job_name": name})
        _release(services, claimed)
    except ModelUnavailable as away:
        log.warning(
            "Job postponed, model unavailable", extra={"job": claimed.id, "job_name": name, "reason": str(away)}
        )
        _release(services, claimed, later=timedelta(seconds=max(away.seconds, SERVICE_SECONDS)))
    except Exception as error:
        log.exception("Job failed", extra={"job": claimed.id, "job_name": name})
        reason = str(error) if isinstance(error, WorkFailed) else f"{type(error).__name__}: {error}"
        services.database.retry_until_committed(lambda session: _fail(session, claimed, reason, services.clock()))
    finally:
        give_memory_back()
    return True


def give_up(session: Session, name: str, payload: dict[str, Any], why: RunProblem, now: datetime) -> None:
    """Tell the people who wait for a job that it has failed for good."""
    problem = Coded(why, {"attempts": MOST_ATTEMPTS})
    if name == TRAIN:
        fail_run(session, payload["run_id"], problem, now)
    elif name == EVALUATE:
        give_up_evaluation(session, payload["model_id"], problem, now)
    elif name == SCAN:
        fail_scan(session, payload["scan_id"], problem, now)
    elif name == SYNTHESIS:
        worker = Coded(BatchProblem.WORKER, {"attempts": MOST_ATTEMPTS})
        fail_batch(session, payload["batch_id"], worker, now)


def _release(
    services: Services, claimed: Claim, seconds: float = PATIENT, later: timedelta = timedelta()
) -> None:  # fmt: skip
    """Release the job. If that fails too, its lease runs out and another worker takes over. later: the time until it is
    ready again."""
    services.database.retry_until_committed(
        lambda session: jobs.release(session, claimed, services.clock() + later), seconds
    )


def _fail(session: Session, claimed: Claim, reason: str, now: datetime) -> None:
    if jobs.fail(session, claimed, reason, now):
        give_up(session, claimed.name, claimed.payload, RunProblem.FAILED_REPEATEDLY, now)
