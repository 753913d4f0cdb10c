"""Notices to people who flagged a message: its outcome, once, by direct message."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.delivery import notices
from core.records.reviews import ReviewItem
from core.vocabulary import FORMER, NoticeKind, QuestionAbout, Reason


def tell_settled(
    session: Session,
    item_id: int,
    flagged_by: str | None,
    deciders: Collection[str],
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    """Tell the person who flagged a message how its item was settled. flagged_by: None where no person flagged it.
    deciders: the people whose answers settled it; they have been told already. values: of the sentence, without the
    item."""
    if flagged_by is not None and flagged_by not in deciders:
        _tell(session, NoticeKind.FLAGGED_SETTLED, item_id, flagged_by, values, now)


def tell_erased(session: Session, item: ReviewItem, now: datetime) -> None:
    """Tell the person who flagged a message that its text was erased before the item was settled."""
    prediction = item.prediction
    if prediction is None or item.about is not QuestionAbout.PREDICTION:
        return
    for flag in prediction.flags:
        if flag.reason == Reason.PERSON and flag.person:
            values = {"external_id": prediction.external_id}
            _tell(session, NoticeKind.FLAGGED_ERASED, item.id, flag.person, values, now)


def _tell(
    session: Session, kind: NoticeKind, item_id: int, person: str, values: Mapping[str, Any], now: datetime
) -> None:
    """Send a direct message, addressed by the person's Slack id. A person who has left has a pseudonym and gets
    none."""
    if not person.startswith(FORMER):
        notices.notify(session, kind, f"flagged:{item_id}:{person}", person, person, {**values, "item": item_id}, now)
