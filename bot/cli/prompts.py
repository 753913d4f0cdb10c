"""Questions in the terminal, and what their answers may look like. Readers raise Invalid with a sentence."""

import re
from collections.abc import Callable
from typing import TypeVar
from zoneinfo import available_timezones

import typer

from core.errors import Invalid

T = TypeVar("T")


def given_or_asked(
    given: str, question: str, option: str, read: Callable[[str], str], default: str | None = None
) -> str:
    return read(given) if given else asked(question, option, read, default)


def asked(question: str, option: str, read: Callable[[str], T], default: str | None = None) -> T:
    """Asks again until the answer can be read."""
    while True:
        try:
            answer = typer.prompt(question, default=default, show_default=bool(default))
        except typer.Abort:
            raise Invalid(f"Nothing was written: {option} is not given, and nobody answered.") from None
        try:
            return read(str(answer))
        except Invalid as problem:
            typer.echo(str(problem))


def read_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text.strip()):
        raise Invalid(f"“{text}”: use small letters, digits, - and _, at most 40.")
    return text.strip()


def read_id(text: str) -> str:
    found = text.strip()
    if not re.fullmatch(r"[A-Z0-9_]{2,80}", found):
        raise Invalid(
            f"“{found}” is no id. Slack shows it under the channel's or the person's details, e.g. C0123ABCD."
        )
    return found


def read_ids(texts: list[str]) -> tuple[str, ...]:
    return tuple(read_id(text) for text in texts)


def read_ids_or_none(text: str) -> tuple[str, ...]:
    return read_ids(_parts(text))


def read_some_ids(text: str) -> tuple[str, ...]:
    return read_ids(_parts(text)) or _refuse("At least one lead is needed.")


def read_zone(text: str) -> str:
    if text.strip() not in available_timezones():
        raise Invalid(f"“{text}” is no time zone. Write it as Europe/Berlin.")
    return text.strip()


def read_labels(text: str) -> tuple[str, ...]:
    labels = tuple(_parts(text))
    return labels if len(labels) > 1 else _refuse("At least two labels are needed.")


def _refuse(sentence: str) -> tuple[str, ...]:
    raise Invalid(sentence)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
