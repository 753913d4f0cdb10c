"""Predictions, webhooks, jobs."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Finding, Scene
from bot.webhooks import webhook_id
from core.learning.lifecycle.promotion import ANNOUNCED
from core.records.jobs import Job
from core.records.learning import Decision
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.records.webhooks import Event, EventDelivery
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import DeliveryState


def accepted_predictions_are_stored_once(session: Session, scene: Scene) -> Finding:
    rows = Counter((one.external_id, one.model_version, one.text) for one in session.scalars(select(Prediction)))
    items = Counter(
        session.scalars(
            select(Prediction.external_id)
            .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
            .where(ABOUT_PREDICTION)
        )
    )
    broken = [
        f"accepted and stored {rows[one.external_id, one.model_version, one.text]} times, "
        f"with {items[one.external_id]} items: {one}"
        for one in scene.ledger.sent
        if rows[one.external_id, one.model_version, one.text] != 1 or items[one.external_id] != one.uncertain
    ]
    return Finding("an accepted prediction is stored once", len(scene.ledger.sent), tuple(broken))


def each_event_is_heard_under_one_id(session: Session, scene: Scene) -> Finding:
    """One event per cause, delivered, and heard with the same content however often."""
    events = session.scalars(select(Event)).all()
    causes = {
        f"item.settled:{number}"
        for number in session.scalars(select(Correction.id).join(Correction.item).where(ABOUT_PREDICTION))
    }
    for one in session.scalars(select(Decision)):
        if one.kind in ANNOUNCED:
            causes.add(f"{ANNOUNCED[one.kind]}:{one.id}")
    heard = scene.place.receiver.heard
    pending = set(
        session.scalars(select(EventDelivery.event_id).where(EventDelivery.state != DeliveryState.DELIVERED))
    )  # fmt: skip
    broken = [f"event {key} is missing or has no cause" for key in causes ^ {event.key for event in events}]
    for event in events:
        bodies = heard.get(webhook_id(event.id, event.created_at), [])
        if not bodies or event.id in pending or any(body["data"] != event.data for body in bodies):
            broken.append(f"event {event.id} ({event.key}) was heard {len(bodies)} times, or not as it is stored")
    broken += [
        f"{identity} was heard, which is no event"
        for identity in set(heard) - {webhook_id(e.id, e.created_at) for e in events}
    ]
    scene.notes["webhooks heard more than once"] = sum(len(bodies) > 1 for bodies in heard.values())
    return Finding("each event is heard, under one id", len(events), tuple(broken))


def no_job_is_left(session: Session, scene: Scene) -> Finding:
    jobs = session.scalars(select(Job)).all()
    scene.notes["jobs: given up after five deaths"] = sum(job.state == "dead" for job in jobs)
    scene.notes["jobs: tried more than once"] = sum(job.attempts > 1 for job in jobs)
    left = tuple(f"job {job.id} ({job.key}) is {job.state} by {job.leased_by}" for job in jobs
                 if job.state not in ("done", "dead"))  # fmt: skip
    return Finding("no job is left", len(jobs), left)
