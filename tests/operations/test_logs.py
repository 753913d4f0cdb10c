"""The log: JSON with the request's id and the item's number, no text of a ticket at INFO, never a token."""

import io
import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from bot.observability.log_context import bound
from bot.observability.logs import masked, set_up_logging
from bot.slack.delivery.deliver import log_failure
from bot.slack.errors import NotYetError, sorted_failure
from tests.loop import Loop

pytestmark = pytest.mark.usefixtures("sqlite_only")
SECRET_WORDS = "my dog ate the invoice of auntie Berta"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What goes to the log, as the console script sets it up; the tests' own handlers come back afterwards."""
    root = logging.getLogger()
    former, level, stream = root.handlers[:], root.level, io.StringIO()
    root.handlers = []
    set_up_logging(as_json=True, stream=stream)
    yield stream
    root.handlers, root.level = former, level


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_field_is_a_field_and_a_traceback_one_line(written: io.StringIO) -> None:
    logging.getLogger("bot.x").info("Message not delivered", extra={"posting": 3, "reason": "is_archived"})
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("bot.x").exception("Periodic task failed")
    first, second = lines(written)
    assert (first["event"], first["posting"], first["reason"]) == ("Message not delivered", 3, "is_archived")
    assert (first["level"], first["logger"]) == ("info", "bot.x")
    assert str(first["timestamp"]).endswith("Z")
    assert datetime.fromisoformat(str(first["timestamp"])).utcoffset() == timedelta()
    assert "ValueError: no" in str(second["exception"])


def test_a_message_that_only_waits_for_another_is_no_line_at_info(written: io.StringIO) -> None:
    log_failure(sorted_failure(NotYetError("its report is not posted yet")), {"posting": 3})
    log_failure(sorted_failure(ConnectionError()), {"posting": 4})
    assert [line["posting"] for line in lines(written)] == [4]


def test_for_people_the_fields_stand_behind_the_message(written: io.StringIO) -> None:
    stream = io.StringIO()
    logging.getLogger().handlers = []
    set_up_logging(as_json=False, stream=stream)
    with bound(request="0123456789ab"):
        logging.getLogger("bot.x").info("refused", extra={"code": "not_allowed", "token": "xoxb-12-34-aBc"})
    logging.getLogger("bot.x").info("it runs")
    words = " ".join(stream.getvalue().split())
    assert "refused request=0123456789ab code=not_allowed token=[secret]" in words
    assert words.endswith("it runs")


def test_in_a_file_a_record_is_one_line_however_long(written: io.StringIO) -> None:
    logging.getLogger().handlers = []
    set_up_logging(as_json=False, stream=written)
    logging.getLogger("bot.x").warning("Message not delivered to %s", "a channel " * 40, extra={"posting": 3})
    [line] = written.getvalue().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} WARNING Message not delivered", line)
    assert line.endswith("a channel   posting=3")


def test_a_whole_review_leaves_no_text_in_the_log_and_each_line_has_its_request(
    loop: Loop, written: io.StringIO
) -> None:
    loop.predict("T-1", SECRET_WORDS, {"delivery": 0.5, "refund": 0.4})
    card = loop.card(SECRET_WORDS)
    assert loop.ana.click(card, "refund").ok
    loop.dan.click(card, "refund")  # may not: a refusal is logged
    loop.told(loop.dan, "Only reviewers of")
    refused = [line for line in lines(written) if line["event"] == "Request refused"]
    assert refused
    assert all(len(str(line["request"])) == 12 and line["kind"] == "block_actions" for line in refused)
    assert all(line["subject"] == 1 for line in refused)
    assert SECRET_WORDS not in written.getvalue()
    assert "xoxb-" not in written.getvalue()


def test_the_values_of_a_failed_statement_are_left_out(loop: Loop, written: io.StringIO) -> None:
    try:
        with loop.database.transaction() as session:
            session.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": SECRET_WORDS})
    except Exception:
        logging.getLogger("bot.x").exception("Periodic task failed")
    assert "nowhere" in written.getvalue()
    assert SECRET_WORDS not in written.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-12-34-aBc", "xapp-1-A0-77-ff", "goldloop_" + "a1B2-_" * 7, "Bearer abcdefgh.ijk", "v0=" + "0f" * 32,
        "postgresql://ann:pass-word@host/db", "https://hooks.slack.com/actions/T0/1/abc",
    ],
)  # fmt: skip
def test_whatever_looks_like_a_secret_is_masked(secret: str, written: io.StringIO) -> None:
    logging.getLogger("bot.x").warning("it was %s.", secret, extra={"address": secret})
    tail = secret.split("@")[0].split("://")[-1].removeprefix("hooks.slack.com/").removeprefix("Bearer ").lstrip("v0=")
    assert tail not in written.getvalue()
    assert "[secret]" in written.getvalue()


def test_what_is_no_secret_stays() -> None:
    words = "goldloop_posting 7 in sqlite:///goldloop.sqlite at https://slack.com/api/: bearer of news"
    assert masked(words) == words


def test_a_reader_that_has_gone_ends_nothing() -> None:
    read, write = os.pipe()
    logging.getLogger().handlers = []
    with os.fdopen(write, "w", buffering=1) as stream:
        set_up_logging(as_json=False, stream=stream)
        os.close(read)
        for _ in range(3):
            logging.getLogger("bot.x").warning("refused")
        with suppress(OSError):
            stream.close()


def test_what_asyncio_says_thousands_of_times_is_written_once_a_minute(written: io.StringIO) -> None:
    for _ in range(1000):
        logging.getLogger("asyncio").error("socket.accept() out of system resource\nsocket: <x>")
    logging.getLogger("bot.x").warning("another thing")
    assert [str(line["event"])[:15] for line in lines(written)] == ["socket.accept()", "another thing"]
