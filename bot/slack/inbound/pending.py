"""A vote under way: what its listener leaves in Bolt's context, and which requests leave it. The request is answered
when it is decided, and not before."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from slack_bolt import BoltContext

from bot.slack.blocks import Message
from bot.slack.inbound.payload_schema import Payload
from core.review.votes import Receipt

PENDING = "pending"  # its name in the context

KindOfVote = Literal["button", "undo", "form"]


@dataclass(frozen=True)
class Pending:
    """receipt: ends when the vote is committed, or with the reason why it is not. then: what follows the receipt;
    refused: what follows a refusal, with its words. Neither may wait for anything."""

    receipt: "Future[Receipt]"
    then: Callable[[Receipt], None]
    refused: Callable[[Message], None] | None = None


def leave(
    context: BoltContext,
    receipt: "Future[Receipt]",
    then: Callable[[Receipt], None],
    refused: Callable[[Message], None] | None = None,
) -> None:
    context[PENDING] = Pending(receipt, then, refused)


def left_in(context: BoltContext) -> Pending | None:
    found: Pending | None = context.get(PENDING)
    return found


def kind_of_vote(parsed: Payload) -> KindOfVote | None:
    """None for a request that leaves no vote. Taking one takes no time."""
    if parsed.type == "view_submission":
        return "form" if parsed.view is not None and parsed.view.callback_id == "answer_form" else None
    action = parsed.actions[0].action_id if parsed.type == "block_actions" and parsed.actions else ""
    if action == "undo":
        return "undo"
    return "button" if action.startswith("vote:") else None
