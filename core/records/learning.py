"""Records on the way from labels to a live model: seed and golden examples, snapshots, runs, models, evaluations,
decisions."""

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

MOST_PINS = 10  # the largest number of pinned past errors per queue


class SeedExample(Base):
    """A row of the labelled data with which a queue starts: a text or a stored picture, with its label."""

    __tablename__ = "seed_example"
    __table_args__ = (UniqueConstraint("queue_id", "content_hash"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    text: Mapped[str] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(index=True)
    group: Mapped[str | None]  # a patient, for example; all rows of a group become golden together, or none
    label: Mapped[str]
    content_hash: Mapped[str]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without text, image and group; the hash prevents a new import


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
    image_url: Mapped[str | None] = mapped_column(index=True)  # a web address, or the address of a stored picture
    group: Mapped[str | None]  # the group of the prediction or seed example that it came from
    fields: Mapped[dict[str, str]]
    label: Mapped[str]
    content_hash: Mapped[str]
    stratum: Mapped[Stratum]
    origin: Mapped[Origin]
    inclusion_probability: Mapped[float]  # the probability of the draw that made it golden
    # Both are ids of `Correction`, without a constraint: items, and so corrections, may in turn be about golden
    # examples.
    correction_id: Mapped[int | None] = mapped_column(BigInteger)  # the correction that made it golden
    revised_by: Mapped[int | None] = mapped_column(BigInteger)  # the correction that changed its label, or withdrew it
    label_as_of: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # corrections up to this id are older than the label
    graduated_in: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))  # the first snapshot that it trains in
    withdrawn_at: Mapped[datetime | None]  # since then it neither measures nor trains
    pin: Mapped[int | None]  # its place among the queue's pinned past errors, from 1; None: it is not pinned
    pinned_by: Mapped[str | None]
    pinned_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without text, image and fields, and it measures nothing


class GoldenChange(Base):
    """A change of a golden example, or its addition by a lead. Rows are never changed."""

    __tablename__ = "golden_change"

    id: Mapped[int] = big_id()
    golden_id: Mapped[int] = mapped_column(ForeignKey("golden_example.id"), index=True)
    kind: Mapped[GoldenChangeKind]
    person: Mapped[str | None]  # None: reviewers changed it when they were asked again
    reason: Mapped[str] = mapped_column(Text, default="")
    former_label: Mapped[str | None]  # None: the example was added
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
    source: Mapped[str]  # a word of `Source` for a training row; else empty
    subject_id: Mapped[int] = mapped_column(BigInteger)  # the id of the golden example or of the source's row
    reason: Mapped[SuspectReason]
    label: Mapped[str]
    suggested: Mapped[str]
    score: Mapped[float]  # how much likelier the suggested label is, in [0, 1]
    item_id: Mapped[int | None] = mapped_column(BigInteger)  # the `ReviewItem` in which people were asked
    found_at: Mapped[datetime]


class Snapshot(Base):
    """An immutable training set. `content_hash` covers every row in order: content, label, weight, origin."""

    __tablename__ = "snapshot"

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    content_hash: Mapped[str]
    rows: Mapped[int]
    near_golden_left_out: Mapped[int]
    graduated: Mapped[int] = mapped_column(default=0)  # the number of golden examples that train from this snapshot on
    graduates_left_out: Mapped[int] = mapped_column(default=0)  # graduated examples left out: near a golden one
    golden_up_to: Mapped[int] = mapped_column(BigInteger)  # golden examples up to this id have no near-duplicate in it
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]


class SnapshotRow(Base):
    """One training row. Its input is stored once, in the seed example or prediction from which the row comes."""

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
    last_correction_id: Mapped[int]  # corrections up to this id count towards this run
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))
    seed: Mapped[int]
    progress: Mapped[str]  # a word of `RunStep`
    progress_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    weighing: Mapped[str] = mapped_column(default="")  # the fields of `WeightChoice`; empty: not chosen yet
    weighing_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problem: Mapped[str] = mapped_column(default="")  # a word of `RunProblem`; empty: there is none
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
    asked_at: Mapped[datetime | None]  # when the leads were asked again; None: only when the candidate was made
    reminded_at: Mapped[datetime | None]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)

    @property
    def name(self) -> str:
        return model_name(self.version)


def model_name(version: int) -> str:
    """The name of a model for people, in predictions and in reports."""
    return f"v{version}"


class Artifact(Base):
    """The fitted model's bytes: in the database, so that every process serves the same model and one backup holds
    everything."""

    __tablename__ = "artifact"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    purged_at: Mapped[datetime | None]  # since then without content: the model had learned from erased texts
    runtime: Mapped[str]  # such as "scikit-learn 1.9.1"; under another one the model is not opened


class HeldOutAnswers(Base):
    """The training rows that a model gets wrong when they are held out, from its calibration. There is no row for a
    model whose learner does not give this."""

    __tablename__ = "held_out_answers"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    # Content hashes of the snapshot's rows: {"wrong": [...], "never": [...]}; the rows in "never" were not held out.
    not_right: Mapped[dict[str, Any]]


class Evaluation(Base):
    """A comparison of a candidate with the model that was live at that time. The newest one of a candidate counts."""

    __tablename__ = "evaluation"

    id: Mapped[int] = big_id()
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    live_model_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    live_changes: Mapped[int]  # Live.changes when this was computed
    golden_hash: Mapped[str]
    scorecard: Mapped[dict[str, Any]]
    passed: Mapped[bool]
    blocks: Mapped[list[dict[str, Any]]]  # each {"code": a word of `GateBlock`, "values": {...}}
    warnings: Mapped[list[dict[str, Any]]]  # the same with `GateWarning`
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]


class Approval(Base):
    """The approval of one candidate by one lead."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("model_id", "person"),)

    id: Mapped[int] = big_id()
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    person: Mapped[str]
    standing: Mapped[bool]  # False: it was taken back
    reacted_at: Mapped[int] = mapped_column(BigInteger)  # Slack's event_ts in microseconds
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"))


class Decision(Base):
    """A decision about a model: the people, the time and the grounds. Rows are never changed."""

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
    """The model that a queue serves. One row per queue, which every decision about the queue's models locks."""

    __tablename__ = "live"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    changes: Mapped[int] = mapped_column(default=0)  # the number of changes; it only grows
    changed_at: Mapped[datetime | None]
