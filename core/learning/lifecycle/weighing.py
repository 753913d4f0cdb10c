"""The training weight of the rows that correct the model, chosen once for each run and stored with it.

A number in the policy is used as it is. With `auto`, a run measures the weight by a sweep
(core/learning/learners/sweep.py) the first time that enough rows correct the model (`FEWEST`), when the training rows
have grown by a quarter since it was measured last, and after the learner has changed; other runs keep what was measured
last. bot/wording/weighing.py has the sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.jobs import Execute
from core.learning.data.snapshots import UNMEASURED_WEIGHT, Row
from core.learning.data.traffic import flagged_share, traffic_shares
from core.learning.learners.base import Progress
from core.learning.learners.sweep import SweptRow, Trial, best, sweep
from core.policy.external import EXTERNAL
from core.policy.retraining import AUTO, RetrainingPolicy
from core.records.learning import TrainingRun
from core.storage.database import LONG, Database
from core.vocabulary import Coded, Source, SweepReason, WeightChoice

FEWEST = 30  # rows that correct the model: what fewer of them change is within the noise of the held-out rows
GROWTH = (
    1.25  # times the rows of the last sweep; ever rarer, so that all sweeps cost a constant multiple of the last one
)


def choose_weight(
    database: Database, run: TrainingRun, rows: Sequence[Row], policy: RetrainingPolicy, execute: Execute,
    report: Progress, extra_learners: Mapping[str, str] = {},
) -> Coded:  # fmt: skip
    """Choose the weight for this run, as a `WeightChoice`. rows: those that may train now. Where a sweep is due,
    `execute` runs it, outside any transaction. If the learner refuses the rows, the sweep ends and the weight does not
    change."""
    if policy.learner == EXTERNAL and policy.error_weight == AUTO:
        return Coded(WeightChoice.EXTERNAL, {"weight": UNMEASURED_WEIGHT})
    rows = [row for row in rows if row.source is not Source.SYNTHETIC]  # nothing is measured on what a machine wrote
    if policy.error_weight != AUTO:
        return Coded(WeightChoice.POLICY, {"weight": policy.error_weight})
    with database.reading(wait=LONG) as session:
        last = last_measured(session, run)
        kept = last.weighing_values["weight"] if last else UNMEASURED_WEIGHT
        correcting = sum(row.corrects for row in rows)
        if not correcting:
            return Coded(WeightChoice.NO_CORRECTIONS, {"weight": kept})
        if correcting < FEWEST:
            return Coded(WeightChoice.TOO_FEW, {"weight": kept, "corrections": correcting, "needed": FEWEST})
        why = sweep_reason(last, len(rows), policy.learner)
        flagged = flagged_share(session, run.queue_id) if why else None
    before = last.weighing_values["rows"] if last else 0
    if why is None and last is not None:
        return Coded(WeightChoice.KEPT, {"weight": kept, "run": last.id, "rows": len(rows), "rows_before": before})
    shares = traffic_shares(rows, flagged)
    swept = [SweptRow(row.example, row.corrects, share) for row, share in zip(rows, shares, strict=True)]
    try:
        trials = execute(sweep, policy.learner, extra_learners, swept, run.seed, report=report)
    except Refusal as refusal:
        return Coded(WeightChoice.REFUSED, {"weight": kept, "sentence": str(refusal)})
    measured = {"why": why, "rows": len(rows), "rows_before": before, "learner": policy.learner}
    return Coded(WeightChoice.MEASURED, measured | _figures(trials))


def weighed(rows: Sequence[Row], choice: Coded) -> list[Row]:
    """The rows with the chosen weight. choice: of `WeightChoice`."""
    weight = float(choice.values["weight"])
    return [replace(row, weight=weight) if row.corrects else row for row in rows]


def last_measured(session: Session, run: TrainingRun) -> TrainingRun | None:
    """The newest earlier run of the queue that measured the weight, whether it succeeded or not."""
    return session.scalars(
        select(TrainingRun)
        .where(
            TrainingRun.queue_id == run.queue_id,
            TrainingRun.id < run.id,
            TrainingRun.weighing == WeightChoice.MEASURED,
        )
        .order_by(TrainingRun.id.desc())
        .limit(1)
    ).first()


def sweep_reason(last: TrainingRun | None, rows: int, learner: str) -> SweepReason | None:
    """The reason to measure the weight now; None: the last measurement still holds. rows: those that may train."""
    if last is None:
        return SweepReason.FIRST
    if last.weighing_values["learner"] != learner:
        return SweepReason.LEARNER_CHANGED
    return SweepReason.ROWS_GREW if rows >= GROWTH * last.weighing_values["rows"] else None


def _figures(trials: Sequence[Trial]) -> dict[str, Any]:
    seconds = sum(trial.seconds for trial in trials)
    return {"weight": best(trials), "seconds": seconds, "trials": [asdict(trial) for trial in trials]}
