"""What differs between front ends in one sentence: how a stranger's text and a person are written."""

from collections.abc import Callable
from dataclasses import dataclass

from core.vocabulary import OPERATOR


@dataclass(frozen=True)
class Format:
    """text: writes what a stranger gave, such as a label, so that it does no harm. person: writes who somebody is."""

    text: Callable[[str], str]
    person: Callable[[str], str]


def operator_or_id(person: str) -> str:
    return "the operator" if person == OPERATOR else person


PLAIN = Format(text=str, person=operator_or_id)  # for the terminal and the API: people by their ids
