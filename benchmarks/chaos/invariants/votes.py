"""Clicks and forms against the stored answers."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Finding, Scene
from benchmarks.chaos.ledger import Click
from benchmarks.chaos.place import REVIEWERS
from core.records.reviews import Answer, Correction
from core.review.consensus import Dispute, verdict
from core.vocabulary import AnswerKind

RECORDED = re.compile(r"^(Recorded for|Taken back|You decided)", re.MULTILINE)
ITEM = re.compile(r"\bitem (\d+)", re.IGNORECASE)
VARIES = re.compile(r"\d+|(?<=decided).*|(?<=waits for a lead).*|\(.*")
WORDS_SECONDS = 15.0  # within which the words about a click come
SLOW = 1.9  # seconds: who waited so long for a lock was told that the database is busy
LOST_WORDS = 5.0  # seconds after the acknowledgement within which a kill takes the words with it


def acknowledged_votes_are_stored(session: Session, scene: Scene) -> Finding:
    """Each click that was acknowledged is stored, or it was refused: in words to the person, or (where a kill swallowed
    the words) as the rows say it must have been."""
    stored = {(one.item_id, one.person, one.clicked_at) for one in session.scalars(select(Answer))}
    by_leads = {(one.item_id, one.lead, one.label) for one in session.scalars(select(Correction)) if one.lead}
    history = History(session, scene)
    held, broken, refused = 0, [], Counter[str]()
    for click in scene.ledger.clicks:
        if not click.heard:
            refused["never acknowledged"] += 1
        elif (click.item_id, click.person, click.clicked_at) in stored or (
            click.by_lead and (click.item_id, click.person, click.label) in by_leads
        ):
            held += 1
        elif why := history.why_refused(click):
            refused[why] += 1
        else:
            broken.append(f"acknowledged at {click.answered:.3f} and neither stored nor refused: {click}")
    scene.notes.update({f"clicks: {why}": count for why, count in refused.items()})
    scene.notes["clicks: acknowledged and stored"] = held
    return Finding("an acknowledged vote is stored", held, tuple(broken))


def a_click_counts_once(session: Session, scene: Scene) -> Finding:
    counted = Counter((one.item_id, one.person, one.clicked_at) for one in session.scalars(select(Answer)))
    broken = tuple(f"stored {count} times: {click}" for click, count in counted.items() if count > 1)
    return Finding("a click is stored at most once", len(counted), broken)


def nothing_is_stored_that_nobody_said(session: Session, scene: Scene) -> Finding:
    clicked = {(one.item_id, one.person, one.clicked_at, one.kind, one.label) for one in scene.ledger.clicks}
    filled = {(one.item_id, one.person, one.note) for one in scene.ledger.forms}
    rows = session.scalars(select(Answer)).all()
    broken = [
        f"answer {row.id} of {row.person} about item {row.item_id} was never given"
        for row in rows
        if (row.item_id, row.person, row.clicked_at, row.kind, row.label) not in clicked
        and (row.item_id, row.person, row.note) not in filled
    ]
    return Finding("what is stored was said by that person", len(rows), tuple(broken))


def acknowledged_reasons_are_stored(session: Session, scene: Scene) -> Finding:
    rows = {
        (one.item_id, one.person, one.note): one for one in session.scalars(select(Answer).where(Answer.note != ""))
    }
    held, broken = 0, []
    for form in scene.ledger.forms:
        row = rows.get((form.item_id, form.person, form.note))
        if form.recorded and (row is None or row.label != form.label or row.reason is None):
            broken.append(f"the form closed and is not stored as sent: {form}")
        held += form.recorded
    return Finding("an acknowledged reason is stored", held, tuple(broken))


def a_receipt_is_true(session: Session, scene: Scene) -> Finding:
    """Who was told that something was recorded finds it stored, about that item and at that time."""
    stored: dict[tuple[str, int], list[float]] = defaultdict(list)
    for answer in session.scalars(select(Answer)):
        stored[answer.person, answer.item_id].append(answer.created_at.timestamp())
    for row in session.scalars(select(Correction)):
        if row.lead is not None:
            stored[row.lead, row.item_id].append(row.settled_at.timestamp())
    receipts = [
        (who, int(about[1]), words)
        for who, told in scene.told.items()
        for words in told
        if RECORDED.search(words.text) and (about := ITEM.search(words.text))
    ]
    broken = [
        f"{who} was told at {words.at:.3f}: {words.text[:80]!r}, and nothing is stored"
        for who, item_id, words in receipts
        if not any(at - 1.0 <= words.at <= at + WORDS_SECONDS for at in stored[who, item_id])
    ]
    return Finding("a receipt is true", len(receipts), tuple(broken))


class History:
    """Why a click may have been refused, from what is stored and from what the person was told."""

    def __init__(self, session: Session, scene: Scene) -> None:
        self.scene = scene
        self.answers: dict[int, list[Answer]] = defaultdict(list)
        for answer in session.scalars(select(Answer).order_by(Answer.id)):
            self.answers[answer.item_id].append(answer)
        self.settled = {one.item_id: one.settled_at.timestamp() for one in session.scalars(select(Correction))}

    def why_refused(self, click: Click) -> str:
        """Empty: there is no reason why it should not be stored."""
        if words := self._told(click):
            return f"told: {words}"
        if self.scene.ledger.away(click.sent, click.answered):
            return "the database was away"
        if self.settled.get(click.item_id, float("inf")) <= click.answered:
            return "settled before"
        if self._newer(click) or self._taken_back(click):
            return "something newer was stored"
        if self._may_have_been_disputed(click) or (click.by_lead and self._words_lost(click)):
            return "waits for a lead, or does not"
        if click.answered - click.sent > SLOW and self._words_lost(click):
            return "the database was busy"
        return ""

    def _told(self, click: Click) -> str:
        """The refusal without its numbers; empty if there was none."""
        for words in self.scene.told[click.person]:
            if click.sent - 0.5 <= words.at <= click.answered + WORDS_SECONDS and not RECORDED.search(words.text):
                items = {int(number) for number in ITEM.findall(words.text)}
                if not items or click.item_id in items:
                    return VARIES.sub("…", words.text)[:60]
        return ""

    def _newer(self, click: Click) -> bool:
        return any(
            one.person == click.person and one.clicked_at > click.clicked_at for one in self.answers[click.item_id]
        )

    def _taken_back(self, click: Click) -> bool:
        if click.kind is not AnswerKind.WITHDRAWN:
            return False
        mine = [one for one in self.answers[click.item_id] if one.person == click.person]
        return any(one.kind is AnswerKind.WITHDRAWN for one in mine)

    def _may_have_been_disputed(self, click: Click) -> bool:
        """Did the answers before this acknowledgement, in the order in which they came, ever add up to a dispute?"""
        current: dict[str, Answer] = {}
        for answer in self.answers[click.item_id]:
            if answer.created_at > _moment(click.answered, answer.created_at):
                break
            current[answer.person] = answer
            if isinstance(self._verdict(list(current.values())), Dispute):
                return True
        return False

    def _verdict(self, answers: Sequence[Answer]) -> object:
        standing = [one for one in answers if one.kind is not AnswerKind.WITHDRAWN]
        labels = [one.label for one in standing if one.kind.is_vote]
        cannot = sum(one.kind is AnswerKind.CANNOT_JUDGE for one in standing)
        policy = self.scene.place.policy.queues[0].consensus
        return verdict(labels, cannot, len(REVIEWERS) - len(standing), policy)

    def _words_lost(self, click: Click) -> bool:
        return self.scene.ledger.killed(click.sent, click.answered + LOST_WORDS)


def _moment(seconds: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)
