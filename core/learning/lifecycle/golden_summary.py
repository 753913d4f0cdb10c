"""A golden set in numbers: its version, origins, age and power."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.data.golden import Golden, golden_set, version_of
from core.learning.evaluation.paired_tests import minimum_detectable_effect
from core.learning.evaluation.scorecard import Scorecard
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import Evaluation, GoldenChange, GoldenExample, ModelVersion
from core.vocabulary import GoldenChangeKind, Origin, Stratum

TYPICAL_CHURN = 0.03  # share newly right and newly wrong between two equal models; before a first comparison
AGES = (timedelta(days=30), timedelta(days=90), timedelta(days=365))
VERSIONS, CHANGES = 10, 10  # so many of the newest are shown


@dataclass(frozen=True)
class LabelBalance:
    """How many golden examples a label has, by stratum, and the median of their ages in days; None without any."""

    label: str
    random: int
    past_errors: int
    median_days: float | None


@dataclass(frozen=True)
class Version:
    """The golden set on which a model was measured."""

    model: str
    version: str
    at: datetime


@dataclass(frozen=True)
class Change:
    golden_id: int
    kind: GoldenChangeKind
    person: str | None
    reason: str
    former_label: str | None
    label: str
    at: datetime


@dataclass(frozen=True)
class GoldenSummary:
    """origins: of the random examples, how many there are of each origin. ages: examples younger than 30, 90 and 365
    days, each without the former, and older ones. detectable_drop: the smallest drop in accuracy on the random examples
    that the gate's test detects with probability .8, in [0, 1]; None: none, since there are too few examples.
    versions, changes: newest first."""

    queue_title: str
    version: str
    random: int
    past_errors: int
    graduated: int
    retired: int
    origins: dict[Origin, int]
    ages: tuple[int, ...]
    labels: tuple[LabelBalance, ...]
    detectable_drop: float | None
    alpha: float
    versions: tuple[Version, ...]
    changes: tuple[Change, ...]


def golden_summary(session: Session, policy: QueuePolicy, now: datetime) -> GoldenSummary:
    """The summary of the golden examples that measure now, with a label of the policy. Raises NotFound for a queue that
    is not in the database."""
    queue_id = queue_named(session, policy.name).id
    golden = [one for one in golden_set(session, queue_id) if one.label in policy.label_names]
    ages = {row.id: now - row.created_at for row in _examples(session, queue_id)}
    random = [one for one in golden if one.stratum is Stratum.RANDOM]
    return GoldenSummary(
        queue_title=policy.shown_title,
        version=version_of(golden),
        random=len(random),
        past_errors=len(golden) - len(random),
        graduated=_count(session, queue_id, GoldenExample.graduated_in),
        retired=_count(session, queue_id, GoldenExample.withdrawn_at),
        origins=dict(Counter(one.origin for one in random)),
        ages=_by_age([ages[one.id] for one in golden]),
        labels=tuple(_balance(label, golden, ages) for label in policy.label_names),
        detectable_drop=detectable_drop(len(random), _churn(session, queue_id), policy.promotion.alpha),
        alpha=policy.promotion.alpha,
        versions=_versions(session, queue_id),
        changes=_changes(session, queue_id, policy),
    )


def detectable_drop(n: int, churn: float, alpha: float) -> float | None:
    """The smallest drop that is detected with probability .8 on n examples, if without any drop a share `churn` of them
    becomes right and as many become wrong. See `minimum_detectable_effect`."""
    return minimum_detectable_effect(n, round(churn * n), alpha) if n else None


def _churn(session: Session, queue_id: int) -> float:
    """The churn between the newest candidate and the model it was compared with. The smaller of the two shares: the
    other one may include a drop."""
    newest = (
        select(Evaluation.scorecard)
        .join(ModelVersion, ModelVersion.id == Evaluation.model_id)
        .where(ModelVersion.queue_id == queue_id, Evaluation.live_model_id.is_not(None))
        .order_by(Evaluation.id.desc())
        .limit(1)
    )
    stored = session.scalar(newest)
    random = Scorecard.from_dict(stored).random if stored is not None else None
    return min(random.regressions, random.improvements) / random.n if random and random.n else TYPICAL_CHURN


def _examples(session: Session, queue_id: int) -> Sequence[GoldenExample]:
    return session.scalars(select(GoldenExample).where(GoldenExample.queue_id == queue_id)).all()


def _count(session: Session, queue_id: int, column: object) -> int:
    return session.scalar(select(func.count(column)).where(GoldenExample.queue_id == queue_id)) or 0  # type: ignore[arg-type]


def _by_age(ages: Sequence[timedelta]) -> tuple[int, ...]:
    places = Counter(sum(age >= limit for limit in AGES) for age in ages)
    return tuple(places[place] for place in range(len(AGES) + 1))


def _balance(label: str, golden: Sequence[Golden], ages: dict[int, timedelta]) -> LabelBalance:
    mine = [one for one in golden if one.label == label]
    random = sum(one.stratum is Stratum.RANDOM for one in mine)
    days = [ages[one.id] / timedelta(days=1) for one in mine]
    return LabelBalance(label, random, len(mine) - random, median(days) if days else None)


def _versions(session: Session, queue_id: int) -> tuple[Version, ...]:
    found = session.execute(
        select(Evaluation, ModelVersion)
        .join(ModelVersion, ModelVersion.id == Evaluation.model_id)
        .where(ModelVersion.queue_id == queue_id)
        .order_by(Evaluation.id.desc())
        .limit(VERSIONS)
    )
    return tuple(Version(model.name, evaluation.golden_hash, evaluation.created_at) for evaluation, model in found)


def _changes(session: Session, queue_id: int, policy: QueuePolicy) -> tuple[Change, ...]:
    found = session.execute(
        select(GoldenChange, GoldenExample.label)
        .join(GoldenExample, GoldenExample.id == GoldenChange.golden_id)
        .where(GoldenExample.queue_id == queue_id)
        .order_by(GoldenChange.id.desc())
        .limit(CHANGES)
    )
    shown = policy.privacy.shown
    return tuple(
        Change(row.golden_id, row.kind, row.person, shown(row.reason), row.former_label, label, row.created_at)
        for row, label in found
    )
