"""Leads: they settle disputes, decide about reports by reaction, ask for retraining and roll back by command."""

import random
import threading
import time
from dataclasses import dataclass, field

from benchmarks.chaos.ledger import Click, Ledger, Reacted, Typed
from benchmarks.chaos.people import as_ts, stamp
from benchmarks.chaos.place import LEADS_CHANNEL, QUEUE
from benchmarks.chaos.screen import Screen, SeenCard
from benchmarks.chaos.texts import right_label
from bot.sandbox.client import ControlError, Message, Person
from core.vocabulary import AnswerKind

APPROVES = 0.75  # of the reports that the gate passes
LOOKS = 0.35  # how likely a lead attends to a report at one look, so that two leads come at different moments
ASKS = 0.02
ROLLS_BACK = 0.02


@dataclass
class Lead:
    person: Person
    screen: Screen
    ledger: Ledger
    chance: random.Random
    stop: threading.Event
    finishing: threading.Event
    decided: set[str] = field(default_factory=set)  # reports, by ts; Slack itself brings a reaction again

    def work(self) -> None:
        while not self.stop.is_set():
            for card in self.screen.cards:
                if card.disputed:
                    self._settle(card)
            if not self.finishing.is_set():
                self._decide()
                self._command()
            self.stop.wait(self.chance.uniform(0.2, 0.9))

    def _settle(self, card: SeenCard) -> None:
        label, clicked_at, sent = right_label(card.text), stamp(), time.time()
        try:
            outcome = self.person.click(card.message, label, action_ts=as_ts(clicked_at))
        except ControlError:
            return
        self.ledger.note(
            Click(
                self.person.id, card.item_id, AnswerKind.LABEL, label, clicked_at, sent, time.time(), outcome.ok, True
            )
        )

    def _decide(self) -> None:
        for report in self.screen.reports:
            passes = "The golden gate passes it" in report.plain
            if not passes and "The golden gate refuses it" not in report.plain:
                continue
            if report.ts not in self.decided and self.chance.random() < LOOKS:
                self._react(report, approves=passes and self.chance.random() < APPROVES)

    def _react(self, report: Message, approves: bool) -> None:
        self.decided.add(report.ts)
        reacted_at = stamp()
        try:
            emoji = "white_check_mark" if approves else "x"
            self.person.react(report, emoji, event_ts=as_ts(reacted_at))
        except ControlError:
            return
        self.ledger.note(Reacted(self.person.id, LEADS_CHANNEL, report.ts, approves, reacted_at))

    def _command(self) -> None:
        if self.chance.random() < ASKS:
            self._type(f"/goldloop retrain {QUEUE}")
        was_live = any("No longer live" in report.plain for report in self.screen.reports)
        if was_live and self.chance.random() < ROLLS_BACK:
            self._type(f"/goldloop rollback {QUEUE} the former one was better")

    def _type(self, words: str) -> None:
        """Once: who does not hear an answer to a roll-back looks at the channel before asking again."""
        outcome = self.person.command(words, channel=LEADS_CHANNEL)
        answer = str((outcome.response or {}).get("text", ""))
        self.ledger.note(Typed(self.person.id, words, outcome.ok, answer))
