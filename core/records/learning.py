"""From labels to a live model: seed and golden examples, snapshots, runs, models, evaluations, decisions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.queues import Queue
from core.vocabulary import (
    DecisionKind,
    GoldenChangeKind,
    ModelState,
    Origin,
    QuestionAbout,
    RunState,
    Source,
    Stratum,
    SuspectReason,
    Trigger,
)

MOST_PINS = 10  # pinned past errors of a queue


class SeedExample(Base):
    """A row of the labelled data that a queue starts with: a text or a stored picture, with its label."""

    __tablename__ = "seed_example"
    __table_args__ = (UniqueConstraint("queue_id", "content_hash"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    text: Mapped[str] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(index=True)
    group: Mapped[str | None]  # a patient, for example; decides with the others of its group whether it is golden
    label: Mapped[str]
    content_hash: Mapped[str]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without text, image and group; the hash keeps it from coming back


class GoldenExample(Base):
    """A verified example that does not train. A past error may graduate: it trains from then on, and never tests
    again."""

    __tablename__ = "golden_example"
    __table_args__ = (
        UniqueConstraint("queue_id", "content_hash"),
        UniqueConstraint("queue_id", "pin"),
        CheckConstraint(f"pin BETWEEN 1 AND {MOST_PINS}", name="pin"),
        CheckConstraint("pin IS NULL OR (withdrawn_at IS NULL AND erased_at IS NULL)", name="pin_measures"),
    )

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    text: Mapped[str] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(index=True)  # a web address, or a stored picture's
    group: Mapped[str | None]  # of the prediction or seed that it came from
    fields: Mapped[dict[str, str]]
    label: Mapped[str]
    content_hash: Mapped[str]
    stratum: Mapped[Stratum]
    origin: Mapped[Origin]
    inclusion_probability: Mapped[float]  # of the draw that it came in by
    # Both are of `Correction`. They have no constraint: items, and so corrections, may be about examples themselves.
    correction_id: Mapped[int | None] = mapped_column(BigInteger)  # made it golden
    revised_by: Mapped[int | None] = mapped_column(BigInteger)  # changed its label, or withdrew it
    label_as_of: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # corrections up to this id are older than the label
    graduated_in: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))  # the first one that it trains in
    withdrawn_at: Mapped[datetime | None]  # since then it measures nothing; it does not train either
    pin: Mapped[int | None]  # a place among the queue's pinned past errors, from 1 on; None: it is not pinned
    pinned_by: Mapped[str | None]
    pinned_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without text, image and fields; it measures nothing


class GoldenChange(Base):
    """A change of a golden example, or its addition by a lead. Rows are never changed."""

    __tablename__ = "golden_change"

    id: Mapped[int] = big_id()
    golden_id: Mapped[int] = mapped_column(ForeignKey("golden_example.id"), index=True)
    kind: Mapped[GoldenChangeKind]
    person: Mapped[str | None]  # None: reviewers who were asked again
    reason: Mapped[str] = mapped_column(Text, default="")
    former_label: Mapped[str | None]  # None: it was added
    created_at: Mapped[datetime]


class LabelSuspect(Base):
    """A stored label that may be wrong. The list is recomputed after each training run; labels that people were asked
    about stay."""

    __tablename__ = "label_suspect"
    __table_args__ = (
        Index("uq_label_suspect_listed", "queue_id", "about", "source", "subject_id", unique=True,
              postgresql_where=text("item_id IS NULL"), sqlite_where=text("item_id IS NULL")),
        Index("ix_label_suspect_queue_id", "queue_id"),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    about: Mapped[QuestionAbout]
    source: Mapped[str]  # of `Source`, where it is about a training row; else empty
    subject_id: Mapped[int] = mapped_column(BigInteger)  # of the golden example, or of the source
    reason: Mapped[SuspectReason]
    label: Mapped[str]
    suggested: Mapped[str]
    score: Mapped[float]  # how much likelier the suggested label is, in [0, 1]
    item_id: Mapped[int | None] = mapped_column(BigInteger)  # of `ReviewItem`: people were asked
    found_at: Mapped[datetime]


class Snapshot(Base):
    """An immutable training set. `content_hash` covers every row in order: content, label, weight, origin."""

    __tablename__ = "snapshot"

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    content_hash: Mapped[str]
    rows: Mapped[int]
    near_golden_left_out: Mapped[int]
    graduated: Mapped[int] = mapped_column(default=0)  # golden examples that train from this one on
    graduates_left_out: Mapped[int] = mapped_column(default=0)  # near a golden example; of all that graduated ever
    golden_up_to: Mapped[int] = mapped_column(BigInteger)  # the golden set it was kept clean of: examples up to this id
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]


class SnapshotRow(Base):
    """One training row. Its input stands once, in the seed example or prediction that it came from."""

    __tablename__ = "snapshot_row"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[Source]
    source_id: Mapped[int] = mapped_column(BigInteger)  # SeedExample.id or Correction.id
    content_hash: Mapped[str]
    label: Mapped[str]
    weight: Mapped[float]


class TrainingRun(Base):
    __tablename__ = "training_run"
    __table_args__ = (
        Index("uq_training_run_requested", "queue_id", unique=True, postgresql_where=text("state = 'requested'"),
              sqlite_where=text("state = 'requested'")),
        Index("ix_training_run_queue_id", "queue_id"),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    state: Mapped[RunState] = mapped_column(default=RunState.REQUESTED)
    trigger: Mapped[Trigger]
    requested_by: Mapped[str | None]
    requested_at: Mapped[datetime]
    last_correction_id: Mapped[int]  # corrections up to here have been counted towards this run
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))
    seed: Mapped[int]
    progress: Mapped[str]  # of `RunStep`
    progress_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    weighing: Mapped[str] = mapped_column(default="")  # of `WeightChoice`; empty: not chosen yet
    weighing_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problem: Mapped[str] = mapped_column(default="")  # of `RunProblem`; empty: there is none
    problem_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    policy_fingerprint: Mapped[str]
    finished_at: Mapped[datetime | None]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)


class ModelVersion(Base):
    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("queue_id", "version"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    version: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("training_run.id"), unique=True)
    state: Mapped[ModelState]
    learner: Mapped[str]
    parameters_fingerprint: Mapped[str]
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]  # when the leads were asked again; None: since it was made
    reminded_at: Mapped[datetime | None]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)

    @property
    def name(self) -> str:
        return model_name(self.version)


def model_name(version: int) -> str:
    """What people, predictions and reports call a model."""
    return f"v{version}"


class Artifact(Base):
    """The fitted model's bytes: in the database, so that every process serves the same model and one backup holds
    everything."""

    __tablename__ = "artifact"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    purged_at: Mapped[datetime | None]  # since then without content: the model had learned from what was erased
    runtime: Mapped[str]  # the learner's, e.g. "scikit-learn 1.9.1": under another one the model is not opened


class HeldOutAnswers(Base):
    """Which of its training rows a model gets wrong when they are held out; the calibration does that. A model of a
    learner that does not say has none."""

    __tablename__ = "held_out_answers"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    # Content hashes of its snapshot's rows: {"wrong": [...], "never": [...]}; the latter were not held out.
    not_right: Mapped[dict[str, Any]]


class Evaluation(Base):
    """A candidate against what was live at that moment. The newest one of a model counts."""

    __tablename__ = "evaluation"

    id: Mapped[int] = big_id()
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    live_model_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    live_changes: Mapped[int]  # Live.changes when this was computed
    golden_hash: Mapped[str]
    scorecard: Mapped[dict[str, Any]]
    passed: Mapped[bool]
    blocks: Mapped[list[dict[str, Any]]]  # each {"code": of `GateBlock`, "values": {...}}
    warnings: Mapped[list[dict[str, Any]]]  # of `GateWarning`
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]


class Approval(Base):
    """One lead's yes to one candidate."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("model_id", "person"),)

    id: Mapped[int] = big_id()
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    person: Mapped[str]
    standing: Mapped[bool]  # False: taken back
    reacted_at: Mapped[int] = mapped_column(BigInteger)  # Slack's event_ts in microseconds
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"))


class Decision(Base):
    """A decision about a model: by whom, when and on what grounds. Never changed."""

    __tablename__ = "decision"

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    kind: Mapped[DecisionKind]
    former_model_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))  # live until then
    people: Mapped[dict[str, Any]]  # {"leads": [...]}
    reason: Mapped[str] = mapped_column(Text, default="")
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"))
    snapshot_hash: Mapped[str]
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]


class Live(Base):
    """Which model a queue serves. One row per queue; locked by every decision about the queue's models."""

    __tablename__ = "live"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    changes: Mapped[int] = mapped_column(default=0)  # only grows
    changed_at: Mapped[datetime | None]
