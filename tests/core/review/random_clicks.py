"""Two queues with all kinds of items and people, and random clicks: of every kind, by everyone, late, delivered twice,
wrong, several about one item at a time, around midnight."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.intake.ingest import flag_for_review, record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.learning.data.seeds import add_seeds
from core.people.availability import pause
from core.people.members import Person, sync_members
from core.policy import Policy, QueuePolicy
from core.policy.file import parse_policy
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records import Base
from core.records.learning import GoldenExample, SeedExample
from core.records.reviews import Assignment, ReviewItem
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.review.votes import NewAnswer
from core.storage.database import PATIENT, Database
from core.vocabulary import AnswerKind, ErrorReason, InactiveReason, ItemState, Role, Source

REVIEWERS = tuple(f"U_{number}" for number in range(8))
LEADS = ("U_LEAD", "U_0")  # one of them reviews as well
INACTIVE, STRANGER = "U_GONE", "U_STRANGER"
LABELS = ("refund", "billing error", "delivery")
EVENING = datetime(2026, 11, 24, 23, 59, 30, tzinfo=UTC)
BEGAN = EVENING - timedelta(hours=1)
WINDOW = 6  # items that people look at together
KINDS = [AnswerKind.LABEL] * 12 + [AnswerKind.WITHDRAWN] * 2 + [AnswerKind.SKIP, AnswerKind.CANNOT_JUDGE] * 2
KINDS += [AnswerKind.NONE_OF_THESE]


@dataclass(frozen=True)
class Clicked:
    """A click, and when it arrived."""

    subject: CardRef
    person: str
    said: NewAnswer
    now: datetime


def random_policy(random: random.Random, cap: int | None = None) -> Policy:
    """cap: of votes in a day, in the second queue."""
    queue = {
        "reviewers": [*REVIEWERS, INACTIVE], "leads": list(LEADS), "labels": list(LABELS),
        "review": {"blind_share": 0.5}, "flagging": {"audit_share": 0.2},
        "golden": {"seed_share": 0.5, "random_share": 0.3},
        "retraining": {"corrections": random.randint(2, 20)},
    }  # fmt: skip
    capped = {"workload": {"daily_cap": cap or random.randint(5, 15)}, "consensus": {"rule": "majority", "votes": 4}}
    queues = {
        "support": queue | {"channel": "C_1", "leads_channel": "C_2", "consensus": {"votes": 3}},
        "billing": queue | {"channel": "C_3", "leads_channel": "C_4", "time_zone": "Asia/Tokyo"} | capped,
    }
    return parse_policy({"queues": queues}, "goldloop.toml")


def build(database: Database, policy: Policy, random: random.Random, items: int) -> list[int]:
    """Everything anew, the same for the same randomness. Returns the ids of the items."""
    with database.transaction(wait=PATIENT) as session:
        _clear(session, database.is_sqlite)
        sync_queues(session, policy, BEGAN)
        for queue in policy.queues:
            _people(session, queue)
            _items(session, queue, random, items // 2)
        pause(session, REVIEWERS[7], BEGAN)
        ids = list(session.scalars(select(ReviewItem.id).order_by(ReviewItem.id)))
        for item_id in random.sample(ids, len(ids) // 8):
            session.add_all(Assignment(item_id=item_id, person=one, assigned_at=BEGAN) for one in REVIEWERS[:4])
        for item_id, state in zip(random.sample(ids, 2), (ItemState.ERASED, ItemState.CLOSED), strict=True):
            session.execute(update(ReviewItem).where(ReviewItem.id == item_id).values(state=state))
    random.shuffle(ids)
    return ids


def clicks(random: random.Random, items: list[int], count: int) -> Iterator[Clicked]:
    """Slack's clock goes on by itself; ours stands still for no two of them."""
    now, at, made = EVENING, 1_764_000_000_000_000, list[Clicked]()
    for number in range(count):
        now += timedelta(microseconds=random.randint(1, 100_000))
        at += random.randint(1, 100_000)
        window = number * len(items) // count
        if made and random.random() < 0.1:
            made.append(replace(random.choice(made[-20:]), now=now))
        else:
            made.append(_click(random, items[window : window + WINDOW], at, now))
        yield made[-1]


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, by its primary key."""
    with database.reading(wait=PATIENT) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def _click(random: random.Random, items: list[int], at: int, now: datetime) -> Clicked:
    subject = CardRef(random.choice(items))
    if random.random() < 0.02:
        subject = random.choice([CardRef(999_999), CardRef(subject.id, 17)])
    person = random.choice([*REVIEWERS * 3, *LEADS * 2, INACTIVE, STRANGER])
    at -= random.choice([0] * 12 + [3_000_000])  # a click that was under way for long
    kind, reason, note, in_form = random.choice(KINDS), None, "", False
    if kind.is_vote and random.random() < 0.2:
        in_form, reason = True, random.choice([None, *ErrorReason])
        note = random.choice(["", "a wrong amount?", "“both”, I'd say"])
    label = random.choice([LABELS[0], LABELS[0], LABELS[0], *LABELS]) if kind is AnswerKind.LABEL else None
    if label is not None and random.random() < 0.02:
        label = "spam"
    return Clicked(subject, person, NewAnswer(kind, at, label, reason, note, in_form), now)


def _people(session: Session, queue: QueuePolicy) -> None:
    people = [*map(Person, REVIEWERS), Person(INACTIVE, InactiveReason.GUEST)]
    sync_members(session, queue_named(session, queue.name).id, Role.REVIEWER, people)


def _items(session: Session, queue: QueuePolicy, random: random.Random, count: int) -> None:
    """About predictions, some of the same content or flagged by a person, and about examples."""
    rows = [
        {
            "external_id": f"T-{number}", "model_version": "sender-1",
            "text": f"ticket number {random.randint(1, count)}",
            "probabilities": {LABELS[0]: 0.5, LABELS[1]: 0.45, LABELS[2]: 0.05},
        }
        for number in range(count)
    ]  # fmt: skip
    record_predictions(session, [checked_prediction(row, queue) for row in rows], BEGAN, queue)
    for number in range(count // 10):
        flagged = NewPrediction(f"F-{number}", "none", f"flagged message number {number}")
        flag_for_review(session, flagged, REVIEWERS[number % 3], BEGAN, queue)
    add_seeds(session, [(f"seed number {number}", LABELS[number % 3]) for number in range(count // 5)], BEGAN, queue)
    mine = queue_named(session, queue.name).id
    golden, seeds = (
        list(session.scalars(select(record.id).where(record.queue_id == mine).order_by(record.id)))
        for record in (GoldenExample, SeedExample)
    )
    for example in golden[: count // 10]:
        ask_about_golden(session, example, LEADS[0], BEGAN, queue)
    for example in seeds[: count // 10]:
        ask_about_training_row(session, Source.SEED, example, LEADS[0], BEGAN, queue)


def _clear(session: Session, is_sqlite: bool) -> None:
    """Ids begin at 1 again, on SQLite by themselves."""
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(delete(table))
        if not is_sqlite and "id" in table.columns:
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), 1, false)"))
