"""Sentences in Slack's markup: people by mention, times in the reader's zone, strangers' text without effect."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.slack import blocks
from bot.wording.format import NAMED, Format
from core.delivery.outbox import Place
from core.errors import NotAllowed, Refusal

MOST = 300  # characters of a stranger's text inside a sentence
MOST_ASKED = 3  # people named in one refusal
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", re.ASCII)  # as the core writes one in a refusal


def _text(text: str) -> str:
    return blocks.literal(blocks.shorten(text, MOST))


def _person(person: str) -> str:
    return NAMED.get(person) or blocks.mention(person)


MRKDWN = Format(text=_text, person=_person)


def moment(at: datetime) -> str:
    """A time in the reader's own zone. What cannot show that, such as a notification, shows UTC."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def card_link(item_id: int, place: Place | None, workspace: str, noun: str = "item") -> str:
    """The item's number, which leads to its card. workspace: its address; empty: it is not known."""
    return message_link(f"{noun} {item_id}", place, workspace)


def message_link(words: str, place: Place | None, workspace: str) -> str:
    """These words, which lead to a message. workspace: as above."""
    if place is None or not workspace:
        return words
    return blocks.link(f"{workspace.rstrip('/')}/archives/{place.channel}/p{place.ts.replace('.', '')}", words)


def refusal(refused: Refusal) -> str:
    """The sentence of a refusal, and the people who can help."""
    return asking(str(refused), refused.ask if isinstance(refused, NotAllowed) else ())


def asking(sentence: str, ask: Sequence[str]) -> str:
    """Times in the sentence are shown in the reader's zone.

    ask: ids of people and user groups who can change what the sentence says."""
    words = TIME.sub(_as_moment, blocks.escape(sentence))
    return f"{words} Ask {_one_of(ask)}." if ask else words


def _as_moment(found: re.Match[str]) -> str:
    try:
        return moment(datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
    except ValueError:  # a stranger's text: no such day
        return found[0]


def _one_of(people: Sequence[str]) -> str:
    *others, last = map(blocks.mention, people[:MOST_ASKED])
    return f"{', '.join(others)} or {last}" if others else last
