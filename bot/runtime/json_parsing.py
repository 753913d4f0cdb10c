"""Parsing of JSON from outside."""

import json
import re
from itertools import islice
from typing import Any

from pydantic_core import from_json

TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)  # a string, closed or not, is skipped in one step
QUOTE = ord('"')


def has_more_values(text: bytes, most: int) -> bool:
    """Whether JSON has more than `most` values, each counted by the bracket or comma before it. Nothing is parsed,
    because empty lists as Python objects take thirty times as much memory as their text."""
    if sum(map(text.count, (b"[", b"{", b","))) <= most:
        return False  # not even if those inside strings count
    before_values = (found for found in TOKENS.finditer(text) if text[found.start()] != QUOTE)
    return next(islice(before_values, most, None), None) is not None


def read_json(text: bytes) -> Any:
    """Parse JSON as json.loads does, but faster. Raises ValueError, or RecursionError if it is nested too deeply."""
    try:
        return from_json(text)
    except ValueError:  # json.loads also takes lone surrogates, and its errors are clearer
        return json.loads(text)
