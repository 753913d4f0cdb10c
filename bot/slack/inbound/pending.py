"""A vote under way: which requests are votes, and what follows when the collector has decided one. The request of a
vote is answered only when the vote is decided."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from bot.slack.blocks import Message
from bot.slack.inbound.payload_schema import Payload
from core.review.votes import Receipt

KindOfVote = Literal["button", "undo", "form"]


@dataclass(frozen=True)
class Pending:
    """A vote that the collector has taken. receipt: done when the vote is committed, or refused for a reason. then:
    called with the receipt; refused: called with the message of a refusal. Neither may block."""

    receipt: "Future[Receipt]"
    then: Callable[[Receipt], None]
    refused: Callable[[Message], None] | None = None


TakeVote = Callable[[Payload], Pending]  # may raise Refusal, and does not block


def kind_of_vote(parsed: Payload) -> KindOfVote | None:
    """The kind of vote; None: the request is no vote."""
    if parsed.type == "view_submission":
        return "form" if parsed.view is not None and parsed.view.callback_id == "answer_form" else None
    action = parsed.actions[0].action_id if parsed.type == "block_actions" and parsed.actions else ""
    if action == "undo":
        return "undo"
    return "button" if action.startswith("vote:") else None
