"""The estimated accuracy of the live model in production since it went live: of all answers together, and by the label
that it gave."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.production import FEWEST_AUDITS, WIDEST, Stratum, share_right
from core.learning.lifecycle.models import live_version
from core.records.learning import Live
from core.records.predictions import Flag, Prediction
from core.records.reviews import CLOCKS_APART, Correction, ReviewItem
from core.vocabulary import QuestionAbout, Reason

NEWEST = 30_000  # answers: 1,500 audits at the default share, and a million stored rows take no longer

Conditions = Sequence[ColumnElement[bool]]
Key = tuple[str, float, bool]  # the label given, the audit's share, and whether a rule sent the row to people


@dataclass(frozen=True)
class LabelEstimate:
    """right: how many of the answers with this label are right; None while its interval is too wide. audits: settled
    random checks of them."""

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
    """The estimate for the live model since it went live, from about `newest` of its newest answers. If no model of
    Goldloop is live, it is for the newest version of the sender's model. A row that came only because a person flagged
    it is no traffic. A row that a person flags later stays in its stratum; its settled label counts if it was audited.
    What is not settled is left out."""
    model, since = _model(session, queue_id)
    oldest = _oldest(session, _traffic(Prediction, queue_id, model, since), newest)
    if model is None or oldest is None:
        return ProductionEstimate(model, None, 0, 0, 0, ())
    rows = _rows(session, _traffic(Prediction, queue_id, model, oldest))
    settled = _settled(session, queue_id, model, oldest)
    strata = {key: _stratum(key, rows[key], settled) for key in rows}
    audits = Counter[str]()
    for key, found in settled.items():
        audits[key[0]] += found.audits
    return ProductionEstimate(
        model=model,
        right=share_right(_pooled(strata)) if audits.total() >= FEWEST_AUDITS else None,
        audits=audits.total(),
        rows=rows.total(),
        reviewed=round(sum(count * (1.0 if reviewed else lot) for (_label, lot, reviewed), count in rows.items())),
        labels=_labels(strata, audits),
    )


def _model(session: Session, queue_id: int) -> tuple[str | None, datetime | None]:
    """The model's name, and since when it is live; None: it is the sender's."""
    live = live_version(session, queue_id)
    if live is None:
        return _newest_version(session, queue_id), None
    return live.name, session.get_one(Live, queue_id).changed_at


def _traffic(row: Any, queue_id: int, model: str | None, since: datetime | None) -> Conditions:
    """row: Prediction, or what has its columns."""
    mine = [row.queue_id == queue_id, row.model_version == model, row.lot_probability > 0]
    return mine if since is None else [*mine, row.created_at >= since]


def _oldest(session: Session, traffic: Conditions, newest: int) -> datetime | None:
    """When the oldest of so many newest rows came. Those that came at once with it count as well. None: no row came."""
    times = select(Prediction.created_at).where(*traffic)
    found = session.scalar(times.order_by(Prediction.created_at.desc()).offset(newest - 1).limit(1))
    return found or session.scalar(times.order_by(Prediction.created_at).limit(1))


def _newest_version(session: Session, queue_id: int) -> str | None:
    newest = select(Prediction.model_version).where(Prediction.queue_id == queue_id, Prediction.label.is_not(None))
    return session.scalar(newest.order_by(Prediction.created_at.desc()).limit(1))


def _rows(session: Session, traffic: Conditions) -> Counter[Key]:
    found = session.execute(_by(_key(Prediction)).where(*traffic))
    return Counter({(label, lot, bool(reviewed)): count for label, lot, reviewed, count in found})


def _settled(session: Session, queue_id: int, model: str, oldest: datetime) -> dict[Key, _Settled]:
    """The settled rows of each stratum's sample. A row that no rule flagged counts only if it was audited. None was
    settled before the oldest one came: without this, all items that there ever were would be read."""
    recent = _recent(queue_id, oldest)
    audits = select(func.count()).where(Flag.prediction_id == recent.c.id, Flag.reason == Reason.AUDIT)
    found = _by((*_key(recent.c), recent.c.model_was_right, audits.scalar_subquery() > 0))
    counts: dict[Key, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    rows = session.execute(found.where(*_traffic(recent.c, queue_id, model, oldest)))
    for label, lot, reviewed, right, is_audited, count in rows:
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


def _recent(queue_id: int, since: datetime) -> CTE:
    """The predictions about which items were settled since then, one after the other.

    PostgreSQL never knows how many rows came lately. Left to plan it as one join, it begins with the traffic, of which
    one row in ten has an item, or reads every item and every audit that there ever were."""
    about = (
        select(ReviewItem.prediction_id)
        .where(ReviewItem.id == Correction.item_id, ReviewItem.about == QuestionAbout.PREDICTION)
        .scalar_subquery()
    )
    settled = _step(
        "settled",
        select(about.label("prediction_id"), Correction.model_was_right).where(
            Correction.queue_id == queue_id, Correction.is_current, Correction.settled_at >= since - CLOCKS_APART
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
    return row.label, row.lot_probability, row.flag_probability >= 1


def _by(key: Iterable[Any]) -> Any:
    columns = tuple(key)
    return select(*columns, func.count()).group_by(*columns)


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
