"""Reviewers, who act through the workspace as people do: they vote, change their minds, skip, say why, take back, click
late, and click again when Slack shows no answer."""

import random
import threading
import time
from dataclasses import dataclass, field

from benchmarks.chaos.ledger import Click, Form, Ledger
from benchmarks.chaos.place import REVIEW
from benchmarks.chaos.screen import Screen, SeenCard, item_of
from benchmarks.chaos.texts import LABELS, right_label
from bot.sandbox.client import ControlError, Message, Person
from core.vocabulary import NONE_OF_THESE, AnswerKind, ErrorReason

RIGHT = 0.7  # share of right answers: low, so that items stay open for several votes and some come to a lead
PATIENCE = 3  # how often a person clicks again
LATE_SECONDS = 20.0  # how old a click is that Slack brings late
FORM_SECONDS = 2.0
BUTTONS = {AnswerKind.CANNOT_JUDGE: "Cannot judge", AnswerKind.SKIP: "Skip", AnswerKind.NONE_OF_THESE: NONE_OF_THESE}
HABITS = {"vote": 52, "again": 20, "skip": 7, "cannot": 3, "why": 8, "undo": 4, "late": 6}


@dataclass
class Reviewer:
    """finishing: from then on they only answer, and rightly: first what they have not answered, then whatever still
    asks, until nothing is open."""

    person: Person
    screen: Screen
    ledger: Ledger
    chance: random.Random
    stop: threading.Event
    finishing: threading.Event
    said: dict[int, str] = field(default_factory=dict)  # item -> what they said of it, as far as they know
    notes: int = 0

    def work(self) -> None:
        while not self.stop.is_set():
            habit = "vote" if self.finishing.is_set() else self.chance.choices(list(HABITS), list(HABITS.values()))[0]
            self._act(habit)
            self.stop.wait(self.chance.uniform(0.05, 0.4))

    def _act(self, habit: str) -> None:
        if habit == "undo":
            self._take_back()
            return
        card = self._chosen(known=habit == "again")
        if card is None:
            return
        if habit == "why":
            self._say_why(card)
        elif habit in ("skip", "cannot"):
            kind = AnswerKind.SKIP if habit == "skip" else AnswerKind.CANNOT_JUDGE
            self._click(card.item_id, card.message, BUTTONS[kind], kind, None)
        else:
            self._vote(card, late=habit == "late")

    def _chosen(self, known: bool) -> SeenCard | None:
        cards = [card for card in self.screen.cards if (card.item_id in self.said) is known and not card.disputed]
        if not cards and self.finishing.is_set():
            cards = list(self.screen.cards)  # they still ask, so what was said of them may not have been recorded
        return self.chance.choice(cards) if cards else None

    def _vote(self, card: SeenCard, late: bool) -> None:
        label = self._opinion(card)
        if label is None:
            self._click(card.item_id, card.message, NONE_OF_THESE, AnswerKind.NONE_OF_THESE, None, late)
        else:
            self._click(card.item_id, card.message, label, AnswerKind.LABEL, label, late)

    def _opinion(self, card: SeenCard) -> str | None:
        right = right_label(card.text)
        if self.finishing.is_set() or self.chance.random() < RIGHT:
            return right
        return self.chance.choice([None, *(label for label in LABELS if label != right)])

    def _click(
        self, item_id: int, place: Message, button: str, kind: AnswerKind, label: str | None, late: bool = False
    ) -> None:
        for _ in range(PATIENCE):
            clicked_at = stamp(late)
            sent = time.time()
            twice = int(self.chance.random() < 0.1)  # the same click, delivered again
            try:
                outcome = self.person.click(place, button, action_ts=as_ts(clicked_at), retries=twice)
            except ControlError:
                return  # the card has changed under their hand
            self.ledger.note(
                Click(self.person.id, item_id, kind, label, clicked_at, sent, time.time(), outcome.ok)
            )  # fmt: skip
            if outcome.ok:
                self.said[item_id] = label or kind.value
                return
            self.stop.wait(self.chance.uniform(0.5, 2.0))

    def _take_back(self) -> None:
        receipts = [one for one in self.person.messages(REVIEW) if one.ephemeral and "Undo" in one.buttons]
        item_id = item_of(receipts[-1]) if receipts else None
        if item_id is not None:
            self._click(item_id, receipts[-1], "Undo", AnswerKind.WITHDRAWN, None)

    def _say_why(self, card: SeenCard) -> None:
        try:
            if not self.person.click(card.message, "Why?").ok:
                return
            self.person.box.wait_for(lambda: self._form_of(card.item_id), FORM_SECONDS, "the form")
            self._submit(card)
        except (ControlError, TimeoutError):
            return  # the card has changed, or Slack did not open the form in time
        finally:
            while self.person.view is not None:
                self.person.close_view()

    def _form_of(self, item_id: int) -> bool:
        view = self.person.view
        return view is not None and view.callback_id == "answer_form" and view.title == f"Item {item_id}"

    def _submit(self, card: SeenCard) -> None:
        for _ in range(PATIENCE):
            label, reason = self._opinion(card) or LABELS[0], self.chance.choice(list(ErrorReason)).value
            self.notes += 1
            note = f"{self.person.name} says why, {self.notes}"
            sent = time.time()
            outcome = self.person.submit({"label": label, "reason": reason, "note": note})
            recorded = outcome.ok and not outcome.errors and not (outcome.response or {}).get("response_action")
            self.ledger.note(
                Form(self.person.id, card.item_id, label, note, sent, time.time(), outcome.ok, recorded)
            )  # fmt: skip
            if outcome.ok:
                self.said[card.item_id] = label
                return
            self.stop.wait(self.chance.uniform(0.5, 2.0))


def stamp(late: bool = False) -> int:
    """Microseconds since 1970, as Slack stamps a click."""
    return int((time.time() - (LATE_SECONDS if late else 0.0)) * 1_000_000)


def as_ts(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"
