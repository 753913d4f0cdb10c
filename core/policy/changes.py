"""The differences between two policies, section by section. The address of a webhook or of a model's service is cut to
its host, because its path can be a secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.policy.whole import Policy

Settings = Mapping[str, Any]
ADDRESSES = ("url", "external.url")


@dataclass(frozen=True)
class SectionAdded:
    """A new section. section: as in the policy file, e.g. "queues.support"."""

    section: str


@dataclass(frozen=True)
class SectionRemoved:
    section: str


@dataclass(frozen=True)
class SettingChanged:
    """A changed setting. setting: with dots, e.g. "consensus.votes". before, after: numbers, texts, None, or lists of
    texts. They are equal if the difference is secret."""

    section: str
    setting: str
    before: Any
    after: Any


Change = SectionAdded | SectionRemoved | SettingChanged


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """The changes that turn `before` into `after`, in the order of `after`; empty if they are the same."""
    old, new = _sections(before), _sections(after)
    return tuple(change for name in [*new, *(old.keys() - new.keys())] for change in _of_section(name, old, new))


def shown_address(url: str) -> str:
    """An address without parts that may be secret; empty if there is none."""
    address = urlsplit(url)
    if not url:
        return url
    return f"{address.scheme}://{address.hostname}/…"


def _of_section(name: str, old: Mapping[str, Settings], new: Mapping[str, Settings]) -> Iterator[Change]:
    if name not in old:
        yield SectionAdded(name)
    elif name not in new:
        yield SectionRemoved(name)
    else:
        yield from _of_settings(name, old[name], new[name])


def _of_settings(section: str, old: Settings, new: Settings) -> Iterator[Change]:
    """The changed settings of a section. A label's settings are compared if both policies have the label; otherwise the
    change of `labels` shows that it was added or removed."""
    for setting in [*new, *(old.keys() - new.keys())]:
        before, after = old.get(setting), new.get(setting)
        if before != after and not (setting.startswith("labels.") and (setting not in old or setting not in new)):
            yield SettingChanged(section, setting, *_shown(setting, before, after))


def _shown(setting: str, before: Any, after: Any) -> tuple[Any, Any]:
    return (shown_address(before), shown_address(after)) if setting in ADDRESSES else (before, after)


def _sections(policy: Policy) -> dict[str, Settings]:
    values = policy.model_dump(mode="json")
    queues = {f"queues.{one['name']}": _flat(_with_labels_by_name(one)) for one in values["queues"]}
    return (
        queues | {"api": _flat(values["api"])} | {f"webhooks.{one['name']}": _flat(one) for one in values["webhooks"]}
    )


def _with_labels_by_name(queue: Settings) -> Settings:
    named = {f"labels.{label['name']}": {**label, "name": None} for label in queue["labels"]}
    return {**queue, "labels": [label["name"] for label in queue["labels"]], **named}


def _flat(values: Settings, prefix: str = "") -> Settings:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
