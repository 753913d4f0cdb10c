"""Parsing of Retry-After, valid or not."""

from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.runtime.retry_after import LONGEST, seconds_asked
from bot.slack.errors import sorted_failure


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("0", 0), ("999999999", LONGEST), (None, None), ("", None), ("²", None), ("٣", None),
        ("-1", None), ("1.5", None), ("9" * 5000, None), ("Tue, 24 Nov 1998 08:00:00 GMT", 0),
        ("Tue, 24 Nov 2099 08:00:00 GMT", LONGEST), ("Tue, 99 Nov", None), ("Tuesday, 24-Nov-98 09:00:30 GMT", 0),
        ("Tue, 24 Nov 0001 00:00:00 +2359", 0), ("Tue, 24 Nov 999999999999999999 08:00:00 GMT", None),
    ],
)  # fmt: skip
def test_it_is_a_number_of_seconds_or_a_date_or_nothing(header: str | None, seconds: int | None) -> None:
    assert seconds_asked(header) == seconds


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT"])
def test_a_date_counts_from_now(form: str) -> None:
    asked = seconds_asked((datetime.now(UTC) + timedelta(seconds=60)).strftime(form))
    assert asked is not None
    assert 50 <= asked <= 60  # the date has no fraction of a second, and reading it takes a moment


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
