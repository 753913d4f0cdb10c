"""Array literals: lists of values in the form in which PostgreSQL reads an array from a text. psycopg would write each
value by itself; here all values of a list are joined and escaped together, which takes a tenth of the time.

Source: PostgreSQL's documentation, Arrays, "Array Input and Output Syntax".
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

BETWEEN = "\0"  # no text that PostgreSQL can store has it


def literal_of_texts(texts: Sequence[str | None]) -> str:
    """Texts; None becomes NULL. Raises ValueError if a text has a NUL."""
    if None in texts:
        return f"{{{','.join('NULL' if text is None else _quoted([text], 1) for text in texts)}}}"
    return f"{{{_quoted(texts, len(texts))}}}"  # type: ignore[arg-type] # mypy does not see that none is None


def literal_of_documents(values: Sequence[Any]) -> str:
    """Values as JSON; None becomes NULL."""
    return literal_of_texts([None if value is None else to_json(value).decode() for value in values])


def literal_of_others(values: Sequence[Any]) -> str:
    """Numbers, booleans and times, which are written in an array as they are in JSON."""
    return f"{{{to_json(values).decode()[1:-1]}}}"


def _quoted(texts: Iterable[str], count: int) -> str:
    joined = BETWEEN.join(texts)
    if joined.count(BETWEEN) != count - 1:
        raise ValueError("A text has a NUL, which PostgreSQL cannot store.")
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace(BETWEEN, '","')
    return f'"{escaped}"'
