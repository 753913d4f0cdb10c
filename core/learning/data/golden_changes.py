"""Changes of golden labels: by a lead, with a reason, or by reviewers who were asked again. Each change is stored, so
that a candidate is always measured with the labels at the time of its snapshot."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.errors import AlreadySettled, Invalid, NotFound, Refusal
from core.people.permissions import require
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.learning import GoldenChange, GoldenExample, LabelSuspect
from core.records.queues import Queue
from core.records.reviews import Correction
from core.vocabulary import GoldenChangeKind, QuestionAbout, Role

LONGEST_REASON = 500  # characters


def relabel_golden(
    session: Session, golden_id: int, label: str, person: str, reason: str, now: datetime, policy: QueuePolicy
) -> str:
    """Give a golden example another label, as a lead decides; it counts from the next candidate on. Returns the former
    label. Locks the example. Raises NotAllowed if the person is no lead, NotFound, AlreadySettled if the example was
    retired or trains now, Invalid for an unknown label or no reason, and Refusal if it has this label already."""
    if label not in policy.label_names:
        raise Invalid(f"“{label}” is not a label of {policy.shown_title}.", field="label")
    queue, example = _locked(session, golden_id, person, reason, policy)
    former = example.label
    if label == former:
        raise Refusal(f"Golden example {golden_id} has the label “{label}” already.")
    newest = session.scalar(select(func.max(Correction.id)).where(Correction.queue_id == queue.id)) or 0
    example.label, example.label_as_of = label, newest
    session.execute(
        delete(LabelSuspect).where(
            LabelSuspect.queue_id == queue.id,
            LabelSuspect.about == QuestionAbout.GOLDEN,
            LabelSuspect.subject_id == golden_id,
            LabelSuspect.item_id.is_(None),
        )
    )
    note_change(session, golden_id, GoldenChangeKind.RELABELLED, person, reason, now, former)
    return former


def retire_golden(
    session: Session, golden_id: int, person: str, reason: str, now: datetime, policy: QueuePolicy
) -> None:
    """Take an example out of the golden set, as a lead decides: it measures no later candidate, and neither it nor its
    near-duplicates train; it loses its pin. Locks the example. Raises the same as `relabel_golden`."""
    _queue, example = _locked(session, golden_id, person, reason, policy)
    example.withdrawn_at = now
    give_up_pin(example)
    note_change(session, golden_id, GoldenChangeKind.RETIRED, person, reason, now, example.label)


def give_up_pin(example: GoldenExample) -> None:
    """Remove the pin, so that another example can be pinned. The caller holds the example."""
    example.pin = example.pinned_by = example.pinned_at = None


def note_change(
    session: Session,
    golden_id: int,
    kind: GoldenChangeKind,
    person: str | None,
    reason: str,
    now: datetime,
    former_label: str | None = None,
) -> None:
    """Store a change. person: None if reviewers were asked again."""
    change = GoldenChange(
        golden_id=golden_id, kind=kind, person=person, reason=reason, former_label=former_label, created_at=now
    )
    session.add(change)
    session.flush()


def require_lead(session: Session, queue: Queue, person: str, policy: QueuePolicy) -> None:
    require(session, queue, Role.LEAD, person, "change the golden set", policy)


def require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON} characters; it is kept with the change.", field="why")


def _locked(
    session: Session, golden_id: int, person: str, reason: str, policy: QueuePolicy
) -> tuple[Queue, GoldenExample]:
    queue = queue_to_fill(session, policy.name)
    require_lead(session, queue, person, policy)
    require_reason(reason)
    example = session.get(GoldenExample, golden_id, with_for_update=True, populate_existing=True)
    if example is None or example.queue_id != queue.id:
        raise NotFound(f"{policy.shown_title} has no golden example {golden_id}.")
    if example.graduated_in is not None:
        raise AlreadySettled(f"Golden example {golden_id} is used for training now, so it can't be changed.")
    if example.withdrawn_at is not None or example.erased_at is not None:
        raise AlreadySettled(f"Golden example {golden_id} was {'erased' if example.erased_at else 'retired'} already.")
    return queue, example
