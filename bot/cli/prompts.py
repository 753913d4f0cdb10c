"""Prompts in the terminal, and parsers for the answers. A parser raises Invalid with a sentence."""

import re
from collections.abc import Callable
from typing import TypeVar
from zoneinfo import available_timezones

import typer

from core.errors import Invalid

T = TypeVar("T")


def option_or_prompt(
    given: str, question: str, option: str, parse: Callable[[str], str], default: str | None = None
) -> str:
    return parse(given) if given else prompt(question, option, parse, default)


def prompt(question: str, option: str, parse: Callable[[str], T], default: str | None = None) -> T:
    """Ask until the answer is valid. Raises Invalid, naming the option to use, if the input ends."""
    while True:
        try:
            answer = typer.prompt(question, default=default, show_default=bool(default))
        except typer.Abort:
            raise Invalid(f"No file was written: {option} is missing and there was no answer.") from None
        try:
            return parse(str(answer))
        except Invalid as problem:
            typer.echo(str(problem))


def parse_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text.strip()):
        raise Invalid(f"“{text}” is not a valid name: use lowercase letters, digits, - and _, at most 40 characters.")
    return text.strip()


def parse_id(text: str) -> str:
    found = text.strip()
    if not re.fullmatch(r"[A-Z0-9_]{2,80}", found):
        raise Invalid(
            f"“{found}” is not a Slack id such as C0123ABCD. Slack shows it in the details of a channel or a profile."
        )
    return found


def parse_ids(texts: list[str]) -> tuple[str, ...]:
    return tuple(parse_id(text) for text in texts)


def parse_optional_ids(text: str) -> tuple[str, ...]:
    return parse_ids(_parts(text))


def parse_required_ids(text: str) -> tuple[str, ...]:
    return parse_ids(_parts(text)) or _refuse("Enter at least one lead.")


def parse_time_zone(text: str) -> str:
    if text.strip() not in available_timezones():
        raise Invalid(f"“{text}” is not a time zone. Use an IANA name such as Europe/Berlin.")
    return text.strip()


def parse_labels(text: str) -> tuple[str, ...]:
    labels = tuple(_parts(text))
    return labels if len(labels) > 1 else _refuse("Enter at least two labels.")


def _refuse(sentence: str) -> tuple[str, ...]:
    raise Invalid(sentence)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
