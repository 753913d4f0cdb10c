"""The cost of an offer in people's time, and what such items have gained in this queue so far."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.records.predictions import Flag
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import AnswerKind, Reason

BREAK = 120.0  # seconds: a longer gap between a person's answers is cut to this
ASSUMED = 15.0  # seconds for an answer, without data
FEWEST = 10  # gaps; below, there is no data
NEWEST = 1_000  # answers
VOTES = (AnswerKind.LABEL, AnswerKind.NONE_OF_THESE)


@dataclass(frozen=True)
class Cost:
    """The cost of at most so many items. minutes: of all people together. assumed: the time for an answer is not known,
    but assumed."""

    items: int
    votes: int
    minutes: float
    assumed: bool


@dataclass(frozen=True)
class Gain:
    """Settled items of this kind in this queue so far, and those of them that correct the model."""

    settled: int
    corrected: int


@dataclass(frozen=True)
class Spend:
    """What a language model is sent and is paid at most. texts: masked texts of people. money: in the currency of the
    policy's prices; None: the policy states no prices."""

    model: str
    texts: int
    calls: int
    tokens: int
    money: float | None


def cost(session: Session, queue_id: int, items: int, policy: QueuePolicy) -> Cost:
    seconds = seconds_an_answer(session, queue_id)
    votes = round(items * _votes_an_item(session, queue_id, policy))
    return Cost(items, votes, votes * (seconds or ASSUMED) / 60, seconds is None)


def seconds_an_answer(session: Session, queue_id: int) -> float | None:
    """The median gap between a person's answers, each cut at 120 s, over the newest 1,000 answers of the queue. None:
    there are fewer than 10 gaps."""
    newest = (
        select(Answer.person, Answer.created_at)
        .join(ReviewItem, ReviewItem.id == Answer.item_id)
        .where(ReviewItem.queue_id == queue_id, Answer.kind != AnswerKind.WITHDRAWN)
        .order_by(Answer.id.desc())
        .limit(NEWEST)
    )
    times: dict[str, list[datetime]] = defaultdict(list)
    for person, at in session.execute(newest):
        times[person].append(at)
    gaps = [
        min(BREAK, (later - earlier).total_seconds())
        for of_person in times.values()
        for earlier, later in pairwise(sorted(of_person))
    ]
    return median(gaps) if len(gaps) >= FEWEST else None


def gain(session: Session, queue_id: int, reason: Reason) -> Gain:
    """The gain of the items that were flagged for this reason."""
    found = (
        select(Correction.model_was_right, func.count())
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Flag, Flag.prediction_id == ReviewItem.prediction_id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ABOUT_PREDICTION, Flag.reason == reason)
        .group_by(Correction.model_was_right)
    )
    counts = {bool(right): n for right, n in session.execute(found)}
    return Gain(sum(counts.values()), counts.get(False, 0))


def _votes_an_item(session: Session, queue_id: int, policy: QueuePolicy) -> float:
    """The votes per item of the newest settled items; until there are some, as many as the policy allows."""
    newest = select(Correction.item_id).where(Correction.queue_id == queue_id, Correction.is_current)
    items = session.scalars(newest.order_by(Correction.settled_at.desc()).limit(NEWEST // 2)).all()
    cast = select(func.count()).where(Answer.item_id.in_(items), Answer.is_current, Answer.kind.in_(VOTES))
    votes = session.scalar(cast) or 0
    return votes / len(items) if votes else float(policy.consensus.votes)
