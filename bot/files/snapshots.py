"""The rows of a snapshot in the form of files: what a model was trained on, masked as the policy says."""

from typing import Any

from bot.files.writing import Pieces
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.lifecycle.listing import SnapshotHead
from core.policy import QueuePolicy
from core.review.content import shown_input
from core.storage.database import CLICK, Database

PIECE = 2000  # rows per transaction, and in memory at once
TYPES = {  # the column types of Parquet
    "text": "string",
    "image_url": "string",
    "group": "string",
    "fields": "string",
    "label": "string",
    "weight": "float64",
    "source": "string",
    "source_id": "int64",
    "content_hash": "string",
}


def snapshot_pieces(database: Database, head: SnapshotHead, queue: QueuePolicy, wait: float = CLICK) -> Pieces:
    """The rows in pieces, each read in a transaction of its own, so that a slow reader holds no lock. A snapshot's rows
    do not change."""
    for start in range(0, head.rows, PIECE):
        with database.reading(wait) as session:
            rows = snapshot_rows(session, head.id, start, start + PIECE)
        yield [record(row, queue) for row in rows]


def record(row: Row, queue: QueuePolicy) -> dict[str, Any]:
    """A row of the file, masked as the policy says."""
    shown = shown_input(row.input, queue)
    return {
        "text": shown.text,
        "image_url": shown.image_url,
        "group": shown.group or None,
        "fields": dict(shown.fields),
        "label": row.label,
        "weight": row.weight,
        "source": row.source.value,
        "source_id": row.source_id,
        "content_hash": row.content_hash,
    }
