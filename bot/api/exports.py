"""Export of a snapshot as a file, streamed in pieces so that memory use does not grow with its length."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import pyarrow
import pyarrow.parquet as parquet
from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse

from bot.api.callers import Admit
from bot.api.shapes import FURTHEST
from bot.runtime.services import Services
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.lifecycle.listing import SnapshotHead, snapshot_head
from core.policy import QueuePolicy
from core.queues import queue_named
from core.review.content import shown_input

PIECE = 2000  # rows in memory at once
SCHEMA = pyarrow.schema(
    [
        ("text", pyarrow.string()),
        ("image_url", pyarrow.string()),
        ("fields", pyarrow.string()),
        ("label", pyarrow.string()),
        ("weight", pyarrow.float64()),
        ("source", pyarrow.string()),
        ("source_id", pyarrow.int64()),
        ("content_hash", pyarrow.string()),
    ]
)
COLUMNS = tuple(SCHEMA.names)
UNSEEN = " \u00a0\u200b\u200c\u200d\u2060\ufeff"  # before which a spreadsheet may still calculate
SIGNS = "=+-@＝＋－＠"  # what spreadsheets calculate
FORMULA_SIGNS = (*SIGNS, "\t", "\r", "\n")
# Read with another separator than the comma, a row has whole only its first cell; the others break at that separator.
BROKEN_OFF = re.compile(rf'(?<=[;|\t\r\n])(?=["{UNSEEN}]*[{re.escape(SIGNS)}])')

Value = str | float | int | None
Pieces = Iterator[Sequence[Row]]
Id = Annotated[int, Path(ge=1, le=FURTHEST)]
Format = Literal["jsonl", "csv", "parquet"]


def export_routes(services: Services, may_read: Admit) -> APIRouter:
    router = APIRouter(tags=["reading"])

    @router.get("/snapshots/{snapshot_id}", response_class=StreamingResponse)
    def snapshot(
        queue: Annotated[QueuePolicy, Depends(may_read)], snapshot_id: Id, format: Format = "jsonl"
    ) -> StreamingResponse:
        """Download the rows that a model was trained on, in order: text, image and fields (masked as the policy says),
        label, weight and origin. `fields` is an object in JSON Lines, and JSON text in CSV and Parquet. In CSV, all
        cells are quoted, and what a spreadsheet would run as a formula has an apostrophe before it; for training, use
        JSON Lines or Parquet."""
        with services.database.reading() as session:
            head = snapshot_head(session, queue_named(session, queue.name).id, snapshot_id)
        media_type, write = FORMATS[format]
        headers = {
            "Content-Disposition": f'attachment; filename="{queue.name}-snapshot-{head.id}.{format}"',
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{head.content_hash}-{queue.fingerprint}-{head.erased}-{format}"',  # masks and erasures change it
        }
        return StreamingResponse(write(_pieces(services, head, queue)), headers=headers, media_type=media_type)

    return router


def as_jsonl(pieces: Pieces) -> Iterator[bytes]:
    for piece in pieces:
        yield "".join(json.dumps(_values(row), ensure_ascii=False) + "\n" for row in piece).encode()


def as_csv(pieces: Pieces) -> Iterator[bytes]:
    yield _csv_lines([COLUMNS])
    for piece in pieces:
        yield _csv_lines([_inert_row([*_flat(row).values()]) for row in piece])


def as_parquet(pieces: Pieces) -> Iterator[bytes]:
    sink = _Drain()
    with parquet.ParquetWriter(sink, SCHEMA) as writer:
        for piece in pieces:
            writer.write_table(pyarrow.Table.from_pylist([_flat(row) for row in piece], SCHEMA))
            yield sink.drained()
    yield sink.drained()


FORMATS: dict[Format, tuple[str, Callable[[Pieces], Iterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", as_jsonl),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}


def _pieces(services: Services, head: SnapshotHead, queue: QueuePolicy) -> Pieces:
    """Each in a transaction of its own: a slow reader holds nothing, and a snapshot's rows stay the same."""
    for start in range(0, head.rows, PIECE):
        with services.database.reading() as session:
            rows = snapshot_rows(session, head.id, start, start + PIECE)
        yield [replace(row, input=shown_input(row.input, queue)) for row in rows]


def _values(row: Row) -> dict[str, Value | dict[str, str]]:
    return {
        "text": row.input.text,
        "image_url": row.input.image_url,
        "fields": dict(row.input.fields),
        "label": row.label,
        "weight": row.weight,
        "source": row.source.value,
        "source_id": row.source_id,
        "content_hash": row.content_hash,
    }


def _flat(row: Row) -> dict[str, Value]:
    """One value in each column: the fields as JSON text."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        for name, value in _values(row).items()
    }


def _inert_row(values: Sequence[Value]) -> list[Value]:
    first, *others = map(_inert, values)
    return [first, *(BROKEN_OFF.sub("'", value) if isinstance(value, str) else value for value in others)]


def _inert(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.lstrip(UNSEEN).startswith(FORMULA_SIGNS) else value


def _csv_lines(rows: Sequence[Sequence[Value]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)  # RFC 4180
    return text.getvalue().encode()


class _Drain(io.RawIOBase):
    """A file that a writer writes and a reader empties."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        new = bytes(memoryview(content))  # type: ignore[arg-type]
        self._waiting += new
        self._written += len(new)
        return len(new)

    def tell(self) -> int:
        return self._written

    def drained(self) -> bytes:
        content = bytes(self._waiting)
        self._waiting.clear()
        return content
