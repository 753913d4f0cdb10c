"""What a check has to say: how it is, and what to do if it is not well."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    GOOD = "good"
    NOTE = "note"  # works, but somebody should know
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """remedy: what to do, in words for the operator; empty where there is nothing to do."""

    subject: str
    outcome: Outcome
    words: str
    remedy: str = ""


Findings = Iterator[Finding]


def good(subject: str, words: str) -> Finding:
    return Finding(subject, Outcome.GOOD, words)


def note(subject: str, words: str, remedy: str = "") -> Finding:
    return Finding(subject, Outcome.NOTE, words, remedy)


def bad(subject: str, words: str, remedy: str) -> Finding:
    return Finding(subject, Outcome.BAD, words, remedy)
