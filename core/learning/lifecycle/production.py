"""The estimated accuracy of the live model in production since it went live: of all answers together, and by the label
that it gave."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.production import FEWEST_AUDITS, WIDEST, Stratum, share_right
from core.learning.lifecycle.models import live_version
from core.records.learning import Live
from core.records.predictions import Flag, Prediction
from core.records.reviews import CLOCKS_APART, Correction, ReviewItem
from core.vocabulary import QuestionAbout, Reason

NEWEST = 30_000  # answers: 1,500 audits at the default share, and a million stored rows take no longer
_REVIEWED = Prediction.flag_probability >= 1
_AUDITED = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.AUDIT).exists()

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
    settled audits. rows: its answers since it went live; reviewed: those that a rule sent to people. labels: by the
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
    model, oldest, traffic = _traffic(session, queue_id, newest)
    if model is None or oldest is None:
        return ProductionEstimate(model, None, 0, 0, 0, ())
    rows = _rows(session, traffic)
    settled = _settled(session, queue_id, oldest, traffic)
    strata = {key: _stratum(key, rows[key], settled) for key in rows}
    audits = Counter[str]()
    for key, found in settled.items():
        audits[key[0]] += found.audits
    return ProductionEstimate(
        model=model,
        right=share_right(_pooled(strata)) if audits.total() >= FEWEST_AUDITS else None,
        audits=audits.total(),
        rows=rows.total(),
        reviewed=sum(count for (_label, _lot, reviewed), count in rows.items() if reviewed),
        labels=_labels(strata, audits),
    )


def _traffic(
    session: Session, queue_id: int, newest: int
) -> tuple[str | None, datetime | None, Sequence[ColumnElement[bool]]]:
    """The model's name, when the oldest of its rows came, and their conditions. Those that came at once with the oldest
    one count as well."""
    live = live_version(session, queue_id)
    model = live.name if live else _newest_version(session, queue_id)
    mine = [Prediction.queue_id == queue_id, Prediction.model_version == model, Prediction.lot_probability > 0]
    since = session.get_one(Live, queue_id).changed_at if live else None
    mine += [] if since is None else [Prediction.created_at >= since]
    times = select(Prediction.created_at).where(*mine)
    oldest = session.scalar(times.order_by(Prediction.created_at.desc()).offset(newest - 1).limit(1))
    if oldest is None:
        oldest = session.scalar(times.order_by(Prediction.created_at).limit(1))
    return model, oldest, mine if oldest is None else [*mine, Prediction.created_at >= oldest]


def _newest_version(session: Session, queue_id: int) -> str | None:
    newest = select(Prediction.model_version).where(Prediction.queue_id == queue_id, Prediction.label.is_not(None))
    return session.scalar(newest.order_by(Prediction.created_at.desc()).limit(1))


def _rows(session: Session, traffic: Sequence[ColumnElement[bool]]) -> Counter[Key]:
    key = (Prediction.label, Prediction.lot_probability, _REVIEWED)
    return Counter({tuple(row[:3]): row[3] for row in session.execute(_by(key).where(*traffic))})


def _settled(
    session: Session, queue_id: int, oldest: datetime, traffic: Sequence[ColumnElement[bool]]
) -> dict[Key, _Settled]:
    """The settled rows of each stratum's sample. A row that no rule flagged counts only if it was audited. None was
    settled before the oldest one came: without this, all items that there ever were would be read."""
    found = (
        _by((Prediction.label, Prediction.lot_probability, _REVIEWED, Correction.model_was_right, _AUDITED))
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue_id, Correction.is_current, *traffic)
        .where(ReviewItem.about == QuestionAbout.PREDICTION, Correction.settled_at >= oldest - CLOCKS_APART)
    )
    counts: dict[Key, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for label, lot, reviewed, right, audited, count in session.execute(found):
        if reviewed or audited:
            counts[label, lot, bool(reviewed)][bool(right), bool(audited)] += count
    return {
        key: _Settled(
            right=each[True, True] + each[True, False],
            total=each.total(),
            audits=each[True, True] + each[False, True],
        )
        for key, each in counts.items()
    }


def _by(key: Iterable[Any]) -> Any:
    columns = tuple(key)
    return select(*columns, func.count()).select_from(Prediction).group_by(*columns)


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
