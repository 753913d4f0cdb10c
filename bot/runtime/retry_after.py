"""How long the other side asks to be left alone."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600  # seconds; whoever asks for more is asked again after that


def seconds_asked(header: str | None, now: datetime) -> int | None:
    """Of Retry-After, a number of seconds or a date (RFC 9110): None where it says neither."""
    if header is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header, re.ASCII):
        return min(int(header), LONGEST)
    until = _date(header)
    return None if until is None else max(0, min(round((until - now).total_seconds()), LONGEST))


def _date(header: str) -> datetime | None:
    try:
        said = parsedate_to_datetime(header[:100])
        return said.replace(tzinfo=said.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
