"""What is written to the log, and how: for people by Rich, or a JSON object a line with GOLDLOOP_LOG=json.

Two things never reach it, whoever logs: tokens and passwords, by their shape; and the values of a failed statement,
among which are people's texts.
"""

import logging
import math
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from rich.console import Console
from rich.logging import RichHandler

SECRETS = (
    re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+"),
    re.compile(r"\bgoldloop_[A-Za-z0-9_-]{20,}"),  # a token of our own API
    re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"),  # user and password of an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=\bv0=)[0-9a-f]{64}"),
    re.compile(r"(?<=hooks\.slack\.com/)\S+"),  # whoever has a response_url can write with it
)
VALUES = re.compile(r"\[parameters: .*|^DETAIL:.*", re.MULTILINE)  # of SQLAlchemy, of PostgreSQL
NOTHING = "`token` will be unused"  # Bolt says it at each start, having found in the environment what we gave it
NO_CONNECTION = "socket.accept() out of system resource"
NOISY = ("alembic.runtime", "httpx", "slack_bolt", "slack_sdk")  # at INFO they say nothing that an operator needs


def set_up_logging(as_json: bool, stream: TextIO | None = None) -> None:
    """For the whole process; called once, by the console script."""
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
    """asyncio says with a traceback, thousands of times a second, that a process has no connection left: once a minute
    is enough."""

    def __init__(self) -> None:
        self._said = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith(NO_CONNECTION):
            return True
        is_due = record.created - self._said >= 60
        self._said = record.created if is_due else self._said
        return is_due


class _Masking(logging.Formatter):
    """Message and traceback without what must not be there, for whatever formatter is inside."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return masked(self._inner.format(record))


def _plain_handler(stream: TextIO) -> logging.Handler:
    handler = RichHandler(console=_Steady(file=stream), show_path=False)
    handler.setFormatter(_Masking(_WithFields("%(message)s")))
    return handler


class _Steady(Console):
    """Rich ends the process where nobody reads its output any more; a log that is lost is no reason for that."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class _WithFields(logging.Formatter):
    """The message, and after it what JSON would have as fields of their own."""

    OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        fields = structlog.contextvars.get_contextvars() | vars(record)
        said = " ".join(f"{name}={value}" for name, value in fields.items() if name not in self.OF_EVERY_RECORD)
        return super().formatMessage(record) + (f"  {said}" if said else "")


def _json_handler(stream: TextIO) -> logging.Handler:
    """`extra={…}` of the standard library and what is bound to the request become fields."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask_each,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    return handler


def _mask_each(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Before it becomes JSON: there a line's end is no end any more."""
    return {key: value if isinstance(value, int | float | None) else masked(str(value)) for key, value in event.items()}
