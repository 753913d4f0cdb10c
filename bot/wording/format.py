"""The parts of a sentence that differ between front ends: untrusted text and names of people."""

from collections.abc import Callable
from dataclasses import dataclass

from core.vocabulary import GOLDLOOP, OPERATOR


@dataclass(frozen=True)
class Format:
    """text: escapes untrusted text, such as a label. person: writes a person's name."""

    text: Callable[[str], str]
    person: Callable[[str], str]


NAMED = {OPERATOR: "the operator", GOLDLOOP: "Goldloop"}  # people without a Slack id


def operator_or_id(person: str) -> str:
    return NAMED.get(person, person)


PLAIN = Format(text=str, person=operator_or_id)  # for the terminal and the API: people by their ids
