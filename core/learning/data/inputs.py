"""What learners are given: labelled examples."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One labelled text. `weight`: how many rows it counts for, above 0."""

    text: str
    label: str
    weight: float = 1.0
