"""The clock. No other module reads the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
