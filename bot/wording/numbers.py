"""Numbers as people read them: one sign for minus, no space before %."""

from collections.abc import Mapping

MINUS = "\u2212"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: float) -> str:
    """0.8 as 80%, 0.995 as 99.5%."""
    return f"{round(share * 100, 1):g}%"


def points(share: float) -> str:
    """A difference that is not negative, in percentage points."""
    return f"{share * 100:.1f} points"


def signed(share: float) -> str:
    """A difference in percentage points, with its sign."""
    return f"{share * 100:+.1f}".replace("-", MINUS)


def counted(counts: Mapping[str, int], most: int = 10) -> str:
    """Names with their counts, highest first: “spam” (12), “parcel” (1) and 3 more."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"“{name}” ({count:,})" for name, count in ranked[:most])
    return named + (f" and {len(ranked) - most} more" if len(ranked) > most else "")
