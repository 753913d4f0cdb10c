"""The first policy file: the operator's answers, and every other setting as a comment with its default.

Settings and comments come from the policy's own classes, so the file is always complete.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.files.tables import labelled_rows
from core.errors import Invalid
from core.policy import QueuePolicy
from core.policy.file import parse_policy

HEAD = """\
# Goldloop's policy: people, labels and thresholds. `goldloop docs policy` describes every setting.
# Run `goldloop policy reload` after changing this file.
# Settings behind a # have the default shown; remove the # to change one.
"""
EXAMPLES = {"cron": "0 3 * * mon"}  # example values of settings without a default


@dataclass(frozen=True)
class Answers:
    """The settings without a default. Channels, people and user groups are Slack ids. Without reviewers, all members of
    the channel review; without admins, leads have their rights."""

    queue: str
    title: str
    channel: str
    leads_channel: str
    reviewers: tuple[str, ...]
    leads: tuple[str, ...]
    labels: tuple[str, ...]
    time_zone: str
    admins: tuple[str, ...] = ()


def labels_of(file: Path) -> tuple[str, ...]:
    """The labels of a data file (columns text and label), most frequent first. Raises Invalid."""
    return tuple(label for label, _ in Counter(label for _, label in labelled_rows(file)).most_common())


def policy_text(answers: Answers) -> str:
    """The content of the file. Raises Invalid, naming the key, if it would not load."""
    text = "\n".join([HEAD, *_section(answers)]) + "\n"
    parse_policy(tomllib.loads(text), "the policy")
    return text


def write_policy(path: Path, answers: Answers) -> None:
    """Write a new file. Raises Invalid if it exists or cannot be written."""
    text = policy_text(answers)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Invalid(
            f"{path} already exists and was not changed. Edit it, or write a different file with --file."
        ) from None
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.") from None


def _section(answers: Answers) -> Iterator[str]:
    given = {name: value for name, value in vars(answers).items() if name != "queue"}
    yield f"[queues.{answers.queue}]"
    for name, field in QueuePolicy.model_fields.items():
        if name in given:
            yield f"# {field.description}"
            yield f"{name} = {_toml(given[name], indent=4)}"
        elif name != "name" and not _is_section(field):
            yield from _default(name, field)
    for name, field in QueuePolicy.model_fields.items():
        if _is_section(field):
            yield f"\n[queues.{answers.queue}.{name}]"
            for key, inner in _settings(field):
                yield from _default(key, inner)


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _settings(field: FieldInfo) -> Iterable[tuple[str, FieldInfo]]:
    section = field.annotation
    assert isinstance(section, type) and issubclass(section, BaseModel)  # noqa: PT018 - for the type checker
    return section.model_fields.items()


def _default(name: str, field: FieldInfo) -> Iterator[str]:
    yield f"# {field.description}"
    value = field.get_default(call_default_factory=True)
    if value is None:
        yield f"# {name} = {_toml(EXAMPLES[name])}  # example; not set by default"
    else:
        yield f"# {name} = {_toml(value)}"


def _toml(value: object, indent: int | None = None) -> str:
    """A value as TOML. JSON and TOML have the same strings, numbers, booleans and lists. indent: of a long list, with
    one value per line."""
    many = isinstance(value, list | tuple) and len(value) > 3
    text = json.dumps(value, ensure_ascii=False, indent=indent if many else None)
    return text.replace("\x7f", "\\u007f")  # TOML, unlike JSON, requires an escape for this character
