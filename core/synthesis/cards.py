"""The card of a batch, as plain data. It holds neither texts of people nor written texts."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.policy import Policy
from core.queues import queue_named
from core.records.synthetic import SyntheticBatch, SyntheticCall
from core.synthesis.costs import money_of
from core.vocabulary import Coded, SyntheticState

LISTED = 10  # the newest batches of a queue that are listed


@dataclass(frozen=True)
class Spent:
    """The cost so far. silent: calls whose tokens are not known, so they are not counted. money: None: the policy has
    no prices. sent: texts of people that were in a prompt."""

    calls: int
    planned: int
    tokens: int
    silent: int
    money: float | None
    problems: Mapping[str, int]  # words of `CallProblem`
    sent: int


@dataclass(frozen=True)
class BatchCard:
    """A batch as people see it. counts: see `SyntheticBatch`; empty until it is written. problem: a code of
    `BatchProblem`."""

    batch_id: int
    queue_title: str
    label: str
    mistaken_for: str | None
    target: str
    language: str
    model: str
    address: str
    state: SyntheticState
    requested_by: str
    retired_by: str | None
    spent: Spent
    counts: Mapping[str, int]
    problem: Coded | None


def batch_card(session: Session, batch_id: int, policy: Policy) -> BatchCard:
    """The card. Raises NotFound."""
    batch = session.get(SyntheticBatch, batch_id, populate_existing=True)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id} of written texts.")
    return _card(session, batch, policy)


def newest_batches(session: Session, policy: Policy, queue_name: str) -> list[BatchCard]:
    queue = queue_named(session, queue_name)
    found = select(SyntheticBatch).where(SyntheticBatch.queue_id == queue.id).order_by(SyntheticBatch.id.desc())
    return [_card(session, batch, policy) for batch in session.scalars(found.limit(LISTED))]


def _card(session: Session, batch: SyntheticBatch, policy: Policy) -> BatchCard:
    queue = policy.queue(batch.queue.name)
    return BatchCard(
        batch_id=batch.id,
        queue_title=queue.shown_title,
        label=batch.label,
        mistaken_for=batch.mistaken_for,
        target=queue.privacy.shown(batch.target),
        language=batch.language,
        model=batch.model,
        address=batch.address,
        state=batch.state,
        requested_by=batch.requested_by,
        retired_by=batch.retired_by,
        spent=_spent(session, batch, policy),
        counts=batch.counts,
        problem=Coded(batch.problem, batch.problem_values) if batch.problem else None,
    )


def _spent(session: Session, batch: SyntheticBatch, policy: Policy) -> Spent:
    calls = session.scalars(select(SyntheticCall).where(SyntheticCall.batch_id == batch.id)).all()
    problems: dict[str, int] = {}
    for call in calls:
        if call.problem:
            problems[call.problem] = problems.get(call.problem, 0) + 1
    told_in, told_out = (sum(getattr(call, name) or 0 for call in calls) for name in ("tokens_in", "tokens_out"))
    return Spent(
        calls=len(calls),
        planned=int(batch.plan.get("calls", 0)),
        tokens=told_in + told_out,
        silent=sum(call.tokens_in is None or call.tokens_out is None for call in calls),
        money=money_of(told_in, told_out, policy.queue(batch.queue.name).synthetic),
        problems=problems,
        sent=len({digest for call in calls for digest in call.sent["hashes"]}),
    )
