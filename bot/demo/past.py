"""Three past weeks for the demo, because some findings need weeks: a weak slice, and two changes. The first model is
treated as if it had been live for that time. Tickets by fax have mostly the labels of which it has seen two rows, so it
is often wrong there. On the last two days most tickets are in Spanish, of which it has seen no word, and on the last
day no label fits a fifth of them. The product's own functions store everything, with the times of those days; two
reviewers settle what the budget opens, and the daily readings find the changes. The cards of past items are not posted,
because Slack would take many minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.demo import place
from bot.demo.data import LATE_LABELS, Shares, Ticket, spanish_tickets
from bot.demo.truth import LiveAnswers, live_answers
from bot.runtime.services import Services
from bot.worker.drift import drift_piece
from bot.worker.slices import slice_piece
from core.delivery.card_refs import CardRef
from core.intake.cuts import cut_work, store_cut
from core.intake.daily_readings import whole_days
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction
from core.intake.waiting import open_next
from core.learning.lifecycle.serving import LiveModel
from core.policy import Policy
from core.queues import queue_named
from core.records.delivery import Posting
from core.records.learning import Live, Snapshot
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.review.votes import Cast, NewAnswer, cast_votes, fixed
from core.storage.database import PATIENT
from core.vocabulary import AnswerKind, Card, ErrorReason, ItemState

DAYS, A_DAY = 21, 60
FAX, ABOUT_LATE_LABELS = 0.25, 0.9  # shares: fax among the usual tickets, late labels among those by fax
SPANISH, SPANISH_DAYS = 40, 2  # a day, on the last days; with fewer, not every seed finds the change
NEW_KIND = 12  # tickets of yesterday without a fitting label
OFFICE_HOURS = timedelta(hours=9)
BUDGET, PROMISE = "40%", "20%"


@dataclass(frozen=True)
class _Day:
    """A past day. now: when its tickets came. rows: with the first model's answers; truth: external id -> ticket."""

    now: datetime
    rows: Sequence[NewPrediction]
    truth: Mapping[str, Ticket]


def plant(services: Services, shares: Shares, rng: np.random.Generator) -> LiveAnswers:
    """Store the past, and compute its readings as the worker does. Returns the first model's answers compared with the
    truth."""
    policy, queue = services.policy, services.policy.queues[0]
    live = services.serving.live(queue)
    assert live is not None, "the first model is live"
    began = [began for began, _ended in whole_days(queue, services.clock())[-DAYS:]]
    days = [_predicted_day(live, _arrivals(shares, rng, DAYS - n), at + OFFICE_HOURS) for n, at in enumerate(began)]
    truth = {name: ticket for day in days for name, ticket in day.truth.items()}
    with services.database.transaction(wait=PATIENT) as session:  # only one: the worker opens items in between
        session.get_one(Live, queue_named(session, queue.name).id).changed_at = began[0]
        session.execute(update(Snapshot).values(created_at=began[0]))  # items settled since then count as effort
        for day in days:
            _store(session, policy, live.name, day, truth)
    while drift_piece(services, queue):
        pass
    slice_piece(services, queue)
    with services.database.reading() as session:
        return live_answers(session, truth, queue, services.clock())


def _arrivals(shares: Shares, rng: np.random.Generator, days_ago: int) -> list[tuple[Ticket, str]]:
    """The tickets of a day, each with the channel by which it came. days_ago: 1 for yesterday."""
    fitting = [ticket for ticket in shares.stream if ticket.label is not None]
    late = [ticket for ticket in fitting if ticket.label in LATE_LABELS]
    usual = [ticket for ticket in fitting if ticket.label not in LATE_LABELS]
    chosen = [(ticket, "form") for ticket in _unusual(shares, rng, days_ago)]
    for is_fax in rng.random(A_DAY - len(chosen)) < FAX:
        of = late if is_fax and rng.random() < ABOUT_LATE_LABELS else usual
        chosen.append((of[rng.integers(len(of))], "fax" if is_fax else "form"))
    return chosen


def _unusual(shares: Shares, rng: np.random.Generator, days_ago: int) -> list[Ticket]:
    """The tickets by which the last days differ from earlier ones."""
    spanish = spanish_tickets() if days_ago <= SPANISH_DAYS else []
    new = [ticket for ticket in shares.stream if ticket.label is None] if days_ago == 1 else []
    return [*_sampled(spanish, SPANISH, rng), *_sampled(new, NEW_KIND, rng)]


def _sampled(tickets: Sequence[Ticket], number: int, rng: np.random.Generator) -> list[Ticket]:
    return [tickets[place] for place in rng.permutation(len(tickets))[:number]]


def _predicted_day(live: LiveModel, came: Sequence[tuple[Ticket, str]], now: datetime) -> _Day:
    """The day with the first model's answers. Each ticket ends with a unique number: there are fewer texts than
    tickets, and a repeated text would be audited each time or never."""
    predictions = [
        NewPrediction(f"P-{now:%m%d}-{n}", live.name, f"{ticket.text}\n#{now:%m%d}{n:02}", None, {"Channel": channel})
        for n, (ticket, channel) in enumerate(came, 1)
    ]
    answers = live.answers([one.input for one in predictions])
    rows = [one.answered(live.name, answer) for one, answer in zip(predictions, answers, strict=True)]
    return _Day(now, rows, {row.external_id: ticket for row, (ticket, _channel) in zip(rows, came, strict=True)})


def _store(session: Session, policy: Policy, model: str, day: _Day, truth: Mapping[str, Ticket]) -> None:
    """Store the work of worker and reviewers on a day."""
    [queue] = policy.queues
    record_predictions(session, day.rows, day.now, queue)
    if (work := cut_work(session, queue, model, day.now)) is not None:
        store_cut(session, queue, work.model, work.known, {}, day.now)
    open_next(session, queue, day.now)
    found = select(ReviewItem.id, Prediction).join(Prediction, Prediction.id == ReviewItem.prediction_id)
    opened = session.execute(found.where(ReviewItem.state == ItemState.OPEN)).all()
    at = day.now + timedelta(hours=1)
    casts = [
        Cast(CardRef(item_id), person, _answer(truth[row.external_id], row, at), at)
        for item_id, row in opened
        for person in (place.ANA, place.BEN)
    ]
    cast_votes(session, casts, fixed(policy))
    session.execute(delete(Posting).where(Posting.card == Card.REVIEW_ITEM))


def _answer(ticket: Ticket, row: Prediction, at: datetime) -> NewAnswer:
    clicked_at = int(at.timestamp() * 1_000_000)
    if ticket.label is None:
        return NewAnswer(AnswerKind.NONE_OF_THESE, clicked_at, reason=ErrorReason.NEW_CLASS)
    why = ErrorReason.BIASED_OR_OUTDATED_DATA if row.label != ticket.label and ticket.label in LATE_LABELS else None
    return NewAnswer(AnswerKind.LABEL, clicked_at, ticket.label, why)
