"""What Slack sends, as values. Raises Invalid for anything that is not one of ours; nothing else reads a payload."""

import re
from dataclasses import dataclass
from typing import Any

from core.delivery.card_refs import CardRef
from core.errors import Invalid
from core.review.votes import NewAnswer
from core.text.storable import storable
from core.vocabulary import AnswerKind, ErrorReason

Body = dict[str, Any]

STALE = "This control is out of date. Please use the newest message."
ANSWER_WORDS = {
    "label": AnswerKind.LABEL,
    "none": AnswerKind.NONE_OF_THESE,
    "cannot": AnswerKind.CANNOT_JUDGE,
    "skip": AnswerKind.SKIP,
}
NONE_VALUE = "|none"  # of the option "None of these" in a list of labels; no label can be called so
TIMESTAMP = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)
APPROVE = frozenset({"white_check_mark", "heavy_check_mark", "ballot_box_with_check"})
REJECT = frozenset({"x", "negative_squared_cross_mark", "heavy_multiplication_x"})


@dataclass(frozen=True)
class Click:
    """A button about one row. value: what the button carries beyond the row."""

    person: str
    subject: CardRef
    value: str
    clicked_at: int
    trigger_id: str


@dataclass(frozen=True)
class Vote:
    """What a person says about an item, by a button or in the form."""

    person: str
    item: CardRef
    said: NewAnswer


@dataclass(frozen=True)
class Reaction:
    """emoji without skin tone; at: Slack's event time in microseconds."""

    person: str
    channel: str
    ts: str
    emoji: str
    at: int

    @property
    def approves(self) -> bool:
        return self.emoji in APPROVE

    @property
    def rejects(self) -> bool:
        return self.emoji in REJECT


@dataclass(frozen=True)
class Command:
    person: str
    channel: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class FlagRequest:
    """The shortcut "Flag for review" on a message."""

    person: str
    channel: str
    ts: str
    text: str
    trigger_id: str


def click(body: Body) -> Click:
    action = _first(body)
    subject, _, value = str(action.get("value", "")).partition("|")
    return Click(
        person=person(body),
        subject=_subject(subject),
        value=value,
        clicked_at=microseconds(str(action.get("action_ts", ""))),
        trigger_id=str(body.get("trigger_id", "")),
    )


def vote_click(body: Body) -> Vote:
    """value of the button: "ITEM|label|NAME", "ITEM|none", "ITEM|cannot" or "ITEM|skip"; ITEM is a `Subject`."""
    clicked = click(body)
    word, _, label = clicked.value.partition("|")
    if word not in ANSWER_WORDS:
        raise Invalid(STALE)
    kind = ANSWER_WORDS[word]
    said = NewAnswer(kind, clicked.clicked_at, label if kind is AnswerKind.LABEL else None)
    return Vote(clicked.person, clicked.subject, said)


def form_submission(body: Body) -> Vote:
    """The form "label and why". Slack stamps no time on a submission, and our own clock may not agree with Slack's;
    what is known is when the form was opened, which it carries beside the item: "ITEM|MICROSECONDS"."""
    view = _part(body, "view")
    item, _, opened_at = str(view.get("private_metadata", "")).partition("|")
    chosen = _selected(view, "label")
    reason = _selected(view, "reason")
    if reason is not None and reason not in set(ErrorReason):
        raise Invalid(STALE, field="reason")
    if chosen is None:
        raise Invalid("Choose a label or “None of these”.", field="label")
    none = chosen == NONE_VALUE
    said = NewAnswer(
        kind=AnswerKind.NONE_OF_THESE if none else AnswerKind.LABEL,
        clicked_at=_number(opened_at) if opened_at else 0,
        label=None if none else chosen,
        reason=ErrorReason(reason) if reason else None,
        note=_typed(view, "note"),
        in_form=True,
    )
    return Vote(person(body), _subject(item), said)


@dataclass(frozen=True)
class Overruling:
    """seen: the evaluation that the form was about; 0 in one of a former release."""

    person: str
    model: CardRef
    seen: int
    reason: str


def overrule_submission(body: Body) -> Overruling:
    view = _part(body, "view")
    model, _, seen = str(view.get("private_metadata", "")).partition("|")
    return Overruling(person(body), _subject(model), _number(seen) if seen else 0, _typed(view, "reason"))


@dataclass(frozen=True)
class FlagSubmission:
    """origin: the message's coordinates, so that the same message flagged twice is one item."""

    person: str
    queue: str
    text: str
    origin: str


def flag_submission(body: Body) -> FlagSubmission:
    view = _part(body, "view")
    queue, text = _selected(view, "queue"), _typed(view, "text")
    if queue is None:
        raise Invalid("Choose a queue.", field="queue")
    if not text:
        raise Invalid("There is no text left to look at.", field="text")
    return FlagSubmission(person(body), queue, text, str(view.get("private_metadata", "")))


def reaction(event: Body) -> Reaction:
    item = _part(event, "item")
    return Reaction(
        person=str(event.get("user", "")),
        channel=str(item.get("channel", "")),
        ts=str(item.get("ts", "")),
        emoji=str(event.get("reaction", "")).split("::", 1)[0],
        at=microseconds(str(event.get("event_ts", ""))),
    )


def command(body: Body) -> Command:
    words = tuple(str(body.get("text", "")).split())
    return Command(str(body.get("user_id", "")), str(body.get("channel_id", "")), words)


def flag_request(body: Body) -> FlagRequest:
    message, channel = _part(body, "message"), _part(body, "channel")
    text = storable(unescape(str(message.get("text") or ""))).strip()
    if not text:
        raise Invalid("This message has no text to look at.")
    return FlagRequest(
        person=person(body),
        channel=str(channel.get("id", "")),
        ts=str(message.get("ts", "")),
        text=text,
        trigger_id=str(body.get("trigger_id", "")),
    )


def unescape(text: str) -> str:
    """What a person typed: Slack sends these three as entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def suggestion(body: Body) -> tuple[CardRef, str]:
    """Item and what was typed, for a searchable choice inside the item's form."""
    item, _, _opened_at = str(_part(body, "view").get("private_metadata", "")).partition("|")
    return _subject(item), str(body.get("value", ""))


def person(body: Body) -> str:
    found = _part(body, "user").get("id") or body.get("user_id")
    if not isinstance(found, str) or not found:
        raise Invalid(STALE)
    return found


def microseconds(timestamp: str) -> int:
    """Slack's "1700000000.123456" as a whole number, exactly."""
    match = TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise Invalid(STALE)
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def _first(body: Body) -> Body:
    found = body.get("actions")
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        raise Invalid(STALE)
    return found[0]


def _subject(text: object) -> CardRef:
    """Of "7.1764000000123456"."""
    number, _, since = str(text).partition(".")
    return CardRef(_number(number), _number(since) if since else None)


def _number(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(STALE)
    return int(text)


def _selected(view: Body, block_id: str) -> str | None:
    chosen = _part(_state(view, block_id), "selected_option").get("value")
    return None if chosen is None else str(chosen)


def _typed(view: Body, block_id: str) -> str:
    return storable(str(_state(view, block_id).get("value") or "")).strip()


def _state(view: Body, block_id: str) -> Body:
    block = _part(_part(_part(view, "state"), "values"), block_id)
    return _part({"element": next(iter(block.values()), None)}, "element")


def _part(whole: Body, name: str) -> Body:
    """The object of this name; empty where there is none, or something else."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
