"""Rows as the content of a CSV, JSON Lines or Parquet file, in pieces: memory use does not grow with its length."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from bot.files.parquet import parquet_of

UNSEEN = " \u00a0\u200b\u200c\u200d\u2060\ufeff"  # characters after which a spreadsheet still recognises a formula
SIGNS = "=+-@＝＋－＠"  # characters that begin a formula
FORMULA_SIGNS = (*SIGNS, "\t", "\r", "\n")
# Read with another separator than the comma, only the first cell of a row stays whole; others are split at it.
BROKEN_OFF = re.compile(rf'(?<=[;|\t\r\n])(?=["{UNSEEN}]*[{re.escape(SIGNS)}])')

Value = str | float | int | bool | None
Record = Mapping[str, Any]  # column -> JSON value; all records have the same columns
Pieces = Iterator[Sequence[Record]]
Format = Literal["jsonl", "csv", "parquet"]
Types = Mapping[str, str]  # column -> pyarrow's name of the type; only Parquet has types
Write = Callable[[Pieces, Types], Iterator[bytes]]


def as_jsonl(pieces: Pieces, _types: Types) -> Iterator[bytes]:
    for piece in pieces:
        yield "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in piece).encode()


def as_csv(pieces: Pieces, types: Types) -> Iterator[bytes]:
    """The rows as CSV. All cells are quoted, and a cell that a spreadsheet would run as a formula gets an apostrophe
    before it."""
    yield _csv_lines([[*types]])
    for piece in pieces:
        yield _csv_lines([_inert_row([*_flat(record).values()]) for record in piece])


def as_parquet(pieces: Pieces, types: Types) -> Iterator[bytes]:
    """The rows as Parquet. Raises Invalid at once, before anything is sent, if pyarrow is not installed."""
    return _parquet_pieces(pieces, types, *parquet_of("This export"))


def _parquet_pieces(pieces: Pieces, types: Types, pyarrow: Any, parquet: Any) -> Iterator[bytes]:
    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in types.items()])
    sink = _Drain()
    with parquet.ParquetWriter(sink, schema) as writer:
        for piece in pieces:
            writer.write_table(pyarrow.Table.from_pylist([_flat(record) for record in piece], schema))
            yield sink.drained()
    yield sink.drained()


FORMATS: dict[Format, tuple[str, Write]] = {  # format -> (media type, writer)
    "jsonl": ("application/x-ndjson", as_jsonl),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}


def _flat(record: Record) -> dict[str, Value]:
    """The record with a single value per column: objects and lists become JSON text."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        for name, value in record.items()
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
    """A file object that keeps written bytes until they are taken out."""

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
