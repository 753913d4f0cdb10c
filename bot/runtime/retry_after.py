"""Retry-After (RFC 9110): how long the other side asks not to be called again."""

from math import ceil

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

LONGEST = 3600  # seconds; a side that asks for more is called again after that

_HEADER = Retry(retry_after_max=LONGEST)


def seconds_asked(header: str | None) -> int | None:
    """Whole seconds from now, at most `LONGEST`; None where the header is neither a number nor a date."""
    if header is None:
        return None
    try:
        return ceil(_HEADER.parse_retry_after(header))
    except (InvalidHeader, ValueError, OverflowError):  # the last two: thousands of digits, dates of no calendar
        return None
