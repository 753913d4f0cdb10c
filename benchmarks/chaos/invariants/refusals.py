"""Why an acknowledged click may not be stored: what the person was told, and what the rows say."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Scene
from benchmarks.chaos.ledger import Click
from benchmarks.chaos.place import REVIEWERS
from core.records.reviews import Answer, Correction
from core.review.answers import votes_among
from core.review.consensus import Dispute, verdict
from core.vocabulary import AnswerKind

RECORDED = re.compile(r"^Item \d+(:| skipped)", re.MULTILINE)
ITEM = re.compile(r"\bitem (\d+)", re.IGNORECASE)
WORDS_SECONDS = 15.0  # within which the words about a click come
VARIES = re.compile(
    r"\d+|(?<=decided).*|(?<=waiting for a lead).*|\(.*"
)  # what makes one refusal differ from another of its kind
SLOW = 1.9  # seconds: who waited so long for a lock was told that the database is busy
LOST_WORDS = 5.0  # seconds after the acknowledgement within which a kill takes the words with it


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
        current = [one for one in answers if one.kind is not AnswerKind.WITHDRAWN]
        cannot = sum(one.kind is AnswerKind.CANNOT_JUDGE for one in current)
        policy = self.scene.place.policy.queues[0].consensus
        return verdict(votes_among(current), cannot, len(REVIEWERS) - len(current), policy)

    def _words_lost(self, click: Click) -> bool:
        return self.scene.ledger.killed(click.sent, click.answered + LOST_WORDS)


def _moment(seconds: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)
