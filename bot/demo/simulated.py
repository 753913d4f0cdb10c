"""Simulated people: three reviewers with a given accuracy, and a lead. They use the workspace as people do: they read
messages, click buttons, fill in forms and react. They never see the database.

Unlike Goldloop, they know the true label of each text; each has their own error rate.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.demo.data import Ticket
from bot.demo.place import CLEO, LEADS, REVIEW
from bot.sandbox.client import ControlError, Message, Person, SandboxClient
from core.vocabulary import NONE_OF_THESE

LOOK_SECONDS = 0.3  # between two checks of the channel
THIRD_SECONDS = 5.0  # the time from the second vote until a third reviewer votes on an open card
AGAIN_SECONDS = 20.0  # the time until they answer an open card again: an answer may have been refused with "try again"
FORM_SECONDS = 3.0


@dataclass
class _Seen:
    """The votes of the simulated reviewers on a card."""

    order: list[str]  # reviewers, in the order in which they vote
    voted: int = 0
    last_vote: float = 0.0  # or of the lead's decision
    decided: bool = False


@dataclass
class Crowd:
    """The simulated people, in a thread of their own until stopped. accuracies: reviewer -> share of right answers."""

    box: SandboxClient
    truth: Mapping[str, Ticket]
    labels: Sequence[str]
    accuracies: Mapping[str, float]
    rng: np.random.Generator
    say: Callable[[str], None]
    pace: float = 1.0
    stop: threading.Event = field(default_factory=threading.Event)
    outcome: str = ""  # "promoted" or "refused" when the lead has decided
    waiting_for: str = ""  # the candidate that the lead expects, e.g. "v2"
    _cards: dict[str, _Seen] = field(default_factory=dict)

    def run(self) -> None:
        people = {person: self.box.person(person) for person in (*self.accuracies, CLEO)}
        while not self.stop.is_set():
            for message in people[CLEO].messages(REVIEW):
                if not message.ephemeral:
                    self._look_at(message, people)
            self._look_at_reports(people[CLEO])
            self.stop.wait(LOOK_SECONDS / self.pace)

    def _look_at(self, card: Message, people: Mapping[str, Person]) -> None:
        if NONE_OF_THESE not in card.buttons:
            return  # the card is settled, or the message is no card
        seen = self._cards.setdefault(card.ts, _Seen(list(self.rng.permutation(list(self.accuracies)))))
        waited = time.monotonic() - seen.last_vote
        if "A lead decides" in card.plain:
            if (not seen.decided or waited > AGAIN_SECONDS / self.pace) and self._answer(
                people[CLEO], card, right=True
            ):
                seen.decided, seen.last_vote = True, time.monotonic()
        elif waited > self._pause(seen.voted):
            reviewer = seen.order[seen.voted % len(seen.order)]
            right = bool(self.rng.random() < self.accuracies[reviewer])
            if self._answer(people[reviewer], card, right):
                seen.voted, seen.last_vote = seen.voted + 1, time.monotonic()

    def _pause(self, voted: int) -> float:
        """Seconds between the last vote on an open card and the next."""
        if voted < 2:
            return 0.0
        return (THIRD_SECONDS if voted == 2 else AGAIN_SECONDS) / self.pace

    def _answer(self, person: Person, card: Message, right: bool) -> bool:
        """Click the label, or choose it in the form if it has no button. Returns False if that failed and has to be
        tried again later."""
        ticket = self.truth.get(_text_of(card)) or self.truth.get(_id_of(card))
        if ticket is None:
            return False
        wanted = ticket.label if right else self._wrong(ticket)
        try:
            if wanted is None:
                return person.click(card, NONE_OF_THESE).ok
            if button := _button(card, wanted):
                return person.click(card, button).ok
            return self._choose(person, card, wanted)
        except (ControlError, TimeoutError):
            return False  # the card has just changed, or Slack did not open the form

    def _choose(self, person: Person, card: Message, label: str) -> bool:
        door = "Other…" if "Other…" in card.buttons else "Choose a label…"
        if not person.click(card, door).ok:
            return False
        view = self.box.wait_for(lambda: person.view, FORM_SECONDS, "the form")
        if view is None or view.callback_id != "answer_form":
            person.close_view()
            return False
        return person.submit({"label": label}).ok

    def _wrong(self, ticket: Ticket) -> str | None:
        """A plausible mistake: another defensible label if there is one, else any other label."""
        if ticket.also:
            return str(self.rng.choice(ticket.also))
        return str(self.rng.choice([label for label in self.labels if label != ticket.label]))

    def _look_at_reports(self, lead: Person) -> None:
        """React to the awaited report, once: Slack delivers an event that is not acknowledged in time again."""
        if not self.waiting_for or self.outcome:
            return
        for report in lead.messages(LEADS):
            if f": {self.waiting_for} compared with" not in report.plain:
                continue
            if "The golden gate passes it" in report.plain:
                lead.react(report, "white_check_mark")
                self.say(f"Cleo read the report on {self.waiting_for} and approved it with :white_check_mark:")
                self.outcome = "promoted"
            elif "The golden gate refuses it" in report.plain:
                lead.react(report, "x")
                self.say(f"The golden gate refused {self.waiting_for}, and Cleo rejected it")
                self.outcome = "refused"


def texts(tickets: Sequence[Ticket]) -> dict[str, Ticket]:
    """The tickets by the text that their card shows."""
    return {_shown(ticket.text): ticket for ticket in tickets}


def pictures(tickets: Sequence[Ticket]) -> dict[str, Ticket]:
    """The tickets with a picture, by the id that their card shows."""
    return {ticket_id(number): ticket for number, ticket in enumerate(tickets, 1) if ticket.picture is not None}


def ticket_id(number: int) -> str:
    """The external id of the ticket with this number in the order of arrival, from 1."""
    return f"T-{1000 + number}"


def _id_of(card: Message) -> str:
    found = re.search(r"\bID (T-\d+)", card.plain)
    return found[1] if found else ""


def _button(card: Message, label: str) -> str | None:
    """The button for a label. With two labels, a picture's buttons confirm one, or reject it and name the other."""
    return next((words for words in card.buttons if words == label or words.endswith(f" {label}")), None)


def _text_of(card: Message) -> str:
    return next(
        (
            _shown(block["text"]["text"])
            for block in card.blocks
            if block["type"] == "section" and block.get("text", {}).get("type") == "plain_text"
        ),
        "",
    )


def _shown(text: str) -> str:
    return " ".join(text.split())[:200]
