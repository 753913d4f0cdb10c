"""Files of predictions: the meaning of columns, and the errors for invalid files."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from bot.files.columns import columns_of, prediction_row
from bot.files.tables import labelled_rows, read_rows
from bot.files.writing import as_parquet
from core.errors import Invalid
from core.intake.predictions import checked_prediction
from tests.people import support_policy

RULES = support_policy().queues[0]
NAMES = ("external_id", "model_version", "text", "label", "confidence")


def read(**cells: Any) -> dict[str, Any]:
    return prediction_row({"external_id": "1", "model_version": "m", "text": "late"} | cells)


@pytest.mark.parametrize(
    "cells",
    [
        {"p:refund": "0.6", "p:billing error": "0.3", "p:delivery": ""},
        {"P: refund": 0.6, "p:billing error": 0.3},
        {"probabilities": '{"refund": 0.6, "billing error": 0.3}'},
        {"probabilities": {"refund": 0.6, "billing error": 0.3, "delivery": None}},
        {"probabilities": [("refund", 0.6), ("billing error", 0.3)]},
    ],
)
def test_probabilities_are_columns_or_an_object_in_a_cell(cells: dict[str, Any]) -> None:
    stored = checked_prediction(read(**cells), RULES)
    assert (stored.probabilities, stored.label) == ({"refund": 0.6, "billing error": 0.3}, "refund")


def test_other_columns_are_fields_and_empty_cells_are_left_out() -> None:
    row = read(label="refund", confidence="0.7", **{"Customer since": 2019, "Plan": "", "fields": '{"City": "Ulm"}'})
    stored = checked_prediction(row, RULES)
    assert stored.fields == {"City": "Ulm", "Customer since": "2019"}
    assert (stored.label, stored.confidence) == ("refund", 0.7)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("id", *NAMES[1:]), "“id” is not a known column. Did you mean external_id?"),
        (("Ticket-ID", *NAMES[1:]), "“Ticket-ID” is not a known column. Did you mean external_id?"),
        (("externalid", *NAMES[1:]), "“externalid” is not a known column. Did you mean external_id?"),
        ((*NAMES[:2], "message", *NAMES[3:]), "“message” is not a known column. Did you mean text?"),
        ((*NAMES[:2], "body", *NAMES[3:]), "“body” is not a known column. Did you mean text?"),
        ((*NAMES[:3], "category", "confidence"), "“category” is not a known column. Did you mean label?"),
        ((*NAMES, "image_ulr"), "“image_ulr” is not a known column. Did you mean image_url?"),
        (NAMES[1:], "The column external_id is missing."),
        (NAMES[:3], "The column label is missing. The column confidence is missing."),
        (NAMES[:4], "The column confidence is missing."),
        ((*NAMES[:2], *NAMES[3:]), "The column text is missing."),
        (
            ("ticket_id", "model", "body", "class", "score"),
            " ".join(
                f"“{other}” is not a known column. Did you mean {name}?"
                for other, name in zip(("ticket_id", "model", "body", "class", "score"), NAMES, strict=True)
            ),
        ),
        ((*NAMES[:3], "p:refund", "probabilities"), "Give either the column probabilities or columns p:LABEL"),
        ((*NAMES, *(f"more {n}" for n in range(21))), "21 columns would be fields (more 0, more 1, "),
    ],
)
def test_each_problem_of_a_header_is_named_once(names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        columns_of(names)
    said = str(refusal.value)
    assert said.startswith(sentence)
    assert said.count("“") == sentence.count("“")


@pytest.mark.parametrize("more", ["id", "message", "category", "score", "customer", "level", "labels"])
def test_a_word_like_ours_is_a_field_where_ours_is_there(more: str) -> None:
    assert columns_of((*NAMES, more)).fields == (more,)


@pytest.mark.parametrize(
    ("cells", "field", "sentence"),
    [
        ({"probabilities": "0.5"}, "probabilities", 'must be a JSON object, such as {"refund": 0.6}.'),
        ({"probabilities": "{refund: 1}"}, "probabilities", "must be a JSON object"),
        ({"p:refund": "0,6"}, "p:refund", "a number from 0 to 1. Write a point, not a comma."),
        ({"p:refund": "high"}, "p:refund", "a number from 0 to 1."),
        ({"label": "refund", "confidence": "60 %"}, "confidence", "a number from 0 to 1."),
        ({"fields": "[1]", "label": "refund", "confidence": 1}, "fields", "must be a JSON object"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(cells: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(**cells)
    assert refusal.value.field == field
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"external_id;model_version;text\n1;m;a, b, c\n", "separated by semicolons (;), not by commas"),
        (b'"external_id";"model_version"\n"1";"m"\n', "separated by semicolons (;), not by commas"),
        (b"external_id\tmodel_version\n1\tm\n", "separated by tabs, not by commas"),
        ("text,label\nfür,refund\n".encode("cp1252"), "not UTF-8 (the byte 0xFC does not belong there)"),
        ("text,label\nfür,refund\n".encode("cp1252"), "iconv -f WINDOWS-1252 -t UTF-8 "),
        ("text,label\nfür,refund\n".encode("utf-16"), "It is UTF-16. Save it as “CSV UTF-8”"),
        (b"text,label,\nfor,refund,1\n", "column 3 has no name"),
        (b"text,label,text\nfor,refund,1\n", "two columns “text”"),
        (b"text,label\nfor,refund\na,b,c\n", "row 2: there are more values than columns"),
    ],
)
def test_what_a_spreadsheet_saved_otherwise_is_said_with_its_remedy(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(Invalid) as refusal:
        list(read_rows(tmp_path / "rows.csv"))
    assert sentence in str(refusal.value)


def test_rows_count_from_1_in_each_kind_of_file_and_empty_lines_do_not_count(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b"}]
    (tmp_path / "rows.csv").write_bytes(b"\xef\xbb\xbftext\r\na\r\n\r\nb\r\n")
    (tmp_path / "rows.jsonl").write_text("\n".join(["", *map(json.dumps, rows)]), encoding="utf-8")
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    for name in ("rows.csv", "rows.jsonl", "rows.parquet"):
        assert list(read_rows(tmp_path / name)) == [(1, rows[0]), (2, rows[1])], name


def test_parquet_without_pyarrow_is_refused_naming_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(Invalid, match=r"rows\.parquet: Parquet needs pyarrow.*pip install 'goldloop\[parquet\]'"):
        list(read_rows(tmp_path / "rows.parquet"))
    with pytest.raises(Invalid, match=r"This export: Parquet needs pyarrow.*, or use CSV or JSON Lines\."):
        as_parquet(iter([]), {})


@pytest.mark.parametrize(
    ("line", "sentence"), [("{", "row 2 (line 4): this is not JSON"), ("3", "row 2 (line 4): each line must be an obj")]
)
def test_a_broken_line_is_named_by_row_and_line(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "rows.jsonl").write_text(f'\n{{"text": "a"}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(Invalid) as refusal:
        list(read_rows(tmp_path / "rows.jsonl"))
    assert sentence in str(refusal.value)


def test_a_seed_file_in_other_words_is_told_apart_from_one_that_lacks_a_column(tmp_path: Path) -> None:
    file = tmp_path / "seed.csv"
    for names, sentence in ((("body", "label"), "Did you mean text?"), (("text", "x"), "The column label is missing.")):
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([names, ("a", "b")])
        with pytest.raises(Invalid) as refusal:
            labelled_rows(file)
        assert sentence in str(refusal.value)
