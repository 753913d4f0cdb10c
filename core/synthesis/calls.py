"""The calls of a batch as rows: a call is stored before it is made, and its answer verbatim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.learning.lifecycle.presenting import batch_changed
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.synthetic import SyntheticCall
from core.synthesis.answers import read_answer
from core.synthesis.batches import BatchOver, locked_batch
from core.synthesis.costs import Cost, fits, money_of
from core.synthesis.examples import examples_for
from core.synthesis.prompt import MOST_ANSWER_TOKENS, messages, tokens_of
from core.synthesis.requests import Wanted, check_allowed, text_spec
from core.vocabulary import CallProblem, SyntheticState


@dataclass(frozen=True)
class Ask:
    """A stored call that may be made. seed: makes equal requests differ, if the model's server uses it. seconds: the
    time that the call may take."""

    batch_id: int
    position: int
    planned: int
    prompt: list[dict[str, str]]
    seed: int
    address: str
    model: str
    seconds: float


def begin_call(session: Session, batch_id: int, policy: QueuePolicy, now: datetime) -> Ask | None:
    """Store the next call, with what it sends. None: all calls are made, or the next one would exceed a cap. Shares the
    queue's row with intake, so that no text is sent that is being erased, and locks the batch. Raises BatchOver.

    The process of a call without an answer has died: the call counts as made, at the highest cost that it can have had.
    """
    queue = queue_to_fill(session, policy.name)
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.REQUESTED:
        raise BatchOver(batch_id)
    check_allowed(policy)
    calls = list(session.scalars(select(SyntheticCall).where(SyntheticCall.batch_id == batch_id)))
    for call in calls:
        if call.answered_at is None:
            call.problem, call.answered_at = CallProblem.LOST, now
    spec = text_spec(Wanted(batch.label, batch.mistaken_for, batch.target, batch.language), policy)
    examples = examples_for(session, queue.id, policy, batch.label, batch.mistaken_for, batch.plan["examples"])
    if not examples:
        raise Refusal("None of the chosen texts may be shown to a language model any more.")
    prompt = messages(spec, [one.shown for one in examples])
    made = [call for call in calls if call.problem != CallProblem.BUSY]
    if len(made) >= batch.plan["calls"] or not fits(_cost_with(made, tokens_of(prompt), policy), policy.synthetic):
        return None
    sent = {"hashes": [one.content_hash for one in examples]}
    call = SyntheticCall(
        batch_id=batch_id, position=len(calls) + 1, sent=sent, sent_tokens=tokens_of(prompt), answer="", problem="",
        asked_at=now,
    )  # fmt: skip
    session.add(call)
    session.flush()
    return Ask(
        batch_id, len(calls) + 1, batch.plan["calls"], prompt, len(made) + 1, batch.address, batch.model,
        policy.synthetic.seconds,
    )  # fmt: skip


def store_answer(
    session: Session, batch_id: int, position: int, body: str, problem: CallProblem | None, now: datetime
) -> None:
    """Store an answer verbatim. problem: why there is none. Locks the batch. Raises BatchOver: then nothing of the
    answer is kept."""
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.REQUESTED:
        raise BatchOver(batch_id)
    written = read_answer(body)
    values: dict[str, Any] = {
        "answer": body, "problem": problem or written.problem or "", "tokens_in": written.tokens_in,
        "tokens_out": written.tokens_out, "answered_at": now,
    }  # fmt: skip
    mine = (SyntheticCall.batch_id == batch_id, SyntheticCall.position == position)
    session.execute(update(SyntheticCall).where(*mine).values(**values))
    batch_changed(session, batch_id, now)


def written_texts(session: Session, batch_id: int) -> list[str]:
    """All texts that the language model wrote, in order."""
    found = select(SyntheticCall.answer).where(SyntheticCall.batch_id == batch_id).order_by(SyntheticCall.position)
    return [one for body in session.scalars(found) if body for one in read_answer(body).texts]


def _cost_with(calls: Sequence[SyntheticCall], prompt_tokens: int, policy: QueuePolicy) -> Cost:
    """The cost of the calls so far and one more. A call whose tokens are not known counts as the most expensive that it
    can have been."""
    sent = sum(call.sent_tokens if call.tokens_in is None else call.tokens_in for call in calls)
    written = sum(MOST_ANSWER_TOKENS if call.tokens_out is None else call.tokens_out for call in calls)
    total = sent + prompt_tokens, written + MOST_ANSWER_TOKENS
    return Cost(len(calls) + 1, sum(total), money_of(*total, policy.synthetic))
