"""The result of a check: its outcome, and what to do about a problem."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    GOOD = "good"
    NOTE = "note"  # works, but the operator should know
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """remedy: an instruction for the operator; empty if there is nothing to do."""

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
