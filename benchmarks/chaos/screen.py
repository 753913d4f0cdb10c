"""What everybody sees of the two channels, looked at a few times a second, so that one click more often than not meets
a card that has just changed."""

import re
import threading
from dataclasses import dataclass, field

from benchmarks.chaos.place import LEADS_CHANNEL, REVIEW, WATCHER
from bot.sandbox.client import Message, SandboxClient
from core.vocabulary import NONE_OF_THESE

LOOK_SECONDS = 0.3
ITEM = re.compile(r"\bitem (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class SeenCard:
    """A card that asks for an answer."""

    item_id: int
    text: str
    disputed: bool
    message: Message


@dataclass
class Screen:
    box: SandboxClient
    cards: tuple[SeenCard, ...] = ()
    reports: tuple[Message, ...] = ()
    posted: int = 0  # cards that were ever shown
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        watcher = self.box.person(WATCHER)
        while not self.stop.is_set():
            seen = watcher.messages(REVIEW)
            self.posted = len({item_of(each) for each in seen} - {None})
            self.cards = tuple(card for each in seen if (card := _card(each)))
            self.reports = tuple(each for each in watcher.messages(LEADS_CHANNEL) if " compared with " in each.plain)
            self.stop.wait(LOOK_SECONDS)


def item_of(message: Message) -> int | None:
    found = ITEM.search(message.plain)
    return int(found[1]) if found else None


def _card(message: Message) -> SeenCard | None:
    item_id = item_of(message)
    if item_id is None or NONE_OF_THESE not in message.buttons:
        return None
    texts = (block["text"]["text"] for block in message.blocks if block.get("text", {}).get("type") == "plain_text")
    next(texts)  # the header
    return SeenCard(item_id, next(texts, ""), "A lead decides" in message.plain, message)
