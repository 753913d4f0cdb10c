"""Lines about a changed policy: the differences by section, and what else an operator has to do."""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bot.wording.numbers import MINUS
from core.policy.changes import Change, SectionAdded, SectionRemoved, SettingChanged
from core.policy.integrations import secret_variable

LONG = 80  # characters; longer texts are compared line by line


def change_lines(changes: Iterable[Change]) -> list[str]:
    """The settings that differ, a line each, under the sections of the policy file."""
    lines = []
    for section, found in groupby(changes, lambda change: change.section):
        lines.append(f"[{section}]")
        lines += [f"  {line}" for change in found for line in _lines(change)]
    return lines


def advice(changes: Iterable[Change]) -> list[str]:
    """The further steps for an operator besides the reload: a sentence for each change that needs one."""
    return [sentence for change in changes for sentence in _advice(change)]


def out_of_date(file: Path, version: int) -> str:
    """The sentence about a file that was in force before the present version."""
    return (
        f"{file} is out of date: it was in force before. Version {version} of the policy stays in force. To go back to "
        "the file, run `goldloop policy reload`."
    )


def _lines(change: Change) -> Iterator[str]:
    match change:
        case SectionAdded():
            yield "new"
        case SectionRemoved():
            yield "removed"
        case SettingChanged(setting=setting, before=list() as before, after=list() as after):
            yield f"{setting}: {_of_list(before, after)}"
        case SettingChanged(setting=setting, before=before, after=after) if before == after:
            yield f"{setting}: changed ({after}; the rest is not shown)"
        case SettingChanged(setting=setting, before=str() as before, after=str() as after) if _is_long(before, after):
            yield f"{setting}:"
            yield from _of_text(before, after)
        case SettingChanged(setting=setting, before=before, after=after):
            yield f"{setting}: {_value(before)} → {_value(after)}"


def _of_list(before: Sequence[Any], after: Sequence[Any]) -> str:
    added = [f"+ {_value(one)}" for one in after if one not in before]
    removed = [f"{MINUS} {_value(one)}" for one in before if one not in after]
    kept = [one for one in before if one in after] == [one for one in after if one in before]
    return ", ".join([*added, *removed] + ([] if kept else ["order changed"]))


def _of_text(before: str, after: str) -> Iterator[str]:
    for line in difflib.ndiff(before.splitlines(), after.splitlines()):
        if line[0] in "+-":
            yield f"  {line.replace('-', MINUS, 1) if line[0] == '-' else line}"


def _is_long(*texts: str) -> bool:
    return any(len(text) > LONG or "\n" in text for text in texts)


def _value(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _advice(change: Change) -> Iterator[str]:
    match change:
        case SectionAdded(section=section) if section.startswith("webhooks."):
            name = secret_variable(section.removeprefix("webhooks."))
            yield f"{section}: a running process does not see new variables. If {name} is new, restart the workers."
        case SectionRemoved(section=section) if section.startswith("queues."):
            yield f"{section}: its open items cannot be answered while the policy does not define it."
        case SettingChanged(section=section, setting="retraining.learner", after="external"):
            yield f"{section}: a service trains from now on, and golden labels are withheld from webhooks and the API."
        case SettingChanged(section=section, setting="retraining.learner", after=after):
            yield f"{section}: the learner “{after}” must be installed where each process runs."
        case SettingChanged(section=section, setting="channel" | "leads_channel" as setting):
            yield f"{section}: messages that were posted before stay in the former {setting}."
        case _:
            return
