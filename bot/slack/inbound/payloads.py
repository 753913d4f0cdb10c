"""Actions of people in Slack, as values read from parsed payloads. Raises Invalid for anything that Goldloop did not
offer."""

import re
from dataclasses import dataclass

from bot.slack.controls import ANSWER_WORDS, IN_LIST, OPTION_KINDS
from bot.slack.inbound.payload_schema import Action, Input, Named, Payload, View
from core.delivery.card_refs import CardRef
from core.errors import Invalid
from core.review.votes import NewAnswer
from core.vocabulary import AnswerKind, ErrorReason, OfferAbout, OfferKind

STALE = "This control is out of date. Please use the newest message."
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
class OfferClick:
    """A button of an offer, "offer:KIND:PLACE" with the value "SUBJECT|ABOUT|CHOICE"."""

    kind: OfferKind
    about: OfferAbout
    choice: str


@dataclass(frozen=True)
class Vote:
    """An answer to an item, given by a button or in the form."""

    person: str
    item: CardRef
    answer: NewAnswer


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


@dataclass(frozen=True)
class Overruling:
    """The form that overrules the gate. seen: the evaluation that the form was about; 0 in a form of a former
    release."""

    person: str
    model: CardRef
    seen: int
    reason: str


@dataclass(frozen=True)
class FlagSubmission:
    """origin: the message's coordinates, so that the same message flagged twice is one item."""

    person: str
    queue: str
    text: str
    origin: str


@dataclass(frozen=True)
class PeopleChange:
    """A change of a person, a user group or a channel, by its id; the other two are empty."""

    person: str = ""
    group: str = ""
    channel: str = ""


def click(payload: Payload) -> Click:
    action = _first_action(payload)
    subject, _, value = action.value.partition("|")
    return Click(
        person=person(payload),
        subject=_card_ref(subject),
        value=value,
        clicked_at=microseconds(action.action_ts),
        trigger_id=payload.trigger_id,
    )


def is_in_list(payload: Payload) -> bool:
    """Whether the button is in the answer to `/goldloop mine`."""
    return _first_action(payload).value.partition("|")[2] == IN_LIST


def seen(clicked: Click) -> int:
    """The evaluation that was shown beside a button: its value is "MODEL|EVALUATION"."""
    return _number(clicked.value)


def offer(payload: Payload) -> OfferClick:
    kind = _first_action(payload).action_id.split(":")[1]
    about, _, choice = click(payload).value.partition("|")
    if kind not in set(OfferKind) or about not in set(OfferAbout):
        raise Invalid(STALE)
    return OfferClick(OfferKind(kind), OfferAbout(about), choice)


def vote_click(payload: Payload) -> Vote:
    clicked = click(payload)
    word, _, label = clicked.value.partition("|")
    if word not in ANSWER_WORDS:
        raise Invalid(STALE)
    kind = ANSWER_WORDS[word]
    answer = NewAnswer(kind, clicked.clicked_at, label if kind is AnswerKind.LABEL else None)
    return Vote(clicked.person, clicked.subject, answer)


def form_submission(payload: Payload) -> Vote:
    """The form "label and why". Slack does not tell when a form is submitted, and our own clock may differ from
    Slack's. What is known is when the form was opened; it carries that beside the item: "ITEM|MICROSECONDS"."""
    view = _view(payload)
    item, _, opened_at = view.private_metadata.partition("|")
    chosen = _selected(view, "label")
    reason = _selected(view, "reason")
    if reason is not None and reason not in set(ErrorReason):
        raise Invalid(STALE, field="reason")
    if chosen is None:
        raise Invalid("Choose a label, “None of these” or “Cannot judge”.", field="label")
    kind = OPTION_KINDS.get(chosen, AnswerKind.LABEL)
    answer = NewAnswer(
        kind=kind,
        clicked_at=_number(opened_at) if opened_at else 0,
        label=chosen if kind is AnswerKind.LABEL else None,
        reason=ErrorReason(reason) if reason else None,
        note=_typed(view, "note"),
        in_form=True,
    )
    return Vote(person(payload), _card_ref(item), answer)


def overrule_submission(payload: Payload) -> Overruling:
    view = _view(payload)
    model, _, seen = view.private_metadata.partition("|")
    return Overruling(person(payload), _card_ref(model), _number(seen) if seen else 0, _typed(view, "reason"))


def flag_submission(payload: Payload) -> FlagSubmission:
    view = _view(payload)
    queue, text = _selected(view, "queue"), _typed(view, "text")
    if queue is None:
        raise Invalid("Choose a queue.", field="queue")
    if not text:
        raise Invalid("The text is empty. Enter the text to review.", field="text")
    return FlagSubmission(person(payload), queue, text, view.private_metadata)


def suggestion(payload: Payload) -> tuple[CardRef, str]:
    """The item and the typed text, for a searchable choice in the form about the item."""
    item, _, _opened_at = _view(payload).private_metadata.partition("|")
    return _card_ref(item), payload.value


def reaction(payload: Payload) -> Reaction:
    event = payload.event
    if event is None or event.item is None:
        raise Invalid(STALE)
    return Reaction(
        person=_id(event.user),
        channel=event.item.channel or "",
        ts=event.item.ts or "",
        emoji=event.reaction.split("::", 1)[0],
        at=microseconds(event.event_ts),
    )


def command(payload: Payload) -> Command:
    return Command(payload.user_id or "", payload.channel_id or "", tuple(payload.text.split()))


def flag_request(payload: Payload) -> FlagRequest:
    message = payload.message
    text = unescape(message.text or "").strip() if message else ""
    if message is None or not text:
        raise Invalid("This message has no text to review.")
    return FlagRequest(
        person=person(payload),
        channel=_id(payload.channel),
        ts=message.ts or "",
        text=text,
        trigger_id=payload.trigger_id,
    )


def home_opened(payload: Payload) -> str | None:
    """The person who has opened the Home tab; None: they have opened another tab."""
    event = payload.event
    return _id(event.user) if event is not None and event.tab == "home" else None


def people_change(payload: Payload) -> PeopleChange:
    event = payload.event
    if event is None:
        return PeopleChange()
    match event.type:
        case "user_change":
            return PeopleChange(person=_id(event.user))
        case "subteam_members_changed" | "subteam_updated":
            return PeopleChange(group=event.subteam_id or _id(event.subteam))
        case _:
            return PeopleChange(channel=_id(event.channel))


def team(payload: Payload) -> str | None:
    """The workspace of the person who acts, if the payload names it; for an event, the workspace in which it
    happened."""
    if payload.type == "event_callback":
        return payload.team_id
    of_person = payload.user.team_id if payload.user else None
    return of_person or (_id(payload.team) if isinstance(payload.team, Named) else "") or payload.team_id


def person(payload: Payload) -> str:
    found = _id(payload.user) or payload.user_id
    if not found:
        raise Invalid(STALE)
    return found


def unescape(text: str) -> str:
    """The text as a person typed it: Slack sends &, < and > as entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def microseconds(timestamp: str) -> int:
    """Slack's "1700000000.123456" as a whole number, exactly."""
    match = TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise Invalid(STALE)
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def _first_action(payload: Payload) -> Action:
    if not payload.actions:
        raise Invalid(STALE)
    return payload.actions[0]


def _view(payload: Payload) -> View:
    return payload.view or View(type="")


def _id(named: str | Named | None) -> str:
    """The id of a person or channel, which Slack writes as an id or as an object; empty if there is neither."""
    found = named.id if isinstance(named, Named) else named
    return found or ""


def _card_ref(text: str) -> CardRef:
    """The card that "7.1764000000123456" refers to."""
    number, _, since = text.partition(".")
    return CardRef(_number(number), _number(since) if since else None)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(STALE)
    return int(text)


def _selected(view: View, block_id: str) -> str | None:
    option = _input(view, block_id).selected_option
    return None if option is None else option.value


def _typed(view: View, block_id: str) -> str:
    return (_input(view, block_id).value or "").strip()


def _input(view: View, block_id: str) -> Input:
    """A block holds one element."""
    block = view.state.values.get(block_id, {})
    return next(iter(block.values()), None) or Input()
