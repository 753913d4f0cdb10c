"""Three reviewers who are right nine times in ten, and a lead who settles what they cannot agree on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

import numpy as np
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.policy import Policy
from core.review.votes import NewAnswer, cast_vote
from core.vocabulary import AnswerKind

REVIEWERS = ("U_ANA", "U_BEN", "U_EVA")
LEAD = "U_CLEO"
RIGHT = 0.9  # share of a reviewer's answers
LEAD_RIGHT = 0.95  # share of a lead's answers, about the items on which reviewers differ
USUAL = 0.5  # share of wrong answers that go to the label for which this one is usually taken; the others to any


def usually_taken_for(labels: Sequence[str], rng: np.random.Generator) -> dict[str, str]:
    """For each label another one, so that two people can make the same mistake."""
    order = [labels[place] for place in rng.permutation(len(labels))]
    return dict(zip(order, [*order[1:], order[0]], strict=True))


@dataclass
class People:
    """labels: of the queue; taken_for: see `usually_taken_for`."""

    labels: Sequence[str]
    taken_for: Mapping[str, str]
    rng: np.random.Generator
    _clicks: Iterator[int] = field(default_factory=lambda: count(1_764_000_000_000_000))

    def settle(self, session: Session, item_id: int, label: str, now: datetime, policy: Policy) -> None:
        """Vote until the item is settled. label: the right one."""
        order = [REVIEWERS[place] for place in self.rng.permutation(len(REVIEWERS))]
        for person, right in (*((one, RIGHT) for one in order), (LEAD, LEAD_RIGHT)):
            said = NewAnswer(AnswerKind.LABEL, next(self._clicks), self._answer(label, right))
            if cast_vote(session, CardRef(item_id), person, said, now, policy).settled:
                return
        raise AssertionError(f"item {item_id} is not settled by a lead's answer")

    def _answer(self, label: str, right: float) -> str:
        if self.rng.random() < right:
            return label
        if self.rng.random() < USUAL:
            return self.taken_for[label]
        return str(self.rng.choice([other for other in self.labels if other != label]))
