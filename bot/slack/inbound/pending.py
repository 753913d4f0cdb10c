"""A vote under way: what its listener leaves in Bolt's context, and which requests leave it. The request is answered
when it is decided, and not before."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from slack_bolt import BoltContext

from bot.slack.blocks import Message
from bot.slack.inbound.payload_schema import Payload
from core.review.votes import Receipt

PENDING = "pending"  # its name in the context


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


def is_vote(parsed: Payload) -> bool:
    """Whether the listener of this request leaves a vote and does nothing that takes long."""
    if parsed.type == "view_submission":
        return parsed.view is not None and parsed.view.callback_id == "answer_form"
    action = parsed.actions[0].action_id if parsed.type == "block_actions" and parsed.actions else ""
    return action == "undo" or action.startswith("vote:")
