"""The provenance firewall: decides which corrections become golden; golden examples never train."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, or_, select, text
from sqlalchemy.orm import Session

from core.learning.data.golden_changes import give_up_pin, note_change
from core.learning.data.inputs import Input
from core.learning.data.pixels import with_pixels
from core.policy import QueuePolicy
from core.records.learning import GoldenChange, GoldenExample
from core.records.predictions import Prediction
from core.storage.bulk import Bulk, insert_all
from core.storage.database import kind_of
from core.storage.lists import among, as_list
from core.storage.ready import fetch
from core.text.content_hash import unit_interval
from core.vocabulary import Destination, GoldenChangeKind, Origin, Stratum


@dataclass(frozen=True)
class Golden:
    """A golden example as a value."""

    id: int
    input: Input
    label: str
    stratum: Stratum
    content_hash: str
    origin: Origin = Origin.SEED
    inclusion_probability: float = 1.0
    pinned: bool = False


@dataclass(frozen=True)
class Chosen:
    """Where a correction goes; if it becomes golden, its stratum, its origin and the probability of the draw."""

    destination: Destination
    stratum: Stratum | None = None
    origin: Origin = Origin.FLAGGED
    probability: float = 0.0


@dataclass(frozen=True)
class Protected:
    """A correction of a prediction that becomes golden. chosen: has a stratum."""

    correction_id: int
    prediction_id: int
    label: str
    chosen: Chosen
    now: datetime


def destination(
    *,
    blind: bool,
    audited: bool,
    model_was_right: bool,
    label: str | None,
    drawn_by: str,
    lot: float,
    policy: QueuePolicy,
    discovered: bool = False,
) -> Chosen:
    """Where a correction goes.

    Only answers given without the model's suggestion may become golden. A share of them is drawn, independently of
    whether the model was right: otherwise the live model could only lose on them. Of the rest, the model's errors
    become golden as past errors. drawn_by: the content hash; or the group, whose inputs are drawn together: if they
    were drawn one by one, each group would soon have a golden example, and none of its rows could train. Audited
    corrections never train and are not past errors; those not drawn are used only for estimates. lot: the audit's
    share. The probability is that of the draw: for an audited example, lot times audited share; for any other, the
    probability that it was not audited, times blind share, times random share if it was drawn. discovered: a scan chose
    the input. It does not represent the traffic, so it is not drawn, and becomes golden only as a past error.
    """
    if label is None:
        return Chosen(Destination.NOWHERE)
    if audited:
        return _of_audited(blind, drawn_by, lot, policy.golden.audited_share)
    if not blind:
        return Chosen(Destination.TRAINING)
    share = 0.0 if discovered else policy.golden.random_share
    seen_blind = (1 - lot) * policy.review.blind_share
    if unit_interval(drawn_by, "golden") < share:
        return Chosen(Destination.GOLDEN, Stratum.RANDOM, Origin.FLAGGED, seen_blind * share)
    if not model_was_right:
        return Chosen(Destination.GOLDEN, Stratum.PAST_ERROR, Origin.FLAGGED, seen_blind * (1 - share))
    return Chosen(Destination.TRAINING)


def _of_audited(blind: bool, drawn_by: str, lot: float, share: float) -> Chosen:
    if blind and unit_interval(drawn_by, "audited golden") < share:
        return Chosen(Destination.GOLDEN, Stratum.RANDOM, Origin.AUDITED, lot * share)
    return Chosen(Destination.HELD_OUT)


def protect_all(session: Session, protected: Sequence[Protected]) -> None:
    """Make corrections golden, in this order. The same content twice is one example; the first label stays until a lead
    changes it."""
    if not protected:
        return
    kind = kind_of(session)
    sources = fetch(session, _contents(kind), {"ids": as_list(kind, {one.prediction_id for one in protected})})
    content_of = {prediction_id: dict(zip(_SOURCE, content, strict=True)) for prediction_id, *content in sources}
    rows = [content_of[one.prediction_id] | _example(one) for one in protected]
    insert_all(session, _PROTECTED, {}, [{name: row[name] for name in _PROTECTED.each} for row in rows])


def revise(session: Session, golden_id: int, correction_id: int, label: str | None, now: datetime) -> None:
    """Revise a golden example after people were asked about its label again. The same label confirms it, and nothing
    changes. Another label replaces its label. None withdraws the example: it stays out of training, unpinned. Locks the
    example."""
    example = session.get_one(GoldenExample, golden_id, with_for_update=True, populate_existing=True)
    example.label_as_of = correction_id
    if label == example.label:
        return
    kind = GoldenChangeKind.RETIRED if label is None else GoldenChangeKind.RELABELLED
    note_change(session, golden_id, kind, None, "", now, example.label)
    example.revised_by = correction_id
    if label is None:
        example.withdrawn_at = now
        give_up_pin(example)
    else:
        example.label = label


def golden_set(
    session: Session,
    queue_id: int,
    up_to: int | None = None,
    with_withdrawn: bool = False,
    as_of: datetime | None = None,
) -> list[Golden]:
    """The queue's golden examples, oldest first. up_to: only examples up to this id, so that a later evaluation of a
    snapshot uses the set whose near-duplicates the snapshot leaves out. as_of: with the labels at that time, and with
    examples that were withdrawn since: a change counts from the next candidate on. with_withdrawn: include withdrawn
    examples, which do not measure but never train. Graduated examples are never included."""
    kept: ColumnElement[bool] = GoldenExample.withdrawn_at.is_(None)
    if as_of is not None:
        kept = or_(kept, GoldenExample.withdrawn_at > as_of)
    former = _former_labels(session, queue_id, as_of) if as_of is not None else {}
    rows = session.scalars(
        select(GoldenExample)
        .where(
            GoldenExample.queue_id == queue_id,
            GoldenExample.erased_at.is_(None),
            GoldenExample.graduated_in.is_(None),
            *([GoldenExample.id <= up_to] if up_to is not None else []),
            *([] if with_withdrawn else [kept]),
        )
        .order_by(GoldenExample.id)
    ).all()
    inputs = with_pixels(session, queue_id, [Input.of(row.text, row.image_url, row.fields, row.group) for row in rows])
    return [
        Golden(
            row.id,
            one,
            former.get(row.id, row.label),
            row.stratum,
            row.content_hash,
            row.origin,
            row.inclusion_probability,
            pinned=row.pin is not None,
        )
        for row, one in zip(rows, inputs, strict=True)
    ]


def golden_among(session: Session, queue_id: int, contents: Collection[str]) -> set[str]:
    """Those of these content hashes that are golden. Examples that have graduated train, and are not golden."""
    found = select(GoldenExample.content_hash).where(
        GoldenExample.queue_id == queue_id,
        GoldenExample.content_hash.in_(contents),
        GoldenExample.graduated_in.is_(None),
    )
    return set(session.scalars(found)) if contents else set()


def closed_golden_set(session: Session, queue_id: int) -> list[Golden]:
    """`golden_set` with the withdrawn examples, complete up to its last id: none with a lower id is added later. Waits
    for the click or the seeds that are adding an example; others can add examples again when the transaction ends."""
    if kind_of(session) == "postgresql":  # ids are assigned in another order than transactions commit
        session.execute(text("LOCK TABLE golden_example IN SHARE MODE"))
    return golden_set(session, queue_id, with_withdrawn=True)


def version_of(golden: Sequence[Golden]) -> str:
    """SHA-256 over id, content, label and stratum of each example in order: the same set has the same version."""
    lines = [[row.id, row.content_hash, row.label, row.stratum] for row in golden]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def _former_labels(session: Session, queue_id: int, as_of: datetime) -> dict[int, str]:
    """For the examples whose label has changed since then: the label that the first of these changes replaced."""
    changes = session.execute(
        select(GoldenChange.golden_id, GoldenChange.former_label)
        .join(GoldenExample, GoldenExample.id == GoldenChange.golden_id)
        .where(GoldenExample.queue_id == queue_id, GoldenChange.created_at > as_of)
        .where(GoldenChange.former_label.is_not(None))
        .order_by(GoldenChange.id.desc())
    )
    return {golden_id: label for golden_id, label in changes if label is not None}


def _example(one: Protected) -> dict[str, Any]:
    return {
        "label": one.label,
        "stratum": one.chosen.stratum,
        "origin": one.chosen.origin,
        "inclusion_probability": one.chosen.probability,
        "correction_id": one.correction_id,
        "label_as_of": one.correction_id,
        "created_at": one.now,
    }


@cache
def _contents(kind: str) -> Select[*tuple[Any, ...]]:
    content = [getattr(Prediction, name) for name in _SOURCE]
    return select(Prediction.id, *content).where(among(Prediction.id, kind, "ids"))


_SOURCE = ("queue_id", "text", "image_url", "group", "fields", "content_hash")  # columns of the prediction
_PROTECTED = Bulk(
    cast(Table, GoldenExample.__table__),
    same=(),
    each=(
        "queue_id", "text", "image_url", "group", "fields", "label", "content_hash", "stratum", "origin",
        "inclusion_probability", "correction_id", "label_as_of", "created_at",
    ),
    key=("queue_id", "content_hash"),
)  # fmt: skip
