"""The clock: the only module that reads it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
