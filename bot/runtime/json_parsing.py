"""Parsing of JSON from outside."""

import json
from typing import Any

from pydantic_core import from_json


def read_json(text: bytes) -> Any:
    """Parse what json.loads parses, but faster. Raises ValueError, or RecursionError if it is nested too deeply."""
    try:
        return from_json(text)
    except ValueError:  # json.loads also takes lone surrogates, and its errors are clearer
        return json.loads(text)
