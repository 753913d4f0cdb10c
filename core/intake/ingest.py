"""The arrival of a prediction: it is stored once, and sent to people if a reason flags it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, select
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.intake.batch_reasons import BatchReasons, Reasons, batch_reasons, count_slices
from core.intake.predictions import Key, NewPrediction
from core.intake.reasons.base import FlagReason
from core.intake.reasons.person import BY_PERSON
from core.intake.reasons.table import LOTS, flag_probability, held_back_probability
from core.intake.scores import score_of
from core.intake.waiting import Candidate, put_in_line
from core.pictures.decoded import Decoded
from core.pictures.stored import store_pictures
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.predictions import Flag, Prediction
from core.records.queues import Queue
from core.records.reviews import ReviewItem
from core.review.items import ToReview, open_items
from core.review.questions import ABOUT_PREDICTION
from core.review.renewal import reopen
from core.storage.bulk import Bulk, insert_all, insert_all_sent, insert_sent
from core.storage.database import kind_of
from core.storage.lists import among, as_list
from core.storage.ready import at_once, fetch
from core.text.content_hash import content_hash
from core.vocabulary import Reason

PREDICTIONS = Bulk(
    cast(Table, Prediction.__table__),
    same=("queue_id", "created_at", "lot_probability"),
    each=(*NewPrediction.__dataclass_fields__, "content_hash", "flag_probability", "held_back_probability"),
    key=("queue_id", "external_id", "model_version"),
    back=("id", "external_id", "model_version"),
)
FLAGS = Bulk(
    cast(Table, Flag.__table__),
    same=("person", "policy_fingerprint", "created_at"),
    each=("prediction_id", "reason", "values", "inclusion_probability"),
)


PIECE = 125  # rows: PostgreSQL stores them while the next ones are prepared; SQLite stores nothing meanwhile


@dataclass(frozen=True)
class Ingested:
    """Counts of a batch. new: rows stored now; repeated: rows that were stored already; flagged: the new ones that were
    sent to people or, under a budget, put on the waiting list."""

    new: int
    repeated: int
    flagged: int


@dataclass(frozen=True)
class _Stored:
    """A row with its id in the table."""

    id: int
    row: NewPrediction
    content_hash: str

    def to_review(self, reasons: Sequence[FlagReason] = ()) -> ToReview:
        drawn = any(reason.reason in LOTS for reason in reasons)
        return ToReview(self.id, self.content_hash, self.row.label is not None, drawn)


@dataclass(frozen=True)
class _Piece:
    """Rows of a batch that were sent to the database. silent: the number of new rows without a reason; flagged: the new
    rows with a reason. Both are called after the end of `at_once`. reasons: of the rows with a reason."""

    silent: Callable[[], int]
    flagged: Callable[[], list[_Stored]]
    reasons: Mapping[Key, Reasons]


@dataclass(frozen=True)
class Discovered:
    """A text that a scan found. values: for its flag's sentence."""

    prediction: NewPrediction
    values: Mapping[str, Any]


def record_predictions(
    session: Session,
    batch: Sequence[NewPrediction],
    now: datetime,
    policy: QueuePolicy,
    pictures: Iterable[Decoded] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> Ingested:
    """Store each prediction once (external id + model version) and open an item for those that are flagged. Safe to
    repeat: stored predictions do not change, and erased ones do not come back under any version. pictures: those that
    the rows refer to and that may not be stored yet. meanwhile: called once, while PostgreSQL stores the rows; SQLite
    stores them in this process, so it is not called there. Callers send at most 1,000 predictions in a batch, which
    keeps the transaction short."""
    queue = queue_to_fill(session, policy.name)
    queue_id = queue.id  # read once: as an attribute of a record it takes as long as the draw
    wanted = _storable(session, queue, batch)
    store_pictures(session, queue, {row.image_url for row in wanted}, pictures, now)
    why = batch_reasons(session, queue_id, wanted, now, policy)
    is_sent = kind_of(session) == "postgresql"
    size = PIECE if is_sent else max(1, len(wanted))
    with at_once(session):
        parts = [wanted[start : start + size] for start in range(0, len(wanted), size)]
        pieces = [_insert_piece(session, queue_id, part, why, now) for part in parts]
        if is_sent:
            meanwhile()
    new = sum(piece.silent() for piece in pieces)
    flagged = [(one, piece.reasons[one.row.key]) for piece in pieces for one in piece.flagged()]
    if flagged:
        _send(flagged, session, queue, now, policy)
        count_slices(session, [reasons for _stored, reasons in flagged], policy, now)
    return Ingested(new + len(flagged), repeated=len(batch) - new - len(flagged), flagged=len(flagged))


def _insert_piece(
    session: Session, queue_id: int, rows: Sequence[NewPrediction], why: BatchReasons, now: datetime
) -> _Piece:
    policy, share = why.policy, why.policy.flagging.audit_share
    silent, flagged, values, reasons = [], [], [], {}
    for row in rows:
        digest = content_hash(row.text, row.image_url)
        found = why.of(row, digest)
        if not found:
            silent.append(_values(row, digest, share))
            continue
        reasons[row.key] = found
        flagged.append(row)
        values.append(_values(row, digest, flag_probability(found, policy), held_back_probability(found, policy)))
    same = _same(queue_id, share, now)
    # Ids of the silent ones are not returned: that would take a tenth longer.
    return _Piece(
        insert_all_sent(session, PREDICTIONS, same, silent), _insert_sent(session, same, flagged, values), reasons
    )


def _send(
    flagged: Sequence[tuple[_Stored, Sequence[FlagReason]]],
    session: Session,
    queue: Queue,
    now: datetime,
    policy: QueuePolicy,
) -> None:
    """Send flagged predictions to people at once or, under a budget, put them on the waiting list. An audit flag is
    stored at once in both cases."""
    if policy.flagging.limit is None:
        with at_once(session):  # PostgreSQL stores the flags while the items are prepared
            _flag(session, flagged, now, policy)
            open_items(session, [stored.to_review(reasons) for stored, reasons in flagged], queue, now, policy)
        return
    drawn = [(stored, [one for one in reasons if one.reason in LOTS]) for stored, reasons in flagged]
    _flag(session, drawn, now, policy)
    line = [
        _candidate(stored, one) for stored, reasons in flagged for one in reasons if one.reason is not Reason.HELD_BACK
    ]
    put_in_line(session, queue.id, line, now)


def _candidate(stored: _Stored, reason: FlagReason) -> Candidate:
    by_goldloop = stored.row.suspicion is not None
    scored_by = stored.row.model_version if by_goldloop else None
    return Candidate(stored.id, reason.reason, reason.values, score_of(stored.row), scored_by)


def flag_for_review(
    session: Session, prediction: NewPrediction, person: str, now: datetime, policy: QueuePolicy
) -> int:
    """Open an item for a text that a person flags, whatever the model thinks. Returns the item's id.

    An item that was closed when another model went live is opened again. Locks the prediction if it was stored already.
    Raises Refusal if the text is under review already.
    """
    queue = queue_to_fill(session, policy.name)
    if _erased_ids(session, queue, [prediction]):
        raise Refusal("The text of this message was erased on request, so it can't be flagged again.")
    new = _insert_undrawn(session, queue.id, [prediction], now)
    stored = next(iter(new), None) or _locked(session, queue, prediction)
    item_id = _item_about(session, queue, prediction.external_id)
    if item_id is not None and reopen(session, item_id, now):
        asked = replace(stored, id=session.get_one(ReviewItem, item_id).prediction_id or stored.id)
        _flag(session, [(asked, (BY_PERSON,))], now, policy, person)
        return item_id
    if item_id is not None:
        raise Refusal(f"This message is already under review (item {item_id}).", item_id=item_id)
    _flag(session, [(stored, (BY_PERSON,))], now, policy, person)
    seen = replace(stored.to_review(), drawn=_is_drawn(session, stored.id))
    return open_items(session, [seen], queue, now, policy)[0]


def open_discovered(
    session: Session, finds: Sequence[Discovered], now: datetime, policy: QueuePolicy
) -> dict[str, int]:
    """Store texts that a scan found, and open an item for each: external id -> item. A text that is stored already or
    was erased gets none, so repeating it opens nothing. The caller decides how many the day has room for.

    These texts are no traffic: no rule and no audit looks at them, and none of them is golden by chance.
    """
    queue = queue_to_fill(session, policy.name)
    values = {one.prediction.key: one.values for one in finds}
    stored = _insert_undrawn(session, queue.id, _storable(session, queue, [one.prediction for one in finds]), now)
    reasons = [(one, (FlagReason(Reason.DISCOVERY, values[one.row.key]),)) for one in stored]
    _flag(session, reasons, now, policy)
    ids = open_items(session, [one.to_review() for one in stored], queue, now, policy)
    return dict(zip((one.row.external_id for one in stored), ids, strict=True))


def _is_drawn(session: Session, prediction_id: int) -> bool:
    """Whether a lot drew this prediction. Under a budget, its item may not be open yet."""
    drawn = select(Flag.id).where(Flag.prediction_id == prediction_id, Flag.reason.in_(LOTS))
    return session.scalar(drawn) is not None


def _item_about(session: Session, queue: Queue, external_id: str) -> int | None:
    """The item about this message. There is one for all model versions, so also after a promotion."""
    return session.scalar(
        select(ReviewItem.id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Prediction.queue_id == queue.id, Prediction.external_id == external_id, ABOUT_PREDICTION)
        .limit(1)
    )


def _erased_ids(session: Session, queue: Queue, batch: Sequence[NewPrediction]) -> set[str]:
    kind = kind_of(session)
    values = {"queue_id": queue.id, "ids": as_list(kind, (row.external_id for row in batch))}
    return {external_id for (external_id,) in fetch(session, _erased(kind), values)}


@cache
def _erased(kind: str) -> Select[Any]:
    """Built once. An index of erased rows answers it, however many rows are stored."""
    return select(Prediction.external_id).where(
        Prediction.queue_id == bindparam("queue_id"),
        among(Prediction.external_id, kind, "ids"),
        Prediction.erased_at.is_not(None),
    )


def _storable(session: Session, queue: Queue, batch: Sequence[NewPrediction]) -> list[NewPrediction]:
    """The predictions of the batch that were not erased. Of several with one key, the first."""
    erased = _erased_ids(session, queue, batch)
    first = {row.key: row for row in reversed(batch) if row.external_id not in erased}
    return list(reversed(first.values()))


def _insert_undrawn(session: Session, queue_id: int, rows: Sequence[NewPrediction], now: datetime) -> list[_Stored]:
    """Insert rows that take part in no random draw: a person's report, or a scan's find."""
    values = [_values(row, content_hash(row.text, row.image_url), 0.0) for row in rows]
    return _insert_sent(session, _same(queue_id, 0.0, now), rows, values)()


def _insert_sent(
    session: Session, same: Mapping[str, Any], rows: Sequence[NewPrediction], values: Sequence[Mapping[str, Any]]
) -> Callable[[], list[_Stored]]:
    """Insert rows. The returned function gives those that were not stored yet, in this order; it is called after the
    end of `at_once`."""
    answer = insert_sent(session, PREDICTIONS, same, values)

    def stored() -> list[_Stored]:
        ids = {(external_id, version): found for found, external_id, version in answer()}
        return [
            _Stored(found, row, value["content_hash"])
            for row, value in zip(rows, values, strict=True)
            if (found := ids.get(row.key)) is not None
        ]

    return stored


def _same(queue_id: int, lot: float, now: datetime) -> dict[str, Any]:
    """The values that all rows share. lot: the probability of the audit's draw."""
    return {"queue_id": queue_id, "created_at": now, "lot_probability": lot}


def _values(row: NewPrediction, digest: str, flagged: float, held_back: float = 0.0) -> dict[str, Any]:
    """The values of a row. flagged: the probability with which rows like this one are sent to people at all; held_back:
    with which this one was held back from training."""
    odds = {"flag_probability": flagged, "held_back_probability": held_back}
    return {**vars(row), "content_hash": digest, **odds}


def _flag(
    session: Session,
    flagged: Sequence[tuple[_Stored, Sequence[FlagReason]]],
    now: datetime,
    policy: QueuePolicy,
    person: str | None = None,
) -> None:
    same = {"person": person, "policy_fingerprint": policy.fingerprint, "created_at": now}
    rows = [
        {
            "prediction_id": stored.id,
            "reason": reason.reason,
            "values": reason.values,
            "inclusion_probability": reason.inclusion_probability,
        }
        for stored, reasons in flagged
        for reason in reasons
    ]
    insert_all(session, FLAGS, same, rows)


def _locked(session: Session, queue: Queue, row: NewPrediction) -> _Stored:
    found = session.scalars(
        select(Prediction)
        .where(
            Prediction.queue_id == queue.id,
            Prediction.external_id == row.external_id,
            Prediction.model_version == row.model_version,
        )
        .with_for_update(of=Prediction)
    ).one()
    return _Stored(found.id, replace(row, label=found.label), found.content_hash)
