"""Sentences in Slack's markup: people as mentions, times in the reader's zone, strangers' text escaped."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.slack import blocks
from bot.wording.format import NAMED, Format
from core.delivery.outbox import Place
from core.errors import NotAllowed, Refusal

MOST = 300  # characters of a stranger's text inside a sentence
MOST_ASKED = 3  # people named in one refusal
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", re.ASCII)  # a time as the core writes it in a refusal


def _text(text: str) -> str:
    return blocks.literal(blocks.shorten(text, MOST))


def _person(person: str) -> str:
    return NAMED.get(person) or blocks.mention(person)


MRKDWN = Format(text=_text, person=_person)


def moment(at: datetime) -> str:
    """A time in the reader's zone. Notifications, which cannot show that, show UTC."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def card_link(item_id: int, place: Place | None, workspace: str, noun: str = "item") -> str:
    """The item's number as a link to its card. workspace: the workspace's address; empty: unknown, so no link."""
    return message_link(f"{noun} {item_id}", place, workspace)


def message_link(words: str, place: Place | None, workspace: str) -> str:
    """These words as a link to a message. workspace: as above."""
    if place is None or not workspace:
        return words
    return blocks.link(f"{workspace.rstrip('/')}/archives/{place.channel}/p{place.ts.replace('.', '')}", words)


def refusal(refused: Refusal) -> str:
    """The sentence of a refusal, and the people who can help."""
    return asking(str(refused), refused.ask if isinstance(refused, NotAllowed) else ())


def asking(sentence: str, ask: Sequence[str]) -> str:
    """The sentence, with times in the reader's zone, and the people to ask. ask: ids of the people and user groups who
    can help."""
    words = TIME.sub(_as_moment, blocks.escape(sentence))
    return f"{words} Ask {_one_of(ask)}." if ask else words


def _as_moment(found: re.Match[str]) -> str:
    try:
        return moment(datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
    except ValueError:  # text by a stranger with an impossible date
        return found[0]


def _one_of(people: Sequence[str]) -> str:
    *others, last = map(blocks.mention, people[:MOST_ASKED])
    return f"{', '.join(others)} or {last}" if others else last
