"""The settling of an item: its correction, and whether that trains or becomes golden."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from core.delivery.webhooks import NewEvent
from core.errors import Refusal
from core.learning.data.golden import Chosen, Protected, destination, golden_among, protect_all, revise
from core.learning.data.graduation import graduated_among
from core.learning.lifecycle.runs import is_due, request_run_among
from core.policy import QueuePolicy
from core.records.reviews import Correction
from core.review.answers import CurrentAnswer, votes_among
from core.review.consensus import tally
from core.review.flaggers import tell_settled
from core.review.items import LockedItem
from core.storage.bulk import Bulk, insert_sent
from core.storage.ready import put
from core.vocabulary import AnswerKind, Destination, ErrorReason, QuestionAbout, Settler

_NEW = Bulk(
    cast(Table, Correction.__table__),
    same=("is_current",),
    each=(
        "item_id", "queue_id", "label", "model_was_right", "reason", "note", "tally", "settled_by", "lead",
        "destination", "guideline_version", "policy_fingerprint", "settled_at",
    ),
    back=("item_id", "id"),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The result of settling an item. tally: answer as shown -> votes. deciders: the people whose answers settle it."""

    label: str | None
    reason: ErrorReason | None
    note: str
    tally: dict[str, int]
    settled_by: Settler
    guideline_version: int
    deciders: frozenset[str]
    lead: str | None = None


@dataclass(frozen=True)
class Settlement:
    """An item that is to be settled, and when. The caller holds its lock."""

    item: LockedItem
    outcome: Outcome
    now: datetime
    queue: QueuePolicy

    @property
    def model_was_right(self) -> bool | None:
        """Whether the model was right. None: the item is not about a model's prediction."""
        if self.item.about is not QuestionAbout.PREDICTION:
            return None
        return self.outcome.label is not None and self.outcome.label == self.item.predicted_label


def by_reviewers(label: str | None, answers: Sequence[CurrentAnswer]) -> Outcome:
    """The outcome when reviewers agree on this label. answers: the current ones."""
    winning = [answer for answer in answers if answer.kind.is_vote and answer.label == label]
    reasons = Counter(vote.reason for vote in winning if vote.reason)
    return Outcome(
        label=label,
        reason=reasons.most_common(1)[0][0] if reasons else None,
        note=next((vote.note for vote in winning if vote.note), ""),
        tally=tally(votes_among(answers)),
        settled_by=Settler.CONSENSUS,
        guideline_version=max(vote.guideline_version for vote in winning),
        deciders=frozenset(vote.person for vote in winning),
    )


def by_lead(
    item: LockedItem,
    lead: str,
    kind: AnswerKind,
    label: str | None,
    reason: ErrorReason | None,
    note: str,
    answers: Sequence[CurrentAnswer],
) -> Outcome:
    """The outcome when a lead settles a disputed item. answers: the current ones of reviewers. The caller has checked
    that the person is a lead."""
    if not kind.is_vote:
        raise Refusal(f"Item {item.id} needs your decision. Choose a label or “None of these”.")
    version = item.queue.guideline_version
    by = frozenset((lead,))
    return Outcome(label, reason, note, tally(votes_among(answers)), Settler.LEAD, version, deciders=by, lead=lead)


@dataclass(frozen=True)
class Settled:
    """A settlement whose correction is stored. chosen: where the correction goes. run_is_due: whether the queue is due
    for a training run, after all settlements of the set."""

    settlement: Settlement
    chosen: Chosen
    correction_id: int
    run_is_due: bool


def settle_all(
    session: Session, settlements: Sequence[Settlement], chosen: Sequence[Chosen]
) -> Callable[[], list[Settled]]:
    """Store the corrections of different items, in this order. The current correction is unique per item. chosen: by
    `choose_destinations`. The returned function is to be called after the end of `at_once`; its result is what
    `apply_effects` needs. The caller changes the state of the items and their cards."""
    rows = [_row(one, where) for one, where in zip(settlements, chosen, strict=True)]
    stored = insert_sent(session, _NEW, {"is_current": True}, rows)
    newest = {one.item.queue.id: one for one in settlements}
    due = {queue_id: put(session, is_due(queue_id, one.now, one.queue)) for queue_id, one in newest.items()}

    def settled() -> list[Settled]:
        id_of, with_run = dict(stored()), {queue_id for queue_id, is_due in due.items() if is_due()}
        return [
            Settled(one, where, id_of[one.item.id], one.item.queue.id in with_run)
            for one, where in zip(settlements, chosen, strict=True)
        ]

    return settled


def apply_effects(session: Session, settled: Sequence[Settled]) -> None:
    """Update the golden set, request the training runs that are due, and notify the people who flagged the items."""
    _update_golden_set(session, settled)
    _request_runs(session, [one for one in settled if one.run_is_due])
    for one in _about_predictions(settled):
        item, outcome = one.settlement.item, one.settlement.outcome
        tell_settled(
            session, item.id, item.flagged_by, outcome.deciders, _outcome_for_flagger(item, outcome), one.settlement.now
        )


def settled_events(session: Session, settled: Sequence[Settled]) -> list[NewEvent]:
    """The webhook events about predictions that are settled."""
    about = _about_predictions(settled)
    withheld = _withheld(session, [one.settlement for one in about])
    return [
        NewEvent(
            one.correction_id,
            one.settlement.item.queue.id,
            _event_data(one.settlement, one.correction_id, one.settlement.item.id in withheld),
            one.settlement.now,
        )
        for one in about
    ]


def _about_predictions(settled: Sequence[Settled]) -> list[Settled]:
    return [one for one in settled if one.settlement.item.about is QuestionAbout.PREDICTION]


def _row(one: Settlement, chosen: Chosen) -> dict[str, Any]:
    about = {"item_id": one.item.id, "queue_id": one.item.queue.id, "model_was_right": one.model_was_right}
    stamped = {"policy_fingerprint": one.queue.fingerprint, "settled_at": one.now, "destination": chosen.destination}
    row = vars(one.outcome) | about | stamped
    return {name: row[name] for name in _NEW.each}


def choose_destinations(session: Session, settlements: Sequence[Settlement]) -> list[Chosen]:
    """Choose where each correction goes. A content that has graduated never becomes golden again."""
    chosen = [_chosen(one) for one in settlements]
    contents = [(one.item.queue.id, one.item.content_hash) for one in settlements]
    golden = [content for content, where in zip(contents, chosen, strict=True) if where.stratum is not None]
    graduated = graduated_among(session, golden)
    return [
        Chosen(Destination.HELD_OUT if one.item.audited else Destination.TRAINING)
        if where.stratum is not None and content in graduated
        else where
        for one, content, where in zip(settlements, contents, chosen, strict=True)
    ]


def _chosen(one: Settlement) -> Chosen:
    """Where the correction goes. The correction of a stored label stays on the side of the firewall where the label
    is."""
    item, label = one.item, one.outcome.label
    match item.about:
        case QuestionAbout.PREDICTION if item.held_back and not item.audited and label is not None:
            return Chosen(Destination.HELD_OUT)
        case QuestionAbout.PREDICTION:
            return destination(
                blind=item.blind,
                model_was_right=bool(one.model_was_right),
                label=label,
                drawn_by=f"group {item.group}" if item.group else item.content_hash,
                audited=item.audited,
                lot=item.lot_probability,
                discovered=item.discovered,
                policy=one.queue,
            )
        case QuestionAbout.GOLDEN:
            return Chosen(Destination.GOLDEN if label is not None else Destination.NOWHERE)
        case QuestionAbout.TRAINING_ROW:
            return Chosen(Destination.TRAINING if label is not None else Destination.NOWHERE)
        case QuestionAbout.SYNTHETIC:
            return Chosen(Destination.BATCH)
        case _:
            assert_never(item.about)


def _update_golden_set(session: Session, settled: Sequence[Settled]) -> None:
    """Update the golden set from the corrections. Training needs no update: the next snapshot reads the corrections."""
    protected: list[Protected] = []
    for done in settled:
        one, where, correction_id = done.settlement, done.chosen, done.correction_id
        label = one.outcome.label
        match one.item.about:
            case QuestionAbout.PREDICTION:
                if label is not None and where.stratum is not None:
                    protected.append(Protected(correction_id, one.item.source_id, label, where, one.now))
            case QuestionAbout.GOLDEN:
                revise(session, one.item.source_id, correction_id, label, one.now)
            case QuestionAbout.TRAINING_ROW | QuestionAbout.SYNTHETIC:
                pass
            case _:
                assert_never(one.item.about)
    protect_all(session, protected)


def _request_runs(session: Session, settled: Sequence[Settled]) -> None:
    """Request a training run in each queue that is due for one after these settlements."""
    by_queue: dict[int, list[Settled]] = {}
    for one in settled:
        by_queue.setdefault(one.settlement.item.queue.id, []).append(one)
    for mine in by_queue.values():
        last = mine[-1].settlement
        made = [(one.correction_id, one.settlement.now) for one in mine]
        request_run_among(session, last.item.queue, made, last.queue)


def _withheld(session: Session, settlements: Sequence[Settlement]) -> set[int]:
    """Ids of items whose label is left out of webhooks: their content is golden, in a queue whose models a service
    trains, and the service may train on webhooks."""
    contents: dict[int, set[str]] = {}
    for one in settlements:
        if one.queue.trains_elsewhere:
            contents.setdefault(one.item.queue.id, set()).add(one.item.content_hash)
    golden = {queue_id: golden_among(session, queue_id, hashes) for queue_id, hashes in contents.items()}
    return {one.item.id for one in settlements if one.item.content_hash in golden.get(one.item.queue.id, ())}


def _event_data(one: Settlement, correction_id: int, withheld: bool) -> dict[str, Any]:
    """The data of the webhook event."""
    item, outcome = one.item, one.outcome
    return {
        "queue": item.queue.name,
        "item_id": item.id,
        "correction_id": correction_id,
        "external_id": item.external_id,
        "model_version": item.model_version,
        "model_label": item.predicted_label,
        "label": None if withheld else outcome.label,
        "model_was_right": None if withheld else bool(one.model_was_right),
        "reason": None if withheld else outcome.reason,
        "withheld": withheld,
        "settled_by": outcome.settled_by,
        "settled_at": one.now.isoformat(),
    }


def _outcome_for_flagger(item: LockedItem, outcome: Outcome) -> dict[str, Any]:
    """The values of the notice to the person who flagged it."""
    return {
        "external_id": item.external_id,
        "label": outcome.label,
        "model_label": item.predicted_label,
        "by_lead": outcome.settled_by is Settler.LEAD,
    }
