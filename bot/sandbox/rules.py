"""The kinds of rules in Block Kit, and how each is checked. The rules themselves are the tables in block_kit.py.

`check` adds Slack's sentences with JSON pointers, e.g. "must be less than 76 characters
[json-pointer:/blocks/0/elements/0/text/text]".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from re import fullmatch
from typing import Protocol


class Rule(Protocol):
    def check(self, value: object, at: str, errors: list[str]) -> None: ...


def say(errors: list[str], sentence: str, at: str) -> None:
    errors.append(f"{sentence} [json-pointer:{at}]")


@dataclass(frozen=True)
class Anything:
    """A rule that accepts any value."""

    def check(self, value: object, at: str, errors: list[str]) -> None:
        return


@dataclass(frozen=True)
class Flag:
    def check(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, bool):
            say(errors, "must be a boolean", at)


@dataclass(frozen=True)
class String:
    most: int
    least: int = 0
    pattern: str = ""

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, str):
            say(errors, "must be a string", at)
        elif len(value) > self.most:
            say(errors, f"must be less than {self.most + 1} characters", at)
        elif len(value) < self.least:
            say(errors, f"must be more than {self.least - 1} characters", at)
        elif self.pattern and not fullmatch(self.pattern, value):
            say(errors, "must be a valid value", at)


@dataclass(frozen=True)
class Number:
    low: int
    high: int

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            say(errors, "must be an integer", at)
        elif not self.low <= value <= self.high:
            say(errors, f"must be between {self.low} and {self.high}", at)


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if value not in self.values:
            say(errors, f"must be a valid enum value ({', '.join(self.values)})", at)


@dataclass(frozen=True)
class Text:
    """A text object with a maximum length."""

    most: int
    kinds: tuple[str, ...] = ("plain_text", "mrkdwn")

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            say(errors, "must be an object", at)
        elif value.get("type") not in self.kinds:
            say(errors, f"must be {' or '.join(self.kinds)}", f"{at}/type")
        else:
            String(self.most, 1).check(value.get("text"), f"{at}/text", errors)


@dataclass(frozen=True)
class Things:
    """A list with a maximum length, whose entries follow one rule."""

    each: Rule
    most: int
    least: int = 1

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            say(errors, "must be an array", at)
            return
        if len(value) > self.most:
            say(errors, f"no more than {self.most} items allowed", at)
        if len(value) < self.least:
            say(errors, f"no less than {self.least} item{'s' if self.least > 1 else ''} allowed", at)
        for index, entry in enumerate(value):
            self.each.check(entry, f"{at}/{index}", errors)


@dataclass(frozen=True)
class Fields:
    """An object. may: its properties with their rules; must: the required ones; one_of: properties of which at least
    one is required."""

    may: Mapping[str, Rule]
    must: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    only: bool = True  # other properties are errors

    def check(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            say(errors, "must be an object", at)
            return
        for name in self.must:
            if value.get(name) is None:
                say(errors, f"missing required field: {name}", at)
        if self.one_of and all(value.get(name) is None for name in self.one_of):
            say(errors, f"must define either {' or '.join(self.one_of)}", at)
        for name, entry in value.items():
            if name in self.may:
                if entry is not None:
                    self.may[name].check(entry, f"{at}/{name}", errors)
            elif self.only:
                say(errors, f"invalid additional property: {name}", at)


@dataclass(frozen=True)
class Typed:
    """One of several kinds of object, distinguished by `type`."""

    kinds: Mapping[str, Rule]
    only: tuple[str, ...] = field(default=())  # the kinds that are allowed here; empty: all

    def check(self, value: object, at: str, errors: list[str]) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            say(errors, "must be an object", at)
        elif kind is None:
            say(errors, "missing required field: type", at)
        elif kind not in self.kinds or (self.only and kind not in self.only):
            say(errors, f"unsupported type: {kind}", f"{at}/type")
        else:
            self.kinds[kind].check(value, at, errors)
