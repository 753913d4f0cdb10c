"""Retries of calls: when a call is repeated, and after how long."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

WORTH_REPEATING = (429, 502, 503, 504)
LONGEST_PAUSE = 30.0  # seconds, unless the server asks for more
LONGEST_ASKED = 3600.0  # seconds; longer requests of the server are cut to this


def pause_after(attempt: int, asked: str | None, now: datetime, chance: float) -> float:
    """The pause in seconds: the server's Retry-After, or else doubling with each attempt (from 1), shortened by up to
    half so that senders do not retry at the same time. chance: in [0, 1)."""
    seconds = seconds_asked(asked, now)
    if seconds is not None:
        return seconds
    return min(LONGEST_PAUSE, 0.25 * 2.0**attempt) * (0.5 + chance / 2)


def seconds_asked(header: str | None, now: datetime) -> float | None:
    """Retry-After (RFC 9110) in seconds from now, in [0, LONGEST_ASKED]; None if it is neither a number nor a date."""
    if header is None:
        return None
    written = header.strip()
    try:
        seconds = int(written) if written.isascii() and written.isdigit() else _seconds_until(written, now)
        return float(min(LONGEST_ASKED, max(0, seconds)))
    except (ValueError, OverflowError):  # too many digits, or an impossible date
        return None


def _seconds_until(date: str, now: datetime) -> float:
    due = parsedate_to_datetime(date)
    return ((due if due.tzinfo else due.replace(tzinfo=UTC)) - now).total_seconds()
