"""PostgreSQL reads array literals as the lists that they were written from."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.storage.array_literals import literal_of_documents, literal_of_others, literal_of_texts
from core.storage.database import Database

odd = st.sampled_from(['"', "\\", '\\"', "{", "}", ",", "NULL", "null", "", " ", "\n\t\\n", "’", "😀"])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | odd
documents = st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False) | texts | st.none(), max_size=3)
AT = datetime(2026, 11, 30, 9, 30, 0, 250, tzinfo=UTC)


def read(database: Database, literal: str, of_type: str) -> Any:
    with database.reading() as session:
        return session.scalar(text(f"SELECT CAST(:literal AS {of_type}[])"), {"literal": literal})


@pytest.mark.slow
@settings(max_examples=300)
@given(found=st.lists(texts | st.none(), min_size=1, max_size=6))
def test_texts_come_back(postgresql_database: Database, found: list[str | None]) -> None:
    assert read(postgresql_database, literal_of_texts(found), "TEXT") == found


@pytest.mark.slow
@settings(max_examples=300)
@given(found=st.lists(documents | st.none(), min_size=1, max_size=4))
def test_documents_come_back(postgresql_database: Database, found: list[dict[str, Any] | None]) -> None:
    literal = literal_of_documents(found)
    assert read(postgresql_database, literal, "JSON") == found


@pytest.mark.parametrize(
    ("found", "of_type"),
    [
        ([0.1, None, 1e-300, -0.0, 1 / 3], "DOUBLE PRECISION"),
        ([1, None, 2**62], "BIGINT"),
        ([True, None, False], "BOOLEAN"),
        ([AT, None], "TIMESTAMP WITH TIME ZONE"),
        ([None, None], "INTEGER"),
    ],
    ids=["floats", "integers", "booleans", "times", "none"],
)
def test_others_come_back(postgresql_database: Database, found: list[Any], of_type: str) -> None:
    assert read(postgresql_database, literal_of_others(found), of_type) == found


@pytest.mark.parametrize("found", [["a\0b"], ["a", "b\0"], [None, "\0"]])
def test_a_nul_is_refused_and_moves_no_text_to_another_row(found: list[str | None]) -> None:
    with pytest.raises(ValueError, match="A text has a NUL"):
        literal_of_texts(found)
