"""The registry of learners: the built-in ones, those of installed packages, and those that this process adds.

A package provides a learner as an entry point of the group `goldloop.learners`. A process adds one by an importable
reference, "module:Class", in the mapping `extra` from names to references: plain text, which a child process can be
given. Arguments of the class may follow as JSON, after a question mark. A learner is imported on first use, so only
processes that train or predict load its libraries.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from core.errors import Invalid
from core.learning.learners import encoders, onnx_encoder
from core.learning.learners.base import Learner, missing_members
from core.policy.encoder import ON_OWN_ENCODER
from core.vocabulary import Modality

GROUP = "goldloop.learners"
ENCODED = ("embedding", "blend")  # learners that need the extra `embed`
BUILT_IN = {
    EntryPoint(name, f"core.learning.learners.{name}:{name.title()}Learner", GROUP)
    for name in ("text", "image", "external", *ENCODED)
}


def find_learner(name: str, extra: Mapping[str, str] = {}) -> Learner:
    """The learner of that name; "text", "image" and "external" always exist. extra: name -> "module:Class", in addition
    to installed learners. Raises Invalid if there is none, naming those that exist, if two different ones have that
    name, or if the learner cannot be used.
    """
    added = {EntryPoint(*one, GROUP) for one in extra.items()}
    points = {*_installed(tuple(sys.path)), *BUILT_IN, *added}  # in a plain checkout, no entry point is installed
    offers = {point.value: point for point in points if point.name == name}
    if not offers:
        known = ", ".join(learner_names(extra))
        raise Invalid(f"There is no learner “{name}”. Choose from: {known}.", field="learner")
    if len(offers) > 1:
        raise Invalid(
            f"Several packages provide a learner “{name}”: {', '.join(sorted(offers))}. Uninstall one.", field="learner"
        )
    return _load(next(iter(offers.values())))


def offers_learner(name: str, extra: Mapping[str, str] = {}) -> bool:
    """Whether a learner of that name exists; it is not imported. Learners on sentence vectors need their packages."""
    if name in ON_OWN_ENCODER:
        return name in extra and onnx_encoder.is_installed()
    return name in learner_names(extra) and (name in extra or name not in ENCODED or encoders.is_installed())


def how_to_get(name: str) -> str:
    """A sentence for operators who lack this learner."""
    if name in ON_OWN_ENCODER:
        return onnx_encoder.INSTALL
    return encoders.INSTALL if name in ENCODED else "Install the package that provides it, or choose another learner."


def _load(point: EntryPoint) -> Learner:
    reference, _, arguments = point.value.partition("?")
    try:
        learner = EntryPoint(point.name, reference, GROUP).load()(**json.loads(arguments or "{}"))
    except (ImportError, AttributeError, TypeError) as error:
        raise Invalid(
            f"The learner “{point.name}” ({reference}) cannot be loaded: {error}.", field="learner"
        ) from error
    if problem := _problem(point, learner):
        raise Invalid(f"The learner “{point.name}” ({reference}) {problem}.", field="learner")
    return cast(Learner, learner)


def _problem(point: EntryPoint, learner: Any) -> str | None:
    if missing := missing_members(learner, Learner):
        return f"lacks {', '.join(missing)}"
    if learner.name != point.name:  # models are stored under the learner's name, and would not be found again
        return f"calls itself “{learner.name}”"
    if not learner.reads or not set(Modality).issuperset(learner.reads):
        return f"must read some of {', '.join(Modality)}; it says {learner.reads!r}"
    return None


def learner_names(extra: Mapping[str, str] = {}) -> list[str]:
    """The names of all learners in alphabetical order, including those whose package is missing."""
    return sorted({point.name for point in (*_installed(tuple(sys.path)), *BUILT_IN)} | set(extra))


@cache
def _installed(_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of installed packages, read once per path: it takes ten milliseconds. A package installed later
    is found by the next process."""
    return tuple(entry_points(group=GROUP))
