"""What the other side asks for in Retry-After, whatever it writes there."""

import pytest

from bot.retry_after import LONGEST, seconds_asked


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("0", 0), ("999999999", LONGEST), (None, None), ("", None), ("²", None), ("٣", None),
        ("-1", None), ("1.5", None), ("9" * 5000, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)  # fmt: skip
def test_it_is_a_number_of_seconds_or_nothing(header: str | None, seconds: int | None) -> None:
    assert seconds_asked(header) == seconds
