"""Sources of unlabelled texts: Parquet, JSON Lines and CSV files, cut into shards that are read one by one.

A shard of JSON Lines is a range of bytes, and a line belongs to the shard in which it begins. A shard of Parquet is a
few row groups. A CSV file is one shard, because a quoted line break would make ranges wrong, and so is a .gz file.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, Any

from pydantic_core import from_json

from core.discovery.places import checked_address, files_at, opened
from core.errors import Invalid

BATCH = 4096  # rows read at once
LINES_BYTES = 32_000_000  # bytes of a shard of JSON Lines
PARQUET_ROWS = 50_000  # rows of a shard of Parquet, at least one row group
PIECE = 1 << 20  # bytes read at once; `readline` of a remote file costs more than the network
TO_THE_END = -1
ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
LONGEST_CELL = 1 << 24  # characters of a CSV file's cell; the csv module takes 131,072

Rows = tuple[list[str], list[str]]  # (ids, texts)


@dataclass(frozen=True)
class Shard:
    """A part of a source. first, last: the range of bytes or row groups, without the last; size: in bytes, for the
    progress."""

    position: int
    address: str
    kind: str
    first: int
    last: int
    size: int


@dataclass(frozen=True)
class Columns:
    """The columns to read. text: the one with the text. id: the one with its id; None: the position in the source is
    the id."""

    text: str
    id: str | None = None


def shards_of(source: str, lines_bytes: int = LINES_BYTES, parquet_rows: int = PARQUET_ROWS) -> list[Shard]:
    """The shards of a file, a folder with its sub-folders, or a pattern. Raises Invalid if there is no file to read."""
    parts = [
        (address, kind, *part)
        for address, size in files_at(checked_address(source))
        if (kind := _kind(address))
        for part in _parts(address, kind, size, lines_bytes, parquet_rows)
    ]
    if not parts:
        raise Invalid(f"{source} has no files that end in {', '.join(ENDINGS)}, alone or with .gz.", field="source")
    return [Shard(position, *part) for position, part in enumerate(parts)]


def read(shard: Shard, columns: Columns) -> Iterator[Rows]:
    """Yield the rows of a shard in order, some thousand at a time. A missing text is empty. Raises Invalid if a column
    is missing or the file is not what its name says, and OSError if it cannot be reached."""
    if shard.kind == "parquet":
        rows = _parquet(shard, columns)
    else:
        rows = _csv(shard, columns) if shard.kind == "csv" else _lines(shard, columns)
    name = PurePosixPath(shard.address).name
    number = 0
    for ids, texts in rows:
        places = [f"{name}#{shard.position}.{row}" for row in range(number + 1, number + len(texts) + 1)]
        number += len(texts)
        yield [one or place for one, place in zip(ids, places, strict=True)] if ids else places, texts


def _kind(address: str) -> str | None:
    return ENDINGS.get(PurePosixPath(address.removesuffix(".gz")).suffix.lower())


def _parts(address: str, kind: str, size: int, lines_bytes: int, parquet_rows: int) -> list[tuple[int, int, int]]:
    """The parts of a file, each as (first, last, size)."""
    if kind == "parquet":
        return _row_groups(address, size, parquet_rows)
    if kind == "csv" or address.endswith(".gz") or size <= lines_bytes:
        return [(0, TO_THE_END, max(size, 0))]
    return [(start, min(start + lines_bytes, size), min(lines_bytes, size - start))
            for start in range(0, size, lines_bytes)]  # fmt: skip


def _row_groups(address: str, size: int, most: int) -> list[tuple[int, int, int]]:
    """The parts of a Parquet file. A file that cannot be read is one shard, which will report the problem."""
    parquet = _pyarrow_parquet(address)
    try:
        with opened(address) as file:
            metadata = parquet.ParquetFile(file, pre_buffer=False).metadata
            rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    except (OSError, ValueError):
        return [(0, TO_THE_END, max(size, 0))]
    starts, count = [], most
    for group, number in enumerate(rows):
        if count + number > most:
            starts.append(group)
            count = 0
        count += number
    ends = [*starts[1:], len(rows)]
    return [(first, last, max(size, 0) // len(starts)) for first, last in zip(starts, ends, strict=False)]


def _lines(shard: Shard, columns: Columns) -> Iterator[Rows]:
    with opened(shard.address) as file:
        lines = _lines_within(file, shard.first, shard.last)
        is_first = True
        while batch := list(islice(lines, BATCH)):
            rows = [_object(shard, line) for line in batch]
            if is_first:
                _require(shard, columns, sorted({name for row in rows for name in row}))
                is_first = False
            ids = [_shown(row.get(columns.id)) for row in rows] if columns.id else []
            yield ids, [_text(row.get(columns.text)) for row in rows]


def _lines_within(file: IO[bytes], first: int, last: int) -> Iterator[bytes]:
    """The lines that begin at or after `first` and before `last`, without empty ones."""
    at = max(0, first - 1)
    if at:
        file.seek(at)
    rest, skip = b"", first > 0  # text before the first line break belongs to the previous shard
    while True:
        piece = file.read(PIECE)
        lines = (rest + piece).split(b"\n")
        rest = lines.pop() if piece else b""
        for line in lines:
            if not skip and 0 <= last <= at:
                return
            at += len(line) + 1
            if not skip and line.strip():
                yield line
            skip = False
        if not piece:
            return


def _object(shard: Shard, line: bytes) -> dict[str, Any]:
    try:
        row = from_json(line)
    except ValueError as error:
        raise Invalid(f"{shard.address}: a line is not JSON: {error}.") from None
    if not isinstance(row, dict):
        raise Invalid(f"{shard.address}: each line must be a JSON object.")
    return row


def _csv(shard: Shard, columns: Columns) -> Iterator[Rows]:
    csv.field_size_limit(LONGEST_CELL)
    try:
        with opened(shard.address) as file:
            rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True)
            header = next(rows, [])
            _require(shard, columns, header)
            text = header.index(columns.text)
            ident = header.index(columns.id) if columns.id else None
            while batch := list(islice(rows, BATCH)):
                ids = [_cell(row, ident) for row in batch] if ident is not None else []
                yield ids, [_cell(row, text) for row in batch]
    except UnicodeDecodeError:
        raise Invalid(f"{shard.address}: this file is not UTF-8.") from None
    except csv.Error as error:
        raise Invalid(f"{shard.address}: this is not a CSV file: {error}.") from None


def _parquet(shard: Shard, columns: Columns) -> Iterator[Rows]:
    parquet = _pyarrow_parquet(shard.address)
    with opened(shard.address) as file:
        try:
            whole = parquet.ParquetFile(file, pre_buffer=False)
        except ValueError as error:
            raise Invalid(f"{shard.address}: this cannot be read as a Parquet file: {error}.") from None
        _require(shard, columns, whole.schema_arrow.names)
        wanted = [columns.text, *([columns.id] if columns.id else [])]
        groups = range(shard.first, whole.num_row_groups if shard.last == TO_THE_END else shard.last)
        for batch in whole.iter_batches(BATCH, row_groups=list(groups), columns=wanted):
            ids = [_shown(one) for one in batch.column(columns.id).to_pylist()] if columns.id else []
            yield ids, [_text(one) for one in batch.column(columns.text).to_pylist()]


def _pyarrow_parquet(address: str) -> Any:
    try:
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise Invalid(
            f"{address}: Parquet needs pyarrow, which is not installed. Run: pip install 'goldloop[parquet]'"
        ) from None
    return pyarrow.parquet


def _require(shard: Shard, columns: Columns, names: Sequence[str]) -> None:
    for name in (columns.text, columns.id):
        if name is not None and name not in names:
            shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
            raise Invalid(f"{shard.address}: there is no column “{name}”. It has: {shown or 'none'}.", field=name)


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shown(value: object) -> str:
    return "" if value is None else str(value)
