"""Rows read from CSV, JSON Lines and Parquet files."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bot.files.columns import missing_column
from bot.files.parquet import parquet_of
from bot.runtime.json_parsing import read_json
from core.errors import Invalid

Row = dict[str, Any]
SUFFIXES = (".csv", ".jsonl", ".parquet")
OTHER_SEPARATORS = {";": "semicolons (;)", "\t": "tabs", "|": "vertical bars"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (row number, row): 1 is the first row of data, and empty lines do not count. A file may be larger than
    memory. Raises Invalid with file, row and what is wrong."""
    if not path.is_file():
        raise Invalid(f"{path}: there is no such file.")
    readers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"{path}: a file must end in {', '.join(SUFFIXES)}.")
    yield from reader(path)


def header(path: Path) -> tuple[str, ...]:
    """The columns that all rows of the file have; empty for a file without rows, and for one whose rows differ."""
    if path.suffix.lower() == ".jsonl":
        return ()
    _number, first = next(read_rows(path), (0, {}))
    return tuple(map(str, first))


def labelled_rows(path: Path) -> list[tuple[str, str]]:
    """The pairs (text, label) of a file with these columns. Raises Invalid if a column or a value is missing."""
    found = []
    for number, row in read_rows(path):
        text, label = row.get("text"), row.get("label")
        for name, value in (("text", text), ("label", label)):
            if name not in row:
                raise Invalid(f"{path}: {missing_column(name, list(map(str, row)))}")
            if not isinstance(value, str) or not value.strip():
                raise Invalid(f"{path}, row {number}: {name} is empty.")
        found.append((str(text), str(label).strip()))
    return found


def row_groups(path: Path) -> list[str | None]:
    """The column `group` of each row; None where it is empty or missing."""
    return [None if row.get("group") in (None, "") else str(row["group"]) for _number, row in read_rows(path)]


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            _check_separator(path, file.readline())
            file.seek(0)
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames or ())
            for number, row in enumerate(reader, 1):
                if None in row:
                    raise Invalid(f"{path}, row {number}: there are more values than columns.")
                yield number, dict(row)
    except UnicodeDecodeError as error:
        _refuse_encoding(path, error)
    except csv.Error as error:
        raise Invalid(f"{path}: this is not a CSV file: {error}.") from None


def _check_separator(path: Path, header: str) -> None:
    for sign, words in OTHER_SEPARATORS.items():
        if header.count(sign) > header.count(","):
            remedy = "Save it again with “,” as the separator."
            raise Invalid(f"{path}: the columns are separated by {words}, not by commas. {remedy}")


def _check_header(path: Path, names: Sequence[str]) -> None:
    """Raises Invalid if a column has no name, or the same name as another."""
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise Invalid(f"{path}: column {place} has no name in the first line. Name it, or remove it.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Invalid(f"{path}: there are two columns “{twice[0]}”. Rename or remove one.")


def _refuse_encoding(path: Path, error: UnicodeDecodeError) -> NoReturn:
    with path.open("rb") as file:
        encoding = "UTF-16" if file.read(2) in UTF_16 else "WINDOWS-1252"
    likely = "It is UTF-16" if encoding == "UTF-16" else f"It is probably {encoding}"
    byte = f"the byte 0x{error.object[error.start]:02X} does not belong there"
    raise Invalid(
        f"{path}: this file is not UTF-8 ({byte}). {likely}. Save it as “CSV UTF-8”, or convert it: "
        f"iconv -f {encoding} -t UTF-8 {path} > {path.stem}-utf8{path.suffix}"
    ) from None


def _jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    number = 0
    with path.open("rb") as file:
        for place, line in enumerate(file, 1):
            if not line.strip():
                continue
            number += 1
            yield number, _object(path, number, place, line)


def _object(path: Path, number: int, place: int, line: bytes) -> Row:
    try:
        row = read_json(line)
    except UnicodeDecodeError as error:
        _refuse_encoding(path, error)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{_place(path, number, place)}: this is not JSON: {error}.") from None
    if not isinstance(row, dict):
        raise Invalid(f"{_place(path, number, place)}: each line must be an object.")
    return row


def _place(path: Path, number: int, line: int) -> str:
    return f"{path}, row {number}" + ("" if number == line else f" (line {line})")


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    _pyarrow, parquet = parquet_of(str(path))
    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches(1000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (OSError, ValueError) as error:
        raise Invalid(f"{path}: this is not a Parquet file: {error}.") from None
