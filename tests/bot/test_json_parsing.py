"""JSON of others is read as Python reads it, only faster."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.json_parsing import read_json

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
