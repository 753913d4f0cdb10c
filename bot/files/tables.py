"""Rows out of files: csv, jsonl, parquet."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from bot.runtime.json_parsing import read_json
from core.errors import Invalid

Row = dict[str, Any]
SUFFIXES = (".csv", ".jsonl", ".parquet")


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line number (1 is the first row of data) and row, one after the other: a file may be larger than memory.
    Raises Invalid with file, line and what is wrong."""
    if not path.is_file():
        raise Invalid(f"{path}: there is no such file.")
    readers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"{path}: a file must end in {', '.join(SUFFIXES)}.")
    yield from reader(path)


def labelled_rows(path: Path) -> list[tuple[str, str]]:
    """(text, label) of a file with these columns. Raises Invalid if a column or a value is missing."""
    found = []
    for number, row in read_rows(path):
        text, label = row.get("text"), row.get("label")
        for name, value in (("text", text), ("label", label)):
            if name not in row:
                raise Invalid(f"{path}: there is no column “{name}”; it has {', '.join(map(str, row))}.")
            if not isinstance(value, str) or not value.strip():
                raise Invalid(f"{path}, row {number}: {name} is empty.")
        found.append((str(text), str(label).strip()))
    return found


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file, strict=True), 1):
                if None in row:
                    raise Invalid(f"{path}, row {number}: there are more values than columns.")
                yield number, dict(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: this is not a CSV file in UTF-8: {error}.") from None


def _jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = read_json(line)
            except (ValueError, RecursionError) as error:
                raise Invalid(f"{path}, line {number}: this is not JSON: {error}.") from None
            if not isinstance(row, dict):
                raise Invalid(f"{path}, line {number}: each line must be an object.")
            yield number, row


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches(1000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (OSError, ValueError) as error:
        raise Invalid(f"{path}: this is not a Parquet file: {error}.") from None
