"""Retry-After (RFC 9110): the time for which the other side asks not to be called again."""

from math import ceil

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

LONGEST = 3600  # seconds; longer requests are cut to this

_HEADER = Retry(retry_after_max=LONGEST)


def seconds_asked(header: str | None) -> int | None:
    """Whole seconds from now, at most `LONGEST`; None if the header is neither a number nor a date."""
    if header is None:
        return None
    try:
        return ceil(_HEADER.parse_retry_after(header))
    except (InvalidHeader, ValueError, OverflowError):  # the last two: thousands of digits, impossible dates
        return None
