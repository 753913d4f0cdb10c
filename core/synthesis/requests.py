"""Requests for batches of written texts: what may be requested, what it would send and cost, and the row of the
batch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import jobs
from core.errors import Invalid, Refusal
from core.learning.lifecycle.models import live_version
from core.learning.lifecycle.presenting import batch_requested
from core.people.groups import people_named
from core.people.members import members
from core.policy import QueuePolicy
from core.queues import queue_named, queue_to_fill
from core.records.learning import SeedExample
from core.records.queues import Queue
from core.records.reviews import Correction
from core.records.synthetic import SyntheticBatch
from core.storage.database import insert
from core.synthesis.batches import SYNTHESIS, UNFINISHED, batch_key
from core.synthesis.costs import Cost, planned_cost
from core.synthesis.examples import ShownExample, examples_for
from core.synthesis.guards import most_kept
from core.synthesis.languages import known_languages
from core.synthesis.prompt import VERSION, TextSpec, messages, tokens_of
from core.vocabulary import Destination, Role, SyntheticState

FEWEST_EXAMPLES = 3  # corrected texts; fewer do not show a language model what people mean by the label


@dataclass(frozen=True)
class Wanted:
    """A person's request. target: what the texts are to be, in their words; language: ISO 639-1."""

    label: str
    mistaken_for: str | None = None
    target: str = ""
    language: str = ""


@dataclass(frozen=True)
class Plan:
    """What a batch would send, and its highest possible cost. prompt: as it would be sent; kept: the most texts that
    the batch may keep."""

    examples: tuple[ShownExample, ...]
    prompt: list[dict[str, str]]
    kept: int
    cost: Cost


def plan_batch(session: Session, policy: QueuePolicy, wanted: Wanted) -> Plan:
    """What a batch would send and cost; nothing is stored. Raises Refusal if the policy does not allow the batch,
    without a live model, with too few corrected texts, or if not a single call is within the caps; Invalid for a
    request that cannot be written."""
    queue = queue_named(session, policy.name)
    _check(session, queue, policy, wanted)
    examples = examples_for(session, queue.id, policy, wanted.label, wanted.mistaken_for)
    if len(examples) < FEWEST_EXAMPLES:
        raise Refusal(
            f"Of “{wanted.label}”, {len(examples)} corrected texts may be shown to a language model; at least "
            f"{FEWEST_EXAMPLES} are needed. Find more with `goldloop discover --label`."
        )
    prompt = messages(text_spec(wanted, policy), [one.shown for one in examples])
    kept = most_kept(_own_rows(session, queue.id, wanted.label))
    cost = planned_cost(kept, tokens_of(prompt), policy.synthetic)
    if not cost.calls:
        raise Refusal("Not even one call is within the policy's caps: synthetic.tokens and synthetic.money.")
    return Plan(tuple(examples), prompt, kept, cost)


def request_batch(session: Session, policy: QueuePolicy, wanted: Wanted, person: str, now: datetime) -> int:
    """Request a batch; returns its id. The caller has shown the cost, and checked that the person may request it. If
    the same batch is being written already, its id is returned, so that a command that was ended can be given again.
    Raises as `plan_batch`, and Refusal while another batch of the queue is written or judged."""
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
        return _same_batch(session, queue.id, values)
    payload, mutex = {"batch_id": batch_id}, f"{SYNTHESIS}:{queue.name}"
    jobs.enqueue(session, SYNTHESIS, batch_key(batch_id), payload, now, mutex, priority=1)
    batch_requested(session, batch_id, queue, now)
    return batch_id


def text_spec(wanted: Wanted, policy: QueuePolicy) -> TextSpec:
    known = policy.label_named
    other = known.get(wanted.mistaken_for) if wanted.mistaken_for is not None else None
    return TextSpec(
        wanted.label, known[wanted.label].description, wanted.mistaken_for, other.description if other else "",
        wanted.target, wanted.language,
    )  # fmt: skip


def _check(session: Session, queue: Queue, policy: QueuePolicy, wanted: Wanted) -> None:
    check_allowed(policy)
    for name in filter(None, (wanted.label, wanted.mistaken_for)):
        if name not in policy.label_named:
            raise Invalid(f"“{name}” is not a label of {policy.name}.", field="label")
    if wanted.label == wanted.mistaken_for:
        raise Invalid("A label is not mistaken for itself. Name another one.", field="mistaken_for")
    if live_version(session, queue.id) is None:
        raise Refusal(f"{policy.shown_title} has no live model, and the guards ask it about what is written.")
    if wanted.language:
        _check_language(session, queue, policy, wanted.language)


def check_allowed(policy: QueuePolicy) -> None:
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
    named, needed = readers(session, queue, policy, language), _fewest_voters(policy)
    if len(named) < needed:
        raise Refusal(
            f"{len(named)} reviewers of {policy.shown_title} are named for “{language}”, and a decision takes "
            f"{needed}. Name them in [[queues.{policy.name}.synthetic.readers]]."
        )


def readers(session: Session, queue: Queue, policy: QueuePolicy, language: str) -> list[str]:
    """The reviewers who are named for the language; empty for the queue's own language, which all of them read. Raises
    Refusal if none of them is left: others are not asked instead."""
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
    """The smallest number of reviewers who can settle an item."""
    return 2 if policy.consensus.rule == "lead_by_2" else policy.consensus.votes // 2 + 1


def _own_rows(session: Session, queue_id: int, label: str) -> int:
    """About how many training rows the label has."""
    seeds = select(func.count()).where(
        SeedExample.queue_id == queue_id, SeedExample.label == label, SeedExample.erased_at.is_(None)
    )
    corrections = select(func.count()).where(
        Correction.queue_id == queue_id, Correction.is_current, Correction.label == label,
        Correction.destination == Destination.TRAINING,
    )  # fmt: skip
    return (session.scalar(seeds) or 0) + (session.scalar(corrections) or 0)


def _same_batch(session: Session, queue_id: int, values: dict[str, Any]) -> int:
    found = select(SyntheticBatch).where(SyntheticBatch.queue_id == queue_id, SyntheticBatch.state.in_(UNFINISHED))
    batch = session.scalars(found).one()
    instead = f"or withdraw it with `goldloop synthetic retire {batch.id}`."
    if batch.state is SyntheticState.SAMPLED:
        raise Refusal(f"Reviewers are asked about batch {batch.id} of this queue. Wait for them, {instead}")
    if any(getattr(batch, name) != value for name, value in values.items()):
        raise Refusal(f"Batch {batch.id} of this queue is being written, for “{batch.label}”. Wait, {instead}")
    return batch.id
