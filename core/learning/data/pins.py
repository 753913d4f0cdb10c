"""Pinned past errors: golden examples that a lead never wants to see wrong again.

The gate refuses a candidate that gets one wrong, whatever else it fixes. Each pin makes it more likely that a harmless
candidate is refused (`USUAL_REGRESSIONS`), so a queue has at most ten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound, Refusal
from core.people.permissions import require
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import MOST_PINS, GoldenExample, Live
from core.records.queues import Queue
from core.vocabulary import Role, Stratum

USUAL_REGRESSIONS = (0.03, 0.10)  # share of the right past errors that any retraining gets wrong again; docs/methods.md


def pin(session: Session, golden_id: int, person: str, now: datetime, policy: QueuePolicy) -> int:
    """Make the gate refuse every candidate that gets this past error wrong although the live model has it right.
    Returns how many the queue has pinned now. Repeating it changes nothing, also not who pinned it and when.

    Locks the queue's `Live` row, then the example. Raises NotAllowed (not a lead), NotFound (also for another queue's
    example), or Refusal: it is a random example, is no longer measured, or ten are pinned already.
    """
    queue = _locked_queue(session, person, policy)
    example = _example(session, queue, golden_id, policy)
    pinned = _pinned(session, queue)
    if example.pin is not None:
        return len(pinned)
    _check_can_be_pinned(example)
    if len(pinned) >= MOST_PINS:
        names = ", ".join(str(one.id) for one in pinned)
        raise Refusal(
            f"{policy.shown_title} has {MOST_PINS} pinned past errors, the most possible: {names}. Unpin one."
        )
    example.pin = min(set(range(1, MOST_PINS + 1)) - {one.pin for one in pinned})
    example.pinned_by, example.pinned_at = person, now
    session.flush()
    return len(pinned) + 1


def unpin(session: Session, golden_id: int, person: str, policy: QueuePolicy) -> int:
    """Remove the pin. Returns how many are left. Repeating it changes nothing. Locks and raises the same as `pin`."""
    queue = _locked_queue(session, person, policy)
    example = _example(session, queue, golden_id, policy)
    example.pin = example.pinned_by = example.pinned_at = None
    session.flush()
    return len(_pinned(session, queue))


@dataclass(frozen=True)
class PastError:
    """A past error that measures. pinned_by, pinned_at: None: it is not pinned."""

    id: int
    label: str
    text: str
    pinned_by: str | None
    pinned_at: datetime | None


def past_errors(session: Session, policy: QueuePolicy, *, pinned: bool = False) -> list[PastError]:
    """The past errors that can be pinned, oldest first. pinned: only those that are pinned. Texts are masked as the
    policy says."""
    queue = queue_named(session, policy.name)
    found = select(GoldenExample).where(
        GoldenExample.queue_id == queue.id,
        GoldenExample.stratum == Stratum.PAST_ERROR,
        GoldenExample.withdrawn_at.is_(None),
        GoldenExample.erased_at.is_(None),
        GoldenExample.graduated_in.is_(None),
    )
    if pinned:
        found = found.where(GoldenExample.pin.is_not(None))
    return [
        PastError(row.id, row.label, policy.privacy.shown(row.text or ""), row.pinned_by, row.pinned_at)
        for row in session.scalars(found.order_by(GoldenExample.id))
    ]


def _locked_queue(session: Session, person: str, policy: QueuePolicy) -> Queue:
    queue = queue_named(session, policy.name)
    require(session, queue, Role.LEAD, person, "pin and unpin past errors", policy)
    session.get_one(Live, queue.id, with_for_update=True)
    return queue


def _example(session: Session, queue: Queue, golden_id: int, policy: QueuePolicy) -> GoldenExample:
    example = session.get(GoldenExample, golden_id, with_for_update=True, populate_existing=True)
    if example is None or example.queue_id != queue.id:
        raise NotFound(f"{policy.shown_title} has no golden example {golden_id}.")
    return example


def _pinned(session: Session, queue: Queue) -> Sequence[GoldenExample]:
    found = select(GoldenExample).where(GoldenExample.queue_id == queue.id, GoldenExample.pin.is_not(None))
    return session.scalars(found.order_by(GoldenExample.id)).all()


def _check_can_be_pinned(example: GoldenExample) -> None:
    if example.stratum is not Stratum.PAST_ERROR:
        raise Refusal(f"Golden example {example.id} is a random example. Only past errors can be pinned.")
    if example.withdrawn_at is not None or example.erased_at is not None:
        why = "was withdrawn" if example.withdrawn_at is not None else "was erased"
        raise Refusal(f"Golden example {example.id} {why}, so it measures nothing.")
    if example.graduated_in is not None:
        raise Refusal(f"Golden example {example.id} is used for training now, so it measures nothing.")
