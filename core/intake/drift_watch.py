"""The daily look for drift. It compares the readings of the last days with those before. If they differ, the leads are
told once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.intake.daily_readings import SettledCounts, readings, settled_later, store_settled
from core.intake.drifting import labels_about
from core.intake.presenting import alarm_raised
from core.learning.lifecycle.runs import request_run
from core.policy import QueuePolicy
from core.quality.drift import DayCounts, Drift, signs_of_drift
from core.queues import queue_named
from core.records.drift import DailyReading, DriftAlarm
from core.records.queues import Queue
from core.vocabulary import DriftSign, Trigger

# A new model can help with these. It cannot learn a label that does not exist, and does not change the volume.
LEARNABLE = (DriftSign.CORRECTIONS, DriftSign.CONFIDENCE)


@dataclass(frozen=True)
class Look:
    """A look that is due. day: when the newest whole day began. later: the items of the last two weeks that are settled
    by now. days: the readings, oldest first. quiet: the days since each sign was last seen."""

    day: datetime
    later: Mapping[datetime, SettledCounts]
    days: tuple[DayCounts, ...]
    quiet: Mapping[DriftSign, int]

    def found(self, policy: QueuePolicy) -> list[Drift]:
        """The signs of a change. This takes up to a second, so no transaction should be open."""
        return signs_of_drift(self.days, policy.drift.level, policy.drift.learn_days, self.quiet)


def due_look(session: Session, policy: QueuePolicy, now: datetime) -> Look | None:
    """The look that is due. None: the newest whole day was not read yet, or it was already compared with the days
    before, or the policy turns alarms off. If the clock was set back, the newest whole day is an older one, which was
    compared."""
    queue_id = queue_named(session, policy.name).id
    days = readings(session, queue_id, policy, now)
    if not policy.drift.level or not days or session.get_one(DailyReading, (queue_id, days[-1][0])).looked_at:
        return None
    later = settled_later(session, policy, now)
    counts = tuple(replace(each, **vars(later[began])) if began in later else each for began, each in days)
    return Look(days[-1][0], later, counts, _quiet(session, queue_id, [began for began, _counts in days]))


def note_look(session: Session, policy: QueuePolicy, look: Look, found: Sequence[Drift], now: datetime) -> bool:
    """Store what a look found. If something changed, tell the leads and, if the policy says so, request a training run.
    Locks the day's reading. Repeating it changes nothing. Returns whether there was an alarm."""
    queue = queue_named(session, policy.name)
    locked = select(DailyReading).where(DailyReading.queue_id == queue.id, DailyReading.began_at == look.day)
    reading = session.scalars(locked.with_for_update().execution_options(populate_existing=True)).one()
    if reading.looked_at is not None:
        return False
    reading.looked_at = now
    store_settled(session, queue.id, look.later)
    if found:
        _raise_alarm(session, queue, look.day, found, policy, now)
    return bool(found)


def last_alarm(session: Session, queue_id: int) -> datetime | None:
    """The time of the newest alarm; None: there was none."""
    newest = select(DriftAlarm.created_at).where(DriftAlarm.queue_id == queue_id)
    return session.scalar(newest.order_by(DriftAlarm.created_at.desc()).limit(1))


def _quiet(session: Session, queue_id: int, days: Sequence[datetime]) -> dict[DriftSign, int]:
    """The days since each sign was last seen."""
    alarms = session.execute(
        select(DriftAlarm.began_at, DriftAlarm.signs).where(DriftAlarm.queue_id == queue_id).order_by(DriftAlarm.id)
    )
    seen = {sign["sign"]: began for began, signs in alarms for sign in signs}
    return {sign: sum(day > seen[sign] for day in days) for sign in DriftSign if sign in seen}


def _raise_alarm(
    session: Session, queue: Queue, day: datetime, found: Sequence[Drift], policy: QueuePolicy, now: datetime
) -> None:
    run_id = None
    if policy.drift.retrain and any(drift.sign in LEARNABLE for drift in found):
        run_id = request_run(session, queue, Trigger.DRIFT, None, now, policy)
    alarm = DriftAlarm(
        queue_id=queue.id, began_at=day, signs=_stored(found), labels=labels_about(session, queue.id, day, found),
        run_id=run_id, policy_fingerprint=policy.fingerprint, created_at=now,
    )  # fmt: skip
    session.add(alarm)
    session.flush()
    alarm_raised(session, alarm.id, queue, now)


def _stored(found: Sequence[Drift]) -> list[dict[str, Any]]:
    return [asdict(drift) for drift in sorted(found, key=lambda drift: drift.p_value)]
