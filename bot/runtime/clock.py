"""The one place that reads the clock."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
