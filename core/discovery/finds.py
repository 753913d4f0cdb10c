"""Finds: texts that a scan selected, from waiting to review items. When another model goes live, it predicts the
waiting finds again; finds of which it is sure are dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.discovery.presenting import scan_changed
from core.discovery.results import DIGITS, LEAST_SHARE
from core.discovery.room import room_for_finds
from core.intake.ingest import Discovered, open_discovered
from core.intake.limits import LONGEST_ID
from core.intake.predictions import NewPrediction
from core.intake.reasons.uncertain import ROUNDING
from core.learning.lifecycle.models import live_version
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.discovery import Find, Scan
from core.records.learning import GoldenExample, Live, SeedExample
from core.records.predictions import Prediction
from core.vocabulary import FindState

PIECE = 200  # finds that are predicted again at a time


@dataclass(frozen=True)
class Outdated:
    """A find whose prediction is not by the live model."""

    find_id: int
    text: str


def outdated_finds(session: Session, policy: QueuePolicy, model_id: int) -> list[Outdated]:
    """A batch of the waiting finds that this model has not predicted."""
    mine = (Find.queue_id == queue_named(session, policy.name).id, Find.state == FindState.WAITING)
    found = select(Find.id, Find.text).where(*mine, Find.model_id != model_id).order_by(Find.id).limit(PIECE)
    return [Outdated(*row) for row in session.execute(found)]


def renew_finds(
    session: Session, policy: QueuePolicy, model_id: int, said: Mapping[int, Mapping[str, float]], now: datetime
) -> int:
    """Store the live model's predictions of finds, and drop the finds of which it is sure. said: find -> label ->
    probability. Returns how many were dropped. Locks the finds. Repeating it is safe."""
    waits = (Find.id.in_(said), Find.state == FindState.WAITING)
    rows = session.scalars(select(Find).where(*waits).order_by(Find.id).with_for_update(of=Find)).all()
    scans = {scan_id: session.get_one(Scan, scan_id) for scan_id in {row.scan_id for row in rows}}
    dropped = 0
    for row in rows:
        chances = said[row.id]
        row.label, row.confidence = max(chances.items(), key=lambda one: (one[1], one[0]))
        row.model_id, row.probabilities = model_id, dict(chances)
        scan = scans[row.scan_id]
        if not scan.foreign:
            row.value = _value(chances, scan.label)
            if _is_sure(chances, scan.label, policy):
                drop(row)
                dropped += 1
    for scan_id in scans:
        scan_changed(session, scan_id, now)
    session.flush()
    return dropped


def drop(find: Find) -> None:
    """Drop a find: its text is deleted, its hash stays so that it is not found again."""
    find.state, find.text = FindState.DROPPED, ""


def open_finds(session: Session, policy: QueuePolicy, now: datetime) -> int:
    """Open items for the first finds that wait, as far as the day has room; returns how many. Only finds that the live
    model has predicted are opened; texts that became known meanwhile are dropped. Locks the queue's Live row, so that
    two processes do not fill the same room, and the finds. Repeating it is safe."""
    queue = queue_named(session, policy.name)
    first = _first(session, queue.id, 1)
    if not first:
        return 0
    session.get_one(Live, queue.id, with_for_update=True, populate_existing=True)
    model, room = live_version(session, queue.id), room_for_finds(session, queue, policy, now)
    rows = [row for row in _first(session, queue.id, room) if model is not None and row.model_id == model.id]
    known = _known(session, queue.id, [row.content_hash for row in rows])
    for row in rows:
        if row.content_hash in known:
            drop(row)
    rows = [row for row in rows if row.content_hash not in known]
    scans = {scan_id: session.get_one(Scan, scan_id) for scan_id in {row.scan_id for row in rows}}
    found = [_discovered(row, scans[row.scan_id], model.name if model else "") for row in rows]
    items = open_discovered(session, found, now, policy)
    for row, one in zip(rows, found, strict=True):
        _opened(row, items.get(one.prediction.external_id))
    for scan_id in scans:
        scan_changed(session, scan_id, now)
    session.flush()
    return len(items)


def external_id(scan_id: int, ident: str) -> str:
    """The external id of a find's prediction. A long id is shortened, and part of its hash is added."""
    whole = f"scan{scan_id}:{ident}"
    return (
        whole if len(whole) <= LONGEST_ID else f"{whole[: LONGEST_ID - 17]}~{sha256(ident.encode()).hexdigest()[:16]}"
    )


def _first(session: Session, queue_id: int, most: int) -> Sequence[Find]:
    waits = (Find.queue_id == queue_id, Find.state == FindState.WAITING)
    found = select(Find).where(*waits).order_by(Find.value, Find.id).limit(most)
    return session.scalars(found.with_for_update(of=Find)).all()


def _opened(find: Find, item_id: int | None) -> None:
    if item_id is None:  # another text of the source has the same id
        drop(find)
    else:
        find.state, find.text, find.item_id = FindState.OPENED, "", item_id


def _known(session: Session, queue_id: int, hashes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for record in (Prediction, SeedExample, GoldenExample):
        mine = select(record.content_hash).where(record.queue_id == queue_id, record.content_hash.in_(hashes))
        found |= set(session.scalars(mine))
    return found


def _discovered(find: Find, scan: Scan, model: str) -> Discovered:
    prediction = NewPrediction(
        external_id=external_id(find.scan_id, find.external_id),
        model_version=model,
        text=find.text,
        label=find.label,
        confidence=find.confidence,
        probabilities=dict(find.probabilities),
    )
    return Discovered(prediction, _why(find, scan))


def _why(find: Find, scan: Scan) -> dict[str, Any]:
    """The values of the flag. source_id: the id of the text in the sender's system, to which the card links."""
    where = {"scan": scan.id} | ({"source_id": find.external_id} if scan.id_column else {})
    if scan.foreign:
        return where | {"foreign": True}
    if scan.label is not None:
        return where | {"wanted": scan.label}
    others = {name: share for name, share in find.probabilities.items() if name != find.label}
    return where | {"label": find.label, "second": max(others, key=lambda name: (others[name], name))}


def _value(chances: Mapping[str, float], label: str | None) -> float:
    likeliest = max(chances, key=lambda name: (chances[name], name))
    first = label if label is not None and label in chances else likeliest
    others = [share for name, share in chances.items() if name != first]
    return round(abs(chances[first] - max(others, default=0.0)), DIGITS)


def _is_sure(chances: Mapping[str, float], label: str | None, policy: QueuePolicy) -> bool:
    """Whether no threshold of the policy would flag the prediction, or it is not about the label that the scan looked
    for."""
    if label is not None and chances.get(label, 0.0) < LEAST_SHARE:
        return True
    likeliest = max(chances, key=lambda name: (chances[name], name))
    close = _value(chances, None) < policy.margin_threshold(likeliest) - ROUNDING
    return chances[likeliest] >= policy.confidence_threshold(likeliest) and not close
