"""Logging: readable lines by Rich in a terminal, one plain line per record in a file, and one JSON object per line with
GOLDLOOP_LOG=json.

Tokens and passwords, recognised by their form, and the parameters of failed SQL statements, which contain people's
texts, are removed from every record.
"""

import json
import logging
import math
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from bot.observability.log_context import bound_fields

SECRETS = (
    re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+"),
    re.compile(r"\bgoldloop_[A-Za-z0-9_-]{20,}"),  # a token of Goldloop's API
    re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"),  # user and password of an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=\bv0=)[0-9a-f]{64}"),
    re.compile(r"(?<=hooks\.slack\.com/)\S+"),  # anyone who has a response_url can post to it
)
VALUES = re.compile(r"\[parameters: .*|^DETAIL:.*", re.MULTILINE)  # in messages of SQLAlchemy and of PostgreSQL
NOTHING = "`token` will be unused"  # Bolt logs this at each start, because the token is in the environment too
NO_CONNECTION = "socket.accept() out of system resource"
OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
NOISY = ("alembic.runtime", "httpx", "slack_bolt", "slack_sdk")  # their INFO records are of no use to an operator


def set_up_logging(as_json: bool, stream: TextIO | None = None) -> None:
    """Configure logging for the process. Called once, by the console script."""
    handler = _json_handler(stream or sys.stderr) if as_json else _plain_handler(stream or sys.stderr)
    handler.addFilter(lambda record: NOTHING not in record.getMessage())
    handler.addFilter(_Seldom())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def masked(text: str) -> str:
    for secret in SECRETS:
        text = secret.sub("[secret]", text)
    return VALUES.sub("[values left out]", text)


class _Seldom:
    """A filter for records about a process that is out of connections: it passes one a minute, because asyncio logs
    thousands a second, each with a traceback."""

    def __init__(self) -> None:
        self._said = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith(NO_CONNECTION):
            return True
        is_due = record.created - self._said >= 60
        self._said = record.created if is_due else self._said
        return is_due


class _Masking(logging.Formatter):
    """A formatter that masks secrets in another formatter's message and traceback."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return masked(self._inner.format(record))


def _plain_handler(stream: TextIO) -> logging.Handler:
    """A handler of plain lines. Rich is used only in a terminal: elsewhere it would wrap lines at 80 characters, and a
    search would miss words."""
    if stream.isatty():
        from bot.observability.terminal_log import terminal_handler

        handler = terminal_handler(stream)
        handler.setFormatter(_Masking(_WithFields("%(message)s")))
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(_Masking(_WithFields("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")))
    return handler


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """The fields of the record's `extra`."""
    return {name: value for name, value in vars(record).items() if name not in OF_EVERY_RECORD}


class _WithFields(logging.Formatter):
    """A formatter that appends the fields of the context and of the record to the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        said = " ".join(f"{name}={value}" for name, value in {**bound_fields(), **_fields(record)}.items())
        return super().formatMessage(record) + (f"  {said}" if said else "")


def _json_handler(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_AsJson())
    return handler


class _AsJson(logging.Formatter):
    """A formatter to a JSON object that includes the fields of the context and of the record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(), **bound_fields(), "level": record.levelname.lower(), "logger": record.name,
            **_fields(record), "timestamp": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        }  # fmt: skip
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: _masked_value(value) for name, value in line.items()}, ensure_ascii=False)


def _masked_value(value: object) -> int | float | str | None:
    """The value, masked before it becomes JSON: there line breaks are escaped, and the patterns would not match."""
    return value if isinstance(value, int | float | None) else masked(str(value))
