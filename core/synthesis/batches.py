"""Batches of written texts as rows: planned, requested, each call before it is made, judged, retired. The calls
themselves are made in core/synthesis/writing.py, and people's answers are counted in core/synthesis/deciding.py."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import jobs
from core.errors import AlreadySettled, Invalid, NotFound, Refusal
from core.learning.lifecycle.models import live_version
from core.learning.lifecycle.presenting import batch_changed, batch_requested
from core.people.groups import people_named
from core.people.members import members
from core.policy import QueuePolicy
from core.queues import queue_named, queue_to_fill
from core.records.learning import SeedExample
from core.records.queues import Queue
from core.records.reviews import Correction, ReviewItem
from core.records.synthetic import SyntheticBatch, SyntheticCall, SyntheticText
from core.review.items import open_about_written
from core.review.presenting import item_changed
from core.storage.database import insert
from core.synthesis.answers import read_answer
from core.synthesis.costs import Cost, fits, money_of, planned_cost
from core.synthesis.examples import ShownExample, examples_for
from core.synthesis.guards import Guarded, Judged, most_kept
from core.synthesis.languages import known_languages
from core.synthesis.prompt import MOST_ANSWER_TOKENS, VERSION, Wish, messages, tokens_of
from core.text.content_hash import unit_interval
from core.vocabulary import BatchProblem, CallProblem, Coded, Destination, ItemState, Role, SyntheticState

SYNTHESIS = "synthesis"  # the job
UNFINISHED = (SyntheticState.REQUESTED, SyntheticState.SAMPLED)
FEWEST_EXAMPLES = 3  # corrected texts: fewer show a language model too little of what people mean by the label
FEWEST_ASKED, SHARE_ASKED = 10, 0.2  # texts of a batch that people are asked about: all of fewer


class BatchOver(Exception):  # noqa: N818 - a fact: it ended while it was worked on
    """The batch was withdrawn or erased, or another process has finished it."""


@dataclass(frozen=True)
class Wanted:
    """What a person asks for. target: what the texts are to be, in their words; language: ISO 639-1."""

    label: str
    mistaken_for: str | None = None
    target: str = ""
    language: str = ""


@dataclass(frozen=True)
class Plan:
    """What would be sent, and what it would cost at most. prompt: as it would be sent; kept: texts of the batch at
    most."""

    examples: tuple[ShownExample, ...]
    prompt: list[dict[str, str]]
    kept: int
    cost: Cost


@dataclass(frozen=True)
class Ask:
    """A call that is stored and may be made. seed: makes equal requests differ, as far as the other side heeds it."""

    batch_id: int
    position: int
    planned: int
    prompt: list[dict[str, str]]
    seed: int
    address: str
    model: str


def batch_key(batch_id: int) -> str:
    """Of the batch's job."""
    return f"{SYNTHESIS}:{batch_id}"


def plan_batch(session: Session, policy: QueuePolicy, wanted: Wanted) -> Plan:
    """What a batch would send and cost; nothing is stored. Raises Refusal where the policy does not allow it, without a
    live model, with too few corrected texts, or where not one call is within the caps; Invalid for what cannot be
    written."""
    queue = queue_named(session, policy.name)
    _check(session, queue, policy, wanted)
    examples = examples_for(session, queue.id, policy, wanted.label, wanted.mistaken_for)
    if len(examples) < FEWEST_EXAMPLES:
        raise Refusal(
            f"Of “{wanted.label}”, {len(examples)} corrected texts may be shown to a language model; at least "
            f"{FEWEST_EXAMPLES} are needed. Find more with `goldloop discover --label`."
        )
    prompt = messages(wish_of(wanted, policy), [one.shown for one in examples])
    kept = most_kept(_own_rows(session, queue.id, wanted.label))
    cost = planned_cost(kept, tokens_of(prompt), policy.synthetic)
    if not cost.calls:
        raise Refusal("Not even one call is within the policy's caps: synthetic.tokens and synthetic.money.")
    return Plan(tuple(examples), prompt, kept, cost)


def request_batch(session: Session, policy: QueuePolicy, wanted: Wanted, person: str, now: datetime) -> int:
    """Ask for a batch; returns its id. The caller has shown the cost, and checked that the person may ask. The same one
    that is being written is returned again, so that a command that was ended can be given again. Raises as
    `plan_batch`, and Refusal while another batch of the queue is written or judged."""
    queue = queue_to_fill(session, policy.name)
    plan, rules = plan_batch(session, policy, wanted), policy.synthetic
    values = {"queue_id": queue.id, "label": wanted.label, "mistaken_for": wanted.mistaken_for,
              "target": wanted.target, "language": wanted.language}  # fmt: skip
    fresh = {
        "state": SyntheticState.REQUESTED, "address": rules.address, "model": rules.model, "prompt_version": VERSION,
        "plan": {"examples": [one.correction_id for one in plan.examples], "calls": plan.cost.calls,
                 "tokens": plan.cost.tokens, "money": plan.cost.money},
        "counts": {}, "requested_by": person, "requested_at": now, "problem": "", "problem_values": {},
        "policy_fingerprint": policy.fingerprint,
    }  # fmt: skip
    new = insert(session, SyntheticBatch).values(values | fresh)
    unfinished = text("state IN ('requested', 'sampled')")
    new = new.on_conflict_do_nothing(index_elements=["queue_id"], index_where=unfinished)
    batch_id: int | None = session.scalar(new.returning(SyntheticBatch.id))
    if batch_id is None:
        return _same(session, queue.id, values)
    payload, mutex = {"batch_id": batch_id}, f"{SYNTHESIS}:{queue.name}"
    jobs.enqueue(session, SYNTHESIS, batch_key(batch_id), payload, now, mutex, priority=1)
    batch_requested(session, batch_id, queue, now)
    return batch_id


def begin_call(session: Session, batch_id: int, policy: QueuePolicy, now: datetime) -> Ask | None:
    """Store the next call, with what it sends; None: there is none, as all are made or the next one would exceed a cap.
    Shares the queue's row with intake, so that no text is sent that is being erased, and locks the batch. A call
    without an answer is one whose process died: it counts as made, at the most that it can have cost. Raises
    BatchOver."""
    queue = queue_to_fill(session, policy.name)
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.REQUESTED:
        raise BatchOver(batch_id)
    _check_allowed(policy)
    calls = list(session.scalars(select(SyntheticCall).where(SyntheticCall.batch_id == batch_id)))
    for call in calls:
        if call.answered_at is None:
            call.problem, call.answered_at = CallProblem.LOST, now
    wish = wish_of(Wanted(batch.label, batch.mistaken_for, batch.target, batch.language), policy)
    examples = examples_for(session, queue.id, policy, batch.label, batch.mistaken_for, batch.plan["examples"])
    if not examples:
        raise Refusal("None of the chosen texts may be shown to a language model any more.")
    prompt = messages(wish, [one.shown for one in examples])
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
    return Ask(batch_id, len(calls) + 1, batch.plan["calls"], prompt, len(made) + 1, batch.address, batch.model)


def store_answer(
    session: Session, batch_id: int, position: int, body: str, problem: CallProblem | None, now: datetime
) -> None:
    """An answer as it came. problem: why there is none. Locks the batch. Raises BatchOver: then nothing is kept of
    it."""
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
    """All that the language model wrote, in order."""
    found = select(SyntheticCall.answer).where(SyntheticCall.batch_id == batch_id).order_by(SyntheticCall.position)
    return [one for body in session.scalars(found) if body for one in read_answer(body).texts]


def finish_batch(session: Session, batch_id: int, found: Guarded, policy: QueuePolicy, now: datetime) -> None:
    """Store what the guards say, and ask people about a sample of what they kept; or refuse the batch. Shares the
    queue's row, and locks the batch. Raises BatchOver, and Refusal where no one is left to ask."""
    queue = queue_to_fill(session, policy.name)
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.REQUESTED:
        raise BatchOver(batch_id)
    asked = [] if found.knows_the_golden_set else _sample(found.kept, batch_id)
    counts = {"written": found.written, "kept": len(found.kept), "asked": len(asked), "settled": 0, "confirmed": 0}
    batch.counts = counts | {str(guard): number for guard, number in found.counts.items()}
    batch.written_at = now
    rows = [_text_row(batch, one, keep=bool(asked)) for one in found.texts]
    session.add_all(rows)
    session.flush()
    if asked:
        batch.state = SyntheticState.SAMPLED
        chosen = {one.content_hash for one in asked}
        ids = [row.id for row in rows if row.content_hash in chosen]
        open_about_written(session, ids, _readers(session, queue, policy, batch.language), queue, now)
    elif found.knows_the_golden_set:
        leaks = {"leaks": batch.counts["golden_leak"], "written": found.written}
        end_batch(batch, SyntheticState.REFUSED, Coded(BatchProblem.GOLDEN_LEAK, leaks), now)
    else:
        end_batch(batch, SyntheticState.REFUSED, Coded(BatchProblem.NOTHING_LEFT, {"written": found.written}), now)
    session.flush()
    batch_changed(session, batch_id, now, urgent=True)


def fail_batch(session: Session, batch_id: int, problem: Coded, now: datetime) -> None:
    """problem: of `BatchProblem`. Does nothing to a batch that is over or judged. Locks it."""
    batch = locked_batch(session, batch_id)
    if batch.state is SyntheticState.REQUESTED:
        end_batch(batch, SyntheticState.FAILED, problem, now)
        session.flush()
        batch_changed(session, batch_id, now, urgent=True)


def retire_batch(session: Session, batch_id: int, person: str, now: datetime) -> SyntheticState:
    """Take a batch out: what is under way is withdrawn, what was admitted trains in no further snapshot. Open items
    about it are closed. Returns the state that it had. The caller checks that the person may. Locks the items, then the
    batch. Raises NotFound, and AlreadySettled if it trains nothing anyway."""
    items = locked_sample(session, batch_id)
    batch = locked_batch(session, batch_id)
    before = batch.state
    if before.is_over and before is not SyntheticState.ADMITTED:
        raise AlreadySettled(f"Batch {batch_id} is {before} already: it trains nothing.")
    close_items(session, items, now)
    end_batch(batch, SyntheticState.RETIRED, Coded(BatchProblem.WITHDRAWN), now)
    batch.retired_by = person
    session.flush()
    batch_changed(session, batch_id, now, urgent=True)
    return before


def locked_batch(session: Session, batch_id: int) -> SyntheticBatch:
    """Raises NotFound."""
    found = session.get(SyntheticBatch, batch_id, with_for_update={"of": SyntheticBatch}, populate_existing=True)
    if found is None:
        raise NotFound(f"There is no batch {batch_id} of written texts.")
    return found


def locked_sample(session: Session, batch_id: int) -> Sequence[ReviewItem]:
    """The items about texts of this batch, in the order of their ids. They are locked before their batch, as clicks
    lock them."""
    found = select(ReviewItem).join(SyntheticText, SyntheticText.id == ReviewItem.synthetic_id)
    found = found.where(SyntheticText.batch_id == batch_id).order_by(ReviewItem.id)
    locking = found.with_for_update(of=ReviewItem).execution_options(populate_existing=True)
    return session.scalars(locking).unique().all()


def close_items(session: Session, items: Sequence[ReviewItem], now: datetime) -> None:
    """Those that are undecided; the caller holds them."""
    for item in items:
        if item.state.is_undecided:
            item.state, item.settled_at, item.disputed_because, item.disputed_values = ItemState.CLOSED, now, "", {}
            item_changed(session, item.id, now, urgent=True)


def end_batch(batch: SyntheticBatch, state: SyntheticState, problem: Coded | None, now: datetime) -> None:
    """The caller holds it, and redraws its card."""
    batch.state, batch.decided_at = state, now
    if problem is not None:
        batch.problem, batch.problem_values = problem.code, dict(problem.values)


def wish_of(wanted: Wanted, policy: QueuePolicy) -> Wish:
    known = policy.label_named
    other = known.get(wanted.mistaken_for) if wanted.mistaken_for is not None else None
    return Wish(
        wanted.label, known[wanted.label].description, wanted.mistaken_for, other.description if other else "",
        wanted.target, wanted.language,
    )  # fmt: skip


def _check(session: Session, queue: Queue, policy: QueuePolicy, wanted: Wanted) -> None:
    _check_allowed(policy)
    for name in filter(None, (wanted.label, wanted.mistaken_for)):
        if name not in policy.label_named:
            raise Invalid(f"“{name}” is not a label of {policy.name}.", field="label")
    if wanted.label == wanted.mistaken_for:
        raise Invalid("A label is not mistaken for itself. Name another one.", field="mistaken_for")
    if live_version(session, queue.id) is None:
        raise Refusal(f"{policy.shown_title} has no live model, and the guards ask it about what is written.")
    if wanted.language:
        _check_language(session, queue, policy, wanted.language)


def _check_allowed(policy: QueuePolicy) -> None:
    rules = policy.synthetic
    if not rules.enabled:
        raise Refusal(
            f"Texts of {policy.shown_title} may not be sent to a language model. To allow it, set "
            f"[queues.{policy.name}.synthetic] enabled = true."
        )
    for name in ("address", "model"):
        if not getattr(rules, name):
            raise Refusal(f"[queues.{policy.name}.synthetic] {name} is missing: it says which language model is asked.")


def _check_language(session: Session, queue: Queue, policy: QueuePolicy, language: str) -> None:
    if language not in known_languages():
        known = ", ".join(known_languages())
        raise Invalid(f"Texts in “{language}” cannot be recognised. Languages: {known}.", field="language")
    readers, needed = _readers(session, queue, policy, language), _fewest_voters(policy)
    if len(readers) < needed:
        raise Refusal(
            f"{len(readers)} reviewers of {policy.shown_title} are named for “{language}”, and a decision takes "
            f"{needed}. Name them in [[queues.{policy.name}.synthetic.readers]]."
        )


def _readers(session: Session, queue: Queue, policy: QueuePolicy, language: str) -> list[str]:
    """The reviewers who are named for the language; empty for the queue's own, which all of them read. Raises Refusal
    where none is left: others are not asked instead."""
    if not language:
        return []
    named = people_named(session, policy.synthetic.readers_of(language))
    found = [one for one in members(session, queue.id, Role.REVIEWER) if one in named]
    if not found:
        raise Refusal(
            f"No reviewer of {policy.shown_title} is named for “{language}”. Name at least {_fewest_voters(policy)} in "
            f"[[queues.{policy.name}.synthetic.readers]]."
        )
    return found


def _fewest_voters(policy: QueuePolicy) -> int:
    """With whom reviewers can settle an item."""
    return 2 if policy.consensus.rule == "lead_by_2" else policy.consensus.votes // 2 + 1


def _own_rows(session: Session, queue_id: int, label: str) -> int:
    """About as many training rows as the label has."""
    seeds = select(func.count()).where(
        SeedExample.queue_id == queue_id, SeedExample.label == label, SeedExample.erased_at.is_(None)
    )
    corrections = select(func.count()).where(
        Correction.queue_id == queue_id, Correction.is_current, Correction.label == label,
        Correction.destination == Destination.TRAINING,
    )  # fmt: skip
    return (session.scalar(seeds) or 0) + (session.scalar(corrections) or 0)


def _same(session: Session, queue_id: int, values: dict[str, Any]) -> int:
    found = select(SyntheticBatch).where(SyntheticBatch.queue_id == queue_id, SyntheticBatch.state.in_(UNFINISHED))
    batch = session.scalars(found).one()
    if batch.state is SyntheticState.SAMPLED:
        raise Refusal(f"Reviewers are asked about batch {batch.id} of this queue. Wait for them, or retire it.")
    if any(getattr(batch, name) != value for name, value in values.items()):
        raise Refusal(f"Batch {batch.id} of this queue is being written, for “{batch.label}”. Wait, or retire it.")
    return batch.id


def _cost_with(calls: Sequence[SyntheticCall], prompt_tokens: int, policy: QueuePolicy) -> Cost:
    """Of the calls up to now and one more. A call that did not say what it took counts as the most that it can have."""
    sent = sum(call.sent_tokens if call.tokens_in is None else call.tokens_in for call in calls)
    written = sum(MOST_ANSWER_TOKENS if call.tokens_out is None else call.tokens_out for call in calls)
    total = sent + prompt_tokens, written + MOST_ANSWER_TOKENS
    return Cost(len(calls) + 1, sum(total), money_of(*total, policy.synthetic))


def _sample(kept: Sequence[Judged], batch_id: int) -> list[Judged]:
    size = max(FEWEST_ASKED, math.ceil(SHARE_ASKED * len(kept)))
    return sorted(kept, key=lambda one: unit_interval(one.content_hash, f"synthetic {batch_id}"))[:size]


def _text_row(batch: SyntheticBatch, one: Judged, keep: bool) -> SyntheticText:
    return SyntheticText(
        batch_id=batch.id, queue_id=batch.queue_id, text=one.text if keep and one.dropped is None else "",
        content_hash=one.content_hash, dropped_because=one.dropped or "",
    )  # fmt: skip
