"""The reasons for which each prediction of a batch is sent to people. What the rules and the random draws need to know
is read once for the whole batch."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.intake.cuts import Cuts, present_cuts
from core.intake.drifting import drifting_labels
from core.intake.predictions import Key, NewPrediction
from core.intake.reasons.audit import audit_purpose
from core.intake.reasons.base import FlagReason, Scored
from core.intake.reasons.held_back import held_back_purpose
from core.intake.reasons.table import reasons_to_review
from core.intake.weak_slices import AskedSlice, asked_slices, count_opened, room_left
from core.policy import QueuePolicy
from core.quality.slices import KnownRow, is_inside
from core.review.known_rows import second_label
from core.text.content_hash import unit_interval
from core.vocabulary import DriftSign, Reason

NEVER = 1.0  # a draw that no share reaches

Reasons = tuple[FlagReason, ...]


@dataclass(frozen=True)
class BatchReasons:
    """The data for the rules and draws. audit, held_back: the purposes of the draws; held_back is empty for a queue
    without a promise. cuts: of the budget. drifting: labels that a drift alarm is about. slices: for the rows in a
    slice about which people are asked, the values of the flag's sentence."""

    policy: QueuePolicy
    audit: str
    held_back: str
    cuts: Cuts | None
    drifting: Mapping[str, DriftSign]
    slices: Mapping[Key, Mapping[str, Any]]

    def of(self, row: NewPrediction, content_hash: str) -> Reasons:
        """The reasons for which this row of the batch is sent to people; none for most rows. The random draws depend
        only on the content, so that repeating an audited content does not bring it into training."""
        if row.label is None or row.confidence is None:
            return ()
        scored = Scored(  # by place: by name it takes twice as long
            row.label,
            row.confidence,
            _second(row.probabilities) if row.probabilities else None,
            unit_interval(content_hash, self.audit),
            unit_interval(content_hash, self.held_back) if self.held_back else NEVER,
            self.cuts.of(row.model_version) if self.cuts else None,
            row.suspicion,
            self.drifting.get(row.label) if self.drifting else None,
            self.slices.get(row.key) if self.slices else None,
        )
        return reasons_to_review(scored, self.policy)


def batch_reasons(
    session: Session, queue_id: int, batch: Sequence[NewPrediction], now: datetime, policy: QueuePolicy
) -> BatchReasons:
    return BatchReasons(
        policy,
        audit_purpose(queue_id),
        held_back_purpose(queue_id) if policy.flagging.promised is not None else "",
        present_cuts(session, queue_id, policy),
        drifting_labels(session, queue_id, policy, now),
        _in_slices(session, batch, asked_slices(session, queue_id, policy, now), policy),
    )


def count_slices(session: Session, opened: Iterable[Reasons], policy: QueuePolicy, now: datetime) -> None:
    """Count items that were opened at once for the slices about which people are asked. Under a budget, they are
    counted when their turn comes."""
    found = Counter(one.values["request"] for why in opened for one in why if one.reason is Reason.WEAK_SLICE)
    if found and policy.flagging.limit is None:
        count_opened(session, found, policy, now)


def _second(probabilities: Mapping[str, float]) -> float | None:
    ranked = sorted(probabilities.values())
    return ranked[-2] if len(ranked) > 1 else None


def _in_slices(
    session: Session, batch: Sequence[NewPrediction], slices: Sequence[AskedSlice], policy: QueuePolicy
) -> dict[Key, Mapping[str, Any]]:
    """The rows in a slice about which people are asked; the first ones, as many as the requests have room for. Under a
    budget, all of them: room is checked when their turn comes. Locks the requests that match."""
    found = {row.key: one for row in batch if (one := _slice_of(row, slices)) is not None}
    if not found or policy.flagging.limit is not None:
        return {key: one.values for key, one in found.items()}
    left = room_left(session, list(found.values()), policy)
    inside: dict[Key, Mapping[str, Any]] = {}
    for key, one in found.items():
        if left.get(one.request_id, 0) > 0:
            left[one.request_id] -= 1
            inside[key] = one.values
    return inside


def _slice_of(row: NewPrediction, slices: Sequence[AskedSlice]) -> AskedSlice | None:
    if not slices or row.label is None:
        return None
    second = second_label(row.label, row.probabilities or {})
    as_known = KnownRow(0, row.text, row.fields, row.label, second, wrong=False, reviewed=False)
    mine = (one for one in slices if one.model_version == row.model_version)
    return next((one for one in mine if is_inside(one.look, as_known, one.familiar)), None)
