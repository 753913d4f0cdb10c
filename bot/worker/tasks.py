"""The table of periodic tasks. A step returns whether there may be more to do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.runtime.services import Services
from bot.slack.delivery.deleted_cards import post_deleted_again
from bot.slack.delivery.deliver import deliver_next, deliver_next_notice
from bot.slack.delivery.erased_pictures import delete_erased_files
from bot.slack.delivery.incidents import tell_of_incidents
from bot.slack.directory.refresh import refresh_people
from bot.webhooks import deliver_next_event
from bot.worker.budgets import budget_piece
from bot.worker.canary import canary_look_piece, canary_piece
from bot.worker.drift import drift_piece
from bot.worker.independently import for_each
from bot.worker.leads import dispute_piece, expiry_piece, remind_leads, unanswerable_piece
from bot.worker.open_items import renew_next
from bot.worker.promises import promise_piece
from bot.worker.scans import find_piece, scan_next
from bot.worker.shadow import shadow_piece
from bot.worker.slices import slice_piece
from bot.worker.suspects import find_next_suspects, second_look_piece
from bot.worker.synthesis import decide_next, write_next
from bot.worker.training import due_run_piece, evaluate_next, request_scheduled_run, schedule_piece, train_next
from bot.worker.upkeep import (
    follow_policy,
    forget_what_is_over,
    load_live_models,
    release_dead_leases,
    retention_piece,
)
from core.policy import QueuePolicy

HOUR = 60 * 60
DAY = 24 * HOUR
SOON = 20.0  # for work that falls due without a commit; the health check waits half a minute
RARELY = 300.0  # for work that only a commit can cause; the commit wakes the task


@dataclass(frozen=True)
class PeriodicTask:
    """A task of the worker. every: seconds between two runs; step: does one piece of work and returns whether there may
    be more. at_rest: seconds between two runs while nothing is committed and nothing waits (bot/worker/idling.py);
    None: the same as `every`."""

    name: str
    every: float
    step: Callable[[Services], bool]
    at_rest: float | None = None


def for_each_queue(
    name: str, every: float, piece: Callable[[Services, QueuePolicy], bool | None], at_rest: float | None = None
) -> PeriodicTask:
    """A task that does a piece in each queue; a queue in which it fails does not stop the others."""

    def step(services: Services) -> bool:
        return any(for_each(services.policy.queues, partial(piece, services), name))

    return PeriodicTask(name, every, step, at_rest)


PERIODIC_TASKS = (
    PeriodicTask("deliver", 0.25, deliver_next, RARELY),
    PeriodicTask("notices", 0.25, deliver_next_notice, RARELY),  # notices come also while the other tasks are awake
    PeriodicTask("erased pictures", 5, delete_erased_files, RARELY),
    PeriodicTask("incidents", 5, tell_of_incidents, RARELY),
    PeriodicTask("webhooks", 1, deliver_next_event, RARELY),
    PeriodicTask("policy", 1, follow_policy, RARELY),
    PeriodicTask("train", 1, train_next, RARELY),
    PeriodicTask("evaluate", 1, evaluate_next, RARELY),
    for_each_queue("canaries", 5, canary_piece, SOON),
    for_each_queue("looks at canaries", 60, canary_look_piece),
    for_each_queue("shadows", 5, shadow_piece, SOON),
    PeriodicTask("open items", 1, renew_next, RARELY),
    for_each_queue("budgets", 5, budget_piece, SOON),
    PeriodicTask("suspects", 30, find_next_suspects, RARELY),
    for_each_queue("second looks", 300, second_look_piece),
    PeriodicTask("scans", 1, scan_next, RARELY),
    for_each_queue("finds", 30, find_piece),
    PeriodicTask("written texts", 1, write_next, RARELY),
    PeriodicTask("decisions about written texts", 5, decide_next, RARELY),
    PeriodicTask("live models", 2, load_live_models, RARELY),
    for_each_queue("schedules", 5, schedule_piece, SOON),
    PeriodicTask("scheduled runs", 5, request_scheduled_run, RARELY),
    for_each_queue("due runs", 60, due_run_piece),
    PeriodicTask("dead leases", 5, release_dead_leases, RARELY),
    for_each_queue("unanswerable items", 30, unanswerable_piece),
    PeriodicTask("reminders", 60, remind_leads),
    for_each_queue("disputes", 60, dispute_piece),
    for_each_queue("expiry", 60, expiry_piece),
    PeriodicTask("people", 300, refresh_people),
    PeriodicTask("deleted cards", HOUR, post_deleted_again),
    for_each_queue("promises", 60, promise_piece),
    for_each_queue("daily readings", HOUR / 4, drift_piece),
    for_each_queue("weak slices", HOUR / 4, slice_piece),
    for_each_queue("retention", DAY, retention_piece),
    PeriodicTask("forgetting", DAY, forget_what_is_over),
)
