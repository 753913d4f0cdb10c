"""The estimated accuracy of the live model in production since it went live: of all answers together, and by the label
that it gave."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.production import FEWEST_AUDITS, WIDEST, Stratum, share_right
from core.learning.lifecycle.models import answering_model
from core.records.predictions import Flag, Prediction
from core.records.reviews import CLOCKS_APART, Correction, ReviewItem
from core.storage.database import kind_of
from core.storage.ready import Found, Values, fetch
from core.vocabulary import QuestionAbout, Reason

ALWAYS = datetime.min.replace(tzinfo=UTC)
NEWEST = 30_000  # answers: 1,500 audits at the default share, and a million stored rows take no longer

Conditions = Sequence[ColumnElement[bool]]
Key = tuple[str, float, bool]  # the label given, the audit's share, and whether a rule sent the row to people


@dataclass(frozen=True)
class LabelEstimate:
    """The estimate for one label. right: the share of the answers with this label that are right; None while its
    interval is too wide. audits: settled random checks of them."""

    label: str
    right: Interval | None
    audits: int


@dataclass(frozen=True)
class ProductionEstimate:
    """right: the share of the model's answers that agree with what people settle, with a 95 % interval; None below 30
    settled audits. rows: its answers since it went live; reviewed: those that people look at, which a rule sent to
    them or, by its share, the audit draws. labels: by the
    label given, most rows first. model: None without any traffic."""

    model: str | None
    right: Interval | None
    audits: int
    rows: int
    reviewed: int
    labels: tuple[LabelEstimate, ...]


@dataclass(frozen=True)
class _Settled:
    right: int
    total: int
    audits: int


def production_estimate(session: Session, queue_id: int, newest: int = NEWEST) -> ProductionEstimate:
    """The estimate for the live model since it went live, from about `newest` of its newest answers. If no Goldloop
    model is live, it is for the newest version of the sender's model.

    A row that came only because a person flagged it is no traffic. A row that a person flags later stays in its
    stratum; its settled label counts if it was audited. Unsettled rows are left out.
    """
    model = answering_model(session, queue_id)
    if model is None:
        return ProductionEstimate(None, None, 0, 0, 0, ())
    mine = {"queue_id": queue_id, "model": model.name}
    rows, oldest = _newest_rows(session, {**mine, "since": model.since or ALWAYS}, newest)
    if oldest is None:
        return ProductionEstimate(model.name, None, 0, 0, 0, ())
    settled = _settled(session, {**mine, "since": oldest, "settled_since": oldest - CLOCKS_APART})
    strata = {key: _stratum(key, rows[key], settled) for key in rows}
    audits = Counter[str]()
    for key, found in settled.items():
        audits[key[0]] += found.audits
    return ProductionEstimate(
        model=model.name,
        right=share_right(_pooled(strata)) if audits.total() >= FEWEST_AUDITS else None,
        audits=audits.total(),
        rows=rows.total(),
        reviewed=round(sum(count * (1.0 if reviewed else lot) for (_label, lot, reviewed), count in rows.items())),
        labels=_labels(strata, audits),
    )


def _newest_rows(session: Session, mine: Values, newest: int) -> tuple[Counter[Key], datetime | None]:
    """The number of newest rows by stratum, and when the oldest of them came; rows that came at the same time count as
    well. PostgreSQL reads the index once for this; SQLite is quicker if it looks for the oldest row before it
    counts."""
    if kind_of(session) == "postgresql":
        found = fetch(session, _counted_with_ties(), {**mine, "newest": newest})
        return _counts(found), min((since for *_stratum, since in found), default=None)
    [[oldest]] = fetch(session, _oldest(), {**mine, "before": newest - 1})
    return _counts(fetch(session, _counted(), {**mine, "since": oldest})) if oldest else Counter(), oldest


def _counts(rows: Found) -> Counter[Key]:
    return Counter({(label, lot, bool(reviewed)): count for label, lot, reviewed, count, *_since in rows})


def _settled(session: Session, mine: Values) -> dict[Key, _Settled]:
    """The settled rows of each stratum's sample. A row that no rule flagged counts only if it was audited."""
    counts: dict[Key, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for label, lot, reviewed, right, is_audited, count in fetch(session, _settled_rows(), mine):
        if reviewed or is_audited:
            counts[label, lot, bool(reviewed)][bool(right), bool(is_audited)] += count
    return {
        key: _Settled(
            right=each[True, True] + each[True, False],
            total=each.total(),
            audits=each[True, True] + each[False, True],
        )
        for key, each in counts.items()
    }


def _traffic(row: Any) -> Conditions:
    """row: Prediction, or what has its columns."""
    mine = (row.queue_id == bindparam("queue_id"), row.model_version == bindparam("model"))
    return *mine, row.lot_probability > 0, row.created_at >= bindparam("since", type_=Prediction.created_at.type)


@cache
def _counted_with_ties() -> Select[*tuple[Any, ...]]:
    newest = select(*_key(Prediction), Prediction.created_at).where(*_traffic(Prediction))
    newest = newest.order_by(Prediction.created_at.desc())
    *key, came_at = newest.fetch(bindparam("newest", type_=Integer), with_ties=True).subquery().c
    return select(*key, func.count(), func.min(came_at)).group_by(*key)


@cache
def _oldest() -> Select[datetime | None]:
    """When the oldest of so many newest rows came, or the first row if there are fewer."""
    times = select(Prediction.created_at).where(*_traffic(Prediction)).limit(1)
    last = times.order_by(Prediction.created_at.desc()).offset(bindparam("before", type_=Integer))
    first = times.order_by(Prediction.created_at)
    return select(func.coalesce(last.scalar_subquery(), first.scalar_subquery()))


@cache
def _counted() -> Select[*tuple[Any, ...]]:
    return _by(select(*_key(Prediction)).where(*_traffic(Prediction)))


@cache
def _settled_rows() -> Select[*tuple[Any, ...]]:
    """The settled rows. No row was settled before the oldest one came: without this condition, all items ever would be
    read."""
    recent = _recent()
    audits = select(func.count()).where(Flag.prediction_id == recent.c.id, Flag.reason == Reason.AUDIT)
    columns = (*_key(recent.c), recent.c.model_was_right, (audits.scalar_subquery() > 0).label("audited"))
    return _by(select(*columns).where(*_traffic(recent.c)))


def _by(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    columns = rows.subquery().c
    return select(*columns, func.count()).group_by(*columns)


def _recent() -> CTE:
    """The predictions about which items were settled since then, one after the other.

    PostgreSQL never knows how many rows came lately. Left to plan it as one join, it begins with the traffic, of which
    one row in ten has an item, or reads every item and every audit that there ever were."""
    about = (
        select(ReviewItem.prediction_id)
        .where(ReviewItem.id == Correction.item_id, ReviewItem.about == QuestionAbout.PREDICTION)
        .scalar_subquery()
    )
    mine = (Correction.queue_id == bindparam("queue_id"), Correction.is_current)
    settled = _step(
        "settled",
        select(about.label("prediction_id"), Correction.model_was_right).where(
            *mine, Correction.settled_at >= bindparam("settled_since", type_=Correction.settled_at.type)
        ),
    )
    columns = (
        Prediction.id, Prediction.queue_id, Prediction.model_version, Prediction.label, Prediction.lot_probability,
        Prediction.flag_probability, Prediction.created_at, settled.c.model_was_right,
    )  # fmt: skip
    return _step("recent", select(*columns).join(settled, settled.c.prediction_id == Prediction.id))


def _step(name: str, query: Select[Any]) -> CTE:
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def _key(row: Any) -> tuple[Any, ...]:
    return row.label, row.lot_probability, (row.flag_probability >= 1).label("reviewed")


def _stratum(key: Key, rows: int, settled: dict[Key, _Settled]) -> Stratum:
    found = settled.get(key, _Settled(0, 0, 0))
    return Stratum(rows, found.total, found.right, reviewed=key[2])


def _pooled(strata: dict[Key, Stratum]) -> list[Stratum]:
    """The strata of all labels together: the audit's draw does not depend on the label."""
    pooled: dict[tuple[float, bool], list[Stratum]] = defaultdict(list)
    for (_label, lot, reviewed), stratum in strata.items():
        pooled[lot, reviewed].append(stratum)
    return [_sum(each) for each in pooled.values()]


def _sum(strata: Sequence[Stratum]) -> Stratum:
    return Stratum(
        sum(each.rows for each in strata),
        sum(each.settled for each in strata),
        sum(each.right for each in strata),
        strata[0].reviewed,
    )


def _labels(strata: dict[Key, Stratum], audits: Counter[str]) -> tuple[LabelEstimate, ...]:
    of_label: dict[str, list[Stratum]] = defaultdict(list)
    for key, stratum in strata.items():
        of_label[key[0]].append(stratum)
    ranked = sorted(of_label, key=lambda label: (-sum(each.rows for each in of_label[label]), label))
    return tuple(_label(label, of_label[label], audits[label]) for label in ranked)


def _label(label: str, strata: Sequence[Stratum], audits: int) -> LabelEstimate:
    right = share_right(strata)
    return LabelEstimate(label, right if right.high - right.low <= WIDEST else None, audits)
