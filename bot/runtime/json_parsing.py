"""Parsing of JSON from outside."""

import json
import re
from itertools import islice
from typing import Any

from pydantic_core import from_json

TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)  # a text, open or closed, is passed over in one step
QUOTE = ord('"')


def has_more_values(text: bytes, most: int) -> bool:
    """Whether JSON has more than `most` values, each counted by the bracket or the comma before it. Nothing is parsed:
    as Python objects, empty lists take thirty times as much memory as their text."""
    if sum(map(text.count, (b"[", b"{", b","))) <= most:
        return False  # not even with those inside texts
    before_values = (found for found in TOKENS.finditer(text) if text[found.start()] != QUOTE)
    return next(islice(before_values, most, None), None) is not None


def read_json(text: bytes) -> Any:
    """Parse what json.loads parses, but faster. Raises ValueError, or RecursionError if it is nested too deeply."""
    try:
        return from_json(text)
    except ValueError:  # json.loads also takes lone surrogates, and its errors are clearer
        return json.loads(text)
