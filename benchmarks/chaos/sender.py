"""The helpdesk that sends predictions: it sends a batch until the API has accepted it, and now and then once more."""

import itertools
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.chaos.ledger import Ledger, Sent
from benchmarks.chaos.place import QUEUE
from benchmarks.chaos.screen import Screen
from benchmarks.chaos.texts import LABELS, ticket
from goldloop_client import ApiError, Client

MOST_OPEN = 14  # cards that ask for an answer
MOST_WAITING = 6  # cards that the channel has not seen yet; more would only wait for Slack
BATCH = 4  # rows, one of them uncertain
UNCERTAIN, SURE = 0.5, 0.98
VERSION = "sender-1"


@dataclass
class Sender:
    client: Client
    screen: Screen
    ledger: Ledger
    chance: random.Random
    stop: threading.Event
    finishing: threading.Event
    most: int  # rows that become cards
    former: list[dict[str, Any]] = field(default_factory=list)
    uncertain: int = 0  # rows accepted that became cards
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def work(self) -> None:
        while not (self.stop.is_set() or self.finishing.is_set()):
            waiting = self.uncertain - self.screen.posted
            if len(self.screen.cards) < MOST_OPEN and waiting < MOST_WAITING:
                again = self.former and self.chance.random() < 0.1
                self._send(self.former if again else self._batch())
            self.stop.wait(self.chance.uniform(0.1, 0.5))

    def _batch(self) -> list[dict[str, Any]]:
        return [self._row(uncertain=at == 0 and self.uncertain < self.most) for at in range(BATCH)]

    def _row(self, uncertain: bool) -> dict[str, Any]:
        number = next(self._numbers)
        text, right = ticket(number, self.chance)
        predicted_label = right if self.chance.random() < 0.7 else self.chance.choice(LABELS)
        top = UNCERTAIN if uncertain else SURE
        others = [label for label in LABELS if label != predicted_label]
        probabilities = {predicted_label: top, others[0]: (1 - top) * 0.6, others[1]: (1 - top) * 0.4}
        return {"external_id": f"T-{number}", "model_version": VERSION, "text": text, "probabilities": probabilities}

    def _send(self, rows: list[dict[str, Any]]) -> None:
        while not self.stop.is_set():
            try:
                received = self.client.send(QUEUE, rows)
            except (ApiError, httpx.HTTPError):
                self.stop.wait(0.3)
                continue
            if received.new + received.repeated == len(rows) and rows is not self.former:
                for row in rows:
                    uncertain = max(row["probabilities"].values()) == UNCERTAIN
                    self.uncertain += uncertain
                    self.ledger.note(Sent(row["external_id"], VERSION, row["text"], uncertain))
                self.former = rows
            return
