"""Invariants of items and their answers."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Finding, Scene
from benchmarks.chaos.place import LEADS, REVIEWERS
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.answers import votes_among
from core.review.consensus import Verdict, tally, verdict
from core.vocabulary import AnswerKind, ItemState, Settler


def one_current_answer(session: Session, scene: Scene) -> Finding:
    rows = session.scalars(select(Answer).where(Answer.is_current))
    counted = Counter((row.item_id, row.person) for row in rows)
    said = {(row.item_id, row.person) for row in session.scalars(select(Answer))}
    broken = [
        f"{count} current answers of {who} about item {item}" for (item, who), count in counted.items() if count > 1
    ]
    broken += [f"no answer of {who} about item {item} is current" for item, who in said - set(counted)]
    return Finding("one current answer per item and person", len(said), tuple(broken))


def one_correction_that_follows_from_the_votes(session: Session, scene: Scene) -> Finding:
    items = session.scalars(select(ReviewItem)).all()
    broken = [words for item in items if (words := _wrong_with(session, item, scene))]
    return Finding("one correction per item, as its votes say", len(items), tuple(broken))


def _wrong_with(session: Session, item: ReviewItem, scene: Scene) -> str:
    rows = session.scalars(select(Correction).where(Correction.item_id == item.id)).all()
    if item.state is not ItemState.SETTLED:
        return f"item {item.id} is {item.state.value}, with {len(rows)} corrections"
    if len(rows) != 1 or not rows[0].is_current:
        return f"item {item.id} has {len(rows)} corrections"
    [row] = rows
    answers = session.scalars(select(Answer).where(Answer.item_id == item.id, Answer.is_current)).all()
    votes = votes_among(answers)
    cannot = sum(answer.kind is AnswerKind.CANNOT_JUDGE for answer in answers)
    said = sum(answer.kind is not AnswerKind.WITHDRAWN for answer in answers)
    outcome = verdict(votes, cannot, len(REVIEWERS) - said, scene.place.policy.queues[0].consensus)
    if row.tally != tally(votes):
        return f"item {item.id}: the correction counts {row.tally}, the votes are {tally(votes)}"
    if row.settled_by is Settler.CONSENSUS and outcome != Verdict(row.label):
        return f"item {item.id} was settled as {row.label}, and its votes say {outcome}"
    if row.settled_by is Settler.LEAD and not _decided_by_lead(scene, row, outcome):
        return f"item {item.id} was settled by {row.lead} as {row.label}, and the votes say {outcome}"
    return ""


def _decided_by_lead(scene: Scene, row: Correction, outcome: object) -> bool:
    """A lead clicked this label, and the votes alone would not have settled it."""
    clicked = {(one.person, one.item_id, one.label) for one in scene.ledger.clicks if one.by_lead}
    return (
        row.lead in LEADS
        and (row.lead, row.item_id, row.label) in clicked
        and outcome is not None
        and not isinstance(outcome, Verdict)
    )
