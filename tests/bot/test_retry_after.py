"""What the other side asks for in Retry-After, whatever it writes there."""

from datetime import UTC, datetime

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.runtime.retry_after import LONGEST, seconds_asked
from bot.slack.errors import sorted_failure


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("0", 0), ("999999999", LONGEST), (None, None), ("", None), ("²", None), ("٣", None),
        ("-1", None), ("1.5", None), ("9" * 5000, None), ("Tue, 24 Nov 2026 09:01:00 GMT", 60),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0), ("Tue, 24 Nov 2099 08:00:00 GMT", LONGEST), ("Tue, 99 Nov", None),
        ("Tuesday, 24-Nov-26 09:00:30 GMT", 30), ("Tue, 24 Nov 0001 00:00:00 +2359", 0),
    ],
)  # fmt: skip
def test_it_is_a_number_of_seconds_or_a_date_or_nothing(header: str | None, seconds: int | None) -> None:
    assert seconds_asked(header, datetime(2026, 11, 24, 9, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(("header", "least", "most"), [("7", 7, 7), ("", 1, 1), ("soon", 1, 1), (None, 1, 1)])
def test_slack_is_left_alone_whatever_it_writes_there(header: str | None, least: float, most: float) -> None:
    headers = {} if header is None else {"Retry-After": header}
    answer = SlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data={"ok": False, "error": "ratelimited"},
        headers=headers, status_code=429,
    )  # fmt: skip
    failure = sorted_failure(SlackApiError("no", answer))
    assert failure.retry_after is not None
    assert least <= failure.retry_after <= most
