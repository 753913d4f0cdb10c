"""A vote under way: which requests are votes, and what becomes of one that the collector has taken. Its request is
answered when it is decided, and not before."""

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
    """receipt: ends when the vote is committed, or with the reason why it is not. then: what follows the receipt;
    refused: what follows a refusal, with its words. Neither may wait for anything."""

    receipt: "Future[Receipt]"
    then: Callable[[Receipt], None]
    refused: Callable[[Message], None] | None = None


TakeVote = Callable[[Payload], Pending]  # may raise Refusal, and takes no time


def kind_of_vote(parsed: Payload) -> KindOfVote | None:
    """None for a request that is no vote."""
    if parsed.type == "view_submission":
        return "form" if parsed.view is not None and parsed.view.callback_id == "answer_form" else None
    action = parsed.actions[0].action_id if parsed.type == "block_actions" and parsed.actions else ""
    if action == "undo":
        return "undo"
    return "button" if action.startswith("vote:") else None
