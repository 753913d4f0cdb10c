"""Scans of unlabelled texts, their shards and their finds."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.queues import Queue
from core.vocabulary import FindState, ScanState, ShardState

_UNFINISHED = "state IN ('requested', 'running')"


class Scan(Base):
    """A search for the texts of which a model is least sure. A queue has at most one unfinished scan."""

    __tablename__ = "scan"
    __table_args__ = (
        Index("uq_scan_unfinished", "queue_id", unique=True, postgresql_where=text(_UNFINISHED),
              sqlite_where=text(_UNFINISHED)),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))  # the model that ranks the texts
    source: Mapped[str] = mapped_column(Text)
    text_column: Mapped[str]
    id_column: Mapped[str | None]
    label: Mapped[str | None]  # the scan looks for texts between this label and another; None: between any two labels
    foreign: Mapped[bool]  # the scan looks for texts unlike the queue's
    wanted: Mapped[int]
    processes: Mapped[int]
    state: Mapped[ScanState]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # While the scan runs: done, total (bytes of the shards), rows, seconds. Empty: it has not begun.
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # fields of `Counts`; empty until the scan is done
    clusters: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # fields of `Cluster`, the largest first
    digest: Mapped[str] = mapped_column(default="")  # of the ranked texts: the same for every engine and order
    problem: Mapped[str] = mapped_column(default="")  # a word of `RunProblem`; empty: the scan has not failed
    problem_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    policy_fingerprint: Mapped[str]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)


class ScanShard(Base):
    """A part of a scan's source: a file, or a part of one."""

    __tablename__ = "scan_shard"
    __table_args__ = (UniqueConstraint("scan_id", "position"),)

    id: Mapped[int] = big_id()
    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id"))
    position: Mapped[int]
    address: Mapped[str] = mapped_column(Text)
    kind: Mapped[str]  # a kind of core/discovery/sources.py
    first: Mapped[int] = mapped_column(BigInteger)  # the first byte or row group
    last: Mapped[int] = mapped_column(BigInteger)  # the byte or row group after the last; -1: to the end
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    state: Mapped[ShardState]
    rows: Mapped[int] = mapped_column(default=0)
    foreign_rows: Mapped[int] = mapped_column(default=0)
    known_rows: Mapped[int] = mapped_column(default=0)
    top: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # the top-ranked texts; empty once the scan is over
    problem: Mapped[str] = mapped_column(Text, default="")  # a sentence; empty: the shard was read


class Find(Base):
    """A text that a scan selected, and its state from waiting to review item."""

    __tablename__ = "find"
    __table_args__ = (
        UniqueConstraint("scan_id", "content_hash"),
        Index("ix_find_queue_id_state_value", "queue_id", "state", "value"),
        Index("ix_find_queue_id_content_hash", "queue_id", "content_hash"),
    )

    id: Mapped[int] = big_id()
    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    rank: Mapped[int]  # from 1
    external_id: Mapped[str]  # the text's id in the source
    text: Mapped[str] = mapped_column(Text)  # empty unless the find waits
    content_hash: Mapped[str]
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))  # the model that predicted the columns below
    label: Mapped[str]
    confidence: Mapped[float]
    probabilities: Mapped[dict[str, float]]
    value: Mapped[float]  # the value by which finds are ranked, the smallest first
    state: Mapped[FindState]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("review_item.id"), index=True)
    created_at: Mapped[datetime]
