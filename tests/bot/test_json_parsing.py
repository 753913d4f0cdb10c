"""JSON of others is read as Python reads it, only faster."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.json_parsing import has_more_values, read_json

texts = st.text(st.characters(codec=None))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


@pytest.mark.slow
@given(values)
def test_what_python_writes_is_read_as_it_was(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "text", [b"\xef\xbb\xbf{}", b'"\\ud800"', b'{"a": 1, "a": 2}', b"[" * 300 + b"]" * 300, b"1e400"]
)
def test_what_only_python_takes_is_taken(text: bytes) -> None:
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize("text", [b"", b"{} x", b'"a\tb"', b"[1,]", b'"\xff"', b"9" * 5000])
def test_what_is_wrong_is_said_as_python_says_it(text: bytes) -> None:
    with pytest.raises(ValueError) as expected:  # noqa: PT011
        json.loads(text)
    with pytest.raises(ValueError) as found:  # noqa: PT011
        read_json(text)
    assert str(found.value) == str(expected.value)


def test_what_is_nested_too_deeply_is_no_crash() -> None:
    depth = sys.getrecursionlimit() * 50
    with pytest.raises(RecursionError):
        read_json(b"[" * depth + b"]" * depth)


def before_values(value: object) -> int:
    """Brackets and commas, counted in the parsed value."""
    if not isinstance(value, list | dict):
        return 0
    inside = value if isinstance(value, list) else value.values()
    return 1 + max(0, len(value) - 1) + sum(map(before_values, inside))


@pytest.mark.slow
@given(values)
def test_values_are_counted_without_parsing(value: object) -> None:
    text, count = json.dumps(value).encode(), before_values(value)
    assert not has_more_values(text, count)
    assert count == 0 or has_more_values(text, count - 1)


@pytest.mark.parametrize(
    ("text", "more"), [(b'"' + b'\\"' * 1_000_000, False), (b'"[' * 1_000_001, True), (b"\\" * 1_000_000 + b"[[", True)]
)
def test_counting_takes_a_time_linear_in_the_text(text: bytes, more: bool) -> None:
    assert has_more_values(text + b",,", 1) is more
