"""The product on a database of its own, driven by the core's verbs as its entry points drive it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.loop.people import LEAD, REVIEWERS
from bot.runtime.migrate import migrate
from core import jobs
from core.delivery.card_refs import CardRef
from core.intake.ingest import flag_for_review, record_predictions
from core.intake.predictions import NewPrediction
from core.learning.data.golden import Golden, golden_set
from core.learning.data.inputs import Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.lifecycle.decisions import approve, overrule, reject
from core.learning.lifecycle.models import live_model_id, newest_evaluation
from core.learning.lifecycle.runs import TRAIN, request_run
from core.learning.lifecycle.serving import LiveModel, load_model
from core.learning.lifecycle.training import train
from core.policy import Policy, QueuePolicy
from core.policy.file import parse_policy
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.learning import ModelVersion, TrainingRun
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.storage.database import LONG, PATIENT, Database
from core.vocabulary import ItemState, Trigger

QUEUE = "months"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
WEEK = timedelta(days=7)  # from one cycle to the next
SENDER = "U_DAN"  # who flags the random texts
ANYWAY = "This month promotes every candidate."


def queue_policy(labels: Sequence[str], sections: Mapping[str, Any]) -> Policy:
    """The defaults, but for what a month says itself: when a candidate is trained, and that people never tire."""
    queue: dict[str, Any] = {
        "channel": "C_REVIEW",
        "leads_channel": "C_LEADS",
        "reviewers": list(REVIEWERS),
        "leads": [LEAD],
        "labels": list(labels),
        "workload": {"daily_cap": 10_000},
        "retraining": {"corrections": 0},
    }
    return parse_policy({"queues": {QUEUE: queue | dict(sections)}}, "benchmarks/loop")


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a candidate. blocks: its codes, one for each block."""

    passed: bool
    blocks: tuple[str, ...]


@dataclass
class Product:
    """One queue. now: goes on with each question for the time."""

    database: Database
    policy: Policy
    now: datetime = START
    truth: dict[str, str] = field(default_factory=dict)  # external id -> right label, which the product never sees

    @property
    def queue(self) -> QueuePolicy:
        return self.policy.queue(QUEUE)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def begin_cycle(self, cycle: int) -> None:
        self.now = START + WEEK * cycle

    def seed(self, rows: Sequence[tuple[str, str]]) -> None:
        with self.database.transaction(wait=PATIENT) as session:
            add_seeds(session, rows, self.clock(), self.queue)

    def predict(self, live: LiveModel, rows: Sequence[tuple[str, str]], flagged: bool) -> None:
        """rows: (text, right label). The live model's predictions are recorded. flagged: all of them are brought before
        people, whatever the model says."""
        answers = live.answers([Input(text) for text, _label in rows])
        made: list[NewPrediction] = []
        for (text, right), said in zip(rows, answers, strict=True):
            external_id = f"T-{len(self.truth) + 1}"
            self.truth[external_id] = right
            made.append(NewPrediction(external_id, live.name, text).answered(live.name, said))
        with self.database.transaction(wait=PATIENT) as session:
            if flagged:
                for one in made:
                    flag_for_review(session, one, SENDER, self.clock(), self.queue)
            else:
                record_predictions(session, made, self.clock(), self.queue)

    def open_items(self) -> list[tuple[int, str]]:
        """Items that wait for people, oldest first, with the right labels."""
        waiting = (ItemState.OPEN, ItemState.DISPUTED)
        with self.database.reading(wait=PATIENT) as session:
            found = session.execute(
                select(ReviewItem.id, Prediction.external_id)
                .join(Prediction, Prediction.id == ReviewItem.prediction_id)
                .where(ReviewItem.state.in_(waiting))
                .order_by(ReviewItem.id)
            ).all()
        return [(item_id, self.truth[external_id]) for item_id, external_id in found]

    def train(self) -> int:
        """A run from request to candidate. Returns the model's id."""
        with self.database.transaction(wait=PATIENT) as session:
            queue = queue_named(session, QUEUE)
            run_id = request_run(session, queue, Trigger.COMMAND, None, self.clock(), self.queue)
            claimed = jobs.claim(session, TRAIN, "bench", self.clock())
        if claimed is None:
            raise AssertionError("the run that was asked for is not to be had")
        train(self.database, claimed, self.clock, self.policy)
        with self.database.reading(wait=PATIENT) as session:
            return session.scalars(select(ModelVersion.id).where(ModelVersion.run_id == run_id)).one()

    def verdict(self, model_id: int) -> Verdict:
        with self.database.reading(wait=PATIENT) as session:
            evaluation = newest_evaluation(session, model_id)
            return Verdict(evaluation.passed, tuple(str(block["code"]) for block in evaluation.blocks))

    def decide(self, model_id: int, passed: bool, anyway: bool) -> None:
        """The lead approves what passes, and rejects the others. anyway: overrules the gate instead."""
        with self.database.transaction(wait=PATIENT) as session:
            now = self.clock()
            if passed:
                approve(session, model_id, LEAD, int(now.timestamp() * 1e6), now, self.policy)
            elif anyway:
                overrule(session, CardRef(model_id), 0, LEAD, ANYWAY, now, self.policy)
            else:
                reject(session, model_id, LEAD, now, self.policy)

    def live_model_id(self) -> int | None:
        with self.database.reading(wait=PATIENT) as session:
            return live_model_id(session, QUEUE)

    def model(self, model_id: int) -> LiveModel:
        with self.database.reading(wait=LONG) as session:
            return load_model(session, model_id, self.queue)

    def run_of(self, model_id: int) -> tuple[TrainingRun, list[Row]]:
        """A candidate's run, and the rows of its snapshot."""
        with self.database.reading(wait=LONG) as session:
            run = session.get_one(TrainingRun, session.get_one(ModelVersion, model_id).run_id)
            return run, snapshot_rows(session, run.snapshot_id or 0)

    def golden(self) -> list[Golden]:
        with self.database.reading(wait=PATIENT) as session:
            return golden_set(session, queue_named(session, QUEUE).id)


@contextmanager
def opened(file: Path, labels: Sequence[str], sections: Mapping[str, Any]) -> Iterator[Product]:
    """An empty queue in a new SQLite file, which is taken away at the end."""
    _remove(file)
    database = Database(f"sqlite:///{file}")
    try:
        migrate(database)
        product = Product(database, queue_policy(labels, sections))
        with database.transaction(wait=PATIENT) as session:
            sync_queues(session, product.policy, product.clock())
        yield product
    finally:
        database.close()
        _remove(file)


def _remove(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
