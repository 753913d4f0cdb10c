"""The demo's summary, computed from the database at its end."""

from dataclasses import dataclass

from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.demo import spoilt
from bot.demo.data import Shares
from bot.demo.diagnostic import two_label_rows
from bot.demo.random_labels import random_labels_accuracy, right_on
from bot.demo.truth import LiveAnswers, truth_rows
from bot.wording.effort import gain, given
from bot.wording.format import PLAIN
from bot.wording.gate import gate_sentence
from bot.wording.numbers import signed
from core.learning.evaluation.intervals import Interval, difference
from core.learning.lifecycle.cards import CandidateCard, candidate_card
from core.learning.lifecycle.effort import Effort
from core.learning.lifecycle.serving import load_model
from core.policy import Policy, QueuePolicy
from core.records.learning import ModelVersion
from core.records.predictions import Flag, Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.vocabulary import AnswerKind, ItemState, ModelState, Settler

RANDOM_LABELS = (
    "Random labels can gain as much in a demo of this size: flagged inputs are the hardest ones, and some of them are "
    "kept for testing. One run proves little."
)


@dataclass(frozen=True)
class Unseen:
    """Accuracy of both models on held-out rows. random: mean accuracy with as many random labels instead."""

    rows: int
    before: float
    after: float
    difference: Interval
    random: float


def on_unseen(
    session: Session, before: int, after: int, items: int, shares: Shares, queue: QueuePolicy
) -> Unseen:  # fmt: skip
    """The accuracy of both models on held-out rows. before, after: model ids. items: the number of items that people
    settled between them."""
    right = [
        right_on(load_model(session, one, queue, spoilt.LEARNERS).fitted, shares.unseen) for one in (before, after)
    ]
    arrived = shares.stream[: session.scalar(select(func.count()).select_from(Prediction)) or 0]
    random = random_labels_accuracy(session, before, items, arrived, shares.unseen)
    regressions, improvements = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
    return Unseen(
        rows=len(shares.unseen),
        before=float(right[0].mean()),
        after=float(right[1].mean()),
        difference=difference(regressions, improvements, len(shares.unseen)),
        random=random,
    )


def newest_model(session: Session) -> ModelVersion:
    return session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc()).limit(1)).one()


def tell(
    session: Session,
    policy: Policy,
    shares: Shares,
    accuracies: dict[str, float],
    seconds: float,
    answers: LiveAnswers | None = None,
) -> Table:
    """The summary as a table. Every number is counted or computed. answers: the first model's, before the second one
    went live."""
    model = newest_model(session)
    card = candidate_card(session, model.id, policy)
    before = session.scalars(select(ModelVersion.id).where(ModelVersion.version == 1)).one()
    effort = card.effort or Effort(0, 0)
    measured = on_unseen(session, before, model.id, effort.items, shares, policy.queue(model.queue.name))
    table = Table(title="Summary", show_header=False, title_style="bold", min_width=78)
    table.add_column(style="cyan")
    table.add_column()
    for name, words in (
        ("Reviewers", ", ".join(f"{name} ({share:.0%} right)" for name, share in accuracies.items())),
        (f"Accuracy on held-out {_kind(shares)}", _accuracy(measured)),
        ("", _verdict(measured)),
        *two_label_rows(load_model(session, model.id, policy.queue(model.queue.name), spoilt.LEARNERS), shares),
        ("Cost and gain", _cost(effort, measured)),
        ("", RANDOM_LABELS),
        *(truth_rows(answers) if answers is not None else []),
        ("Items flagged", _flags(session)),
        ("Votes", _votes(session, policy)),
        ("Settled by a lead", f"{_count(session, Correction.settled_by == Settler.LEAD)} disputed items"),
        ("Corrections", _corrections(session)),
        ("Golden set, random part", _random(card)),
        ("Golden set, past errors", _past_errors(card)),
        (
            "Negative flips",
            f"{len(card.scorecard.negative_flips)} golden examples that were right before and are wrong now",
        ),
        ("Decision", _decision(card)),
        ("Time", f"{seconds:.0f} s"),
    ):
        table.add_row(name, words)
    return table


def _kind(shares: Shares) -> str:
    return "pictures" if any(ticket.picture for ticket in shares.unseen) else "texts"


def _accuracy(measured: Unseen) -> str:
    gap = measured.difference
    return (
        f"{measured.before:.1%} → {measured.after:.1%} on {measured.rows} rows; difference "
        f"{signed(gap.estimate)} points (95% interval {signed(gap.low)} to {signed(gap.high)})"
    )


def _cost(effort: Effort, measured: Unseen) -> str:
    random = f"as many random labels: {signed(measured.random - measured.before)} points"
    return f"{given(effort)}: {gain(measured.difference)}; {random}"


def _verdict(measured: Unseen) -> str:
    if measured.difference.low > 0:
        return "The candidate is better: the interval is above 0."
    if measured.difference.high < 0:
        return "The candidate is worse: the interval is below 0."
    return "No clear difference: the interval contains 0."


def _flags(session: Session) -> str:
    rows = session.execute(select(Flag.reason, func.count()).group_by(Flag.reason).order_by(Flag.reason)).all()
    total = session.scalar(select(func.count(Flag.prediction_id.distinct()))) or 0  # audited ones can be flagged too
    several = "; an item can have several reasons" if sum(count for _reason, count in rows) > total else ""
    return f"{total} (" + ", ".join(f"{count} {reason}" for reason, count in rows) + f"{several})"


def _votes(session: Session, policy: Policy) -> str:
    votes = session.scalar(
        select(func.count())
        .select_from(Answer)
        .join(ReviewItem, ReviewItem.id == Answer.item_id)
        .where(
            Answer.is_current,
            Answer.kind.in_([AnswerKind.LABEL, AnswerKind.NONE_OF_THESE]),
            ReviewItem.state == ItemState.SETTLED,
        )
    ) or 0  # fmt: skip
    settled = _count(session)
    fixed = settled * len(policy.queues[0].reviewers)
    saved = f"{1 - votes / fixed:.0%}" if fixed else "–"
    return f"{votes} votes on {settled} settled items; {fixed - votes} ({saved}) fewer than if all three had voted"


def _corrections(session: Session) -> str:
    wrong, golden = _count(session, ~Correction.model_was_right), _count(session, Correction.destination == "golden")
    return f"{_count(session)}, of which {wrong} correct the model; {golden} became golden and never train"


def _count(session: Session, *where: object) -> int:
    return session.scalar(select(func.count()).select_from(Correction).where(Correction.is_current, *where)) or 0  # type: ignore[arg-type]


def _random(card: CandidateCard) -> str:
    random = card.scorecard.random
    return f"{random.live_right}/{random.n} → {random.candidate_right}/{random.n} right"


def _past_errors(card: CandidateCard) -> str:
    past = card.scorecard.past_errors
    return f"{len(past.fixed)} of {past.n} fixed, {len(past.newly_wrong)} newly wrong"


def _decision(card: CandidateCard) -> str:
    if card.state is ModelState.LIVE:
        return f"{card.name} passed the golden gate, was approved by a lead and is live"
    if not card.blocks:
        return f"{card.name} did not go live: a lead rejected it"
    blocks = " ".join(gate_sentence(block, PLAIN) for block in card.blocks)
    return f"{card.name} did not go live: the golden gate refused it: {blocks}"
