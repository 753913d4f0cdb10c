"""The job that updates open items after a model went live. It predicts outside any transaction."""

from collections.abc import Sequence
from functools import partial

from bot.runtime.services import Services
from bot.worker.claimed_job import work_on_next
from core import jobs
from core.jobs import Claim
from core.learning.lifecycle.open_items import RENEW
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.serving import LiveModel
from core.policy import QueuePolicy
from core.review.renewal import Waiting, close_outlived, store_suggestions, waiting_items
from core.storage.database import PATIENT


def renew_next(services: Services) -> bool:
    """Take one job that updates open items, and carry it out. Returns whether there was one."""
    return work_on_next(services, RENEW, partial(renew_open_items, services))


def renew_open_items(services: Services, claimed: Claim) -> None:
    """Close the items that the policy's rule closes, then show the live model's suggestion on those that wait for
    people. If another model goes live meanwhile, the job stops: that model has a job of its own. Safe to repeat."""
    queue = next((one for one in services.policy.queues if one.name == claimed.payload["queue"]), None)
    if queue is not None:  # None: the queue has left the policy since
        if claimed.payload["may_close"] and queue.rollout.open_items == "close":
            _close(services, claimed, queue)
        _suggest(services, claimed, queue)
    with services.database.transaction(wait=PATIENT) as session:
        jobs.finish(session, claimed)
        model_changed(session, claimed.payload["model_id"], services.clock())


def _close(services: Services, claimed: Claim, queue: QueuePolicy) -> None:
    closed = 1
    while closed and _live(services, claimed, queue):
        with services.database.transaction(wait=PATIENT) as session:
            closed = close_outlived(session, queue.name, claimed.payload["model_id"], services.clock())


def _suggest(services: Services, claimed: Claim, queue: QueuePolicy) -> None:
    after = 0
    while (live := _live(services, claimed, queue)) is not None:
        with services.database.reading(wait=PATIENT) as session:
            waiting = waiting_items(session, queue.name, live.name, after)
        if not waiting:
            return
        after = waiting[-1].item_id
        _store(services, live, waiting)


def _store(services: Services, live: LiveModel, waiting: Sequence[Waiting]) -> None:
    readable = [one for one in waiting if one.input.has_any(live.fitted.reads)]
    predictions = live.predict([one.input for one in readable])
    with services.database.transaction(wait=PATIENT) as session:
        items = {one.item_id: chances for one, chances in zip(readable, predictions, strict=True)}
        store_suggestions(session, live.id, items, services.clock())


def _live(services: Services, claimed: Claim, queue: QueuePolicy) -> LiveModel | None:
    """The model of this job. None: it is not live any more, or cannot be used here."""
    live = services.serving.usable(queue)
    return live if live is not None and live.id == claimed.payload["model_id"] else None
