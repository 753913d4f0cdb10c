"""Rows as Goldloop would have written them over months, made in bulk: seeded, and consistent with every constraint.

Of the items most are settled by two equal votes; one in two hundred is disputed; about every second of the others one
person has said something. Every card is posted, and of what is settled other systems have been told.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import islice
from typing import Any

from sqlalchemy import text

from core.policy import Policy
from core.policy.file import parse_policy
from core.policy_in_force.sync import sync_queues
from core.records import Base
from core.storage.database import PATIENT, Database
from core.text.content_hash import content_hash
from core.vocabulary import (
    AnswerKind,
    Card,
    DeliveryState,
    Destination,
    DisputeReason,
    EventKind,
    ItemState,
    NoticeKind,
    QuestionAbout,
    Reason,
    RecipientKind,
    Settler,
)

PEOPLE = tuple(f"U{number:08}" for number in range(16))
LEAD = "U_LEAD"
CHUNK = 5000
SHARE = 0.05  # of the audit
SETTLED, DISPUTED = 0.9, 0.005  # shares of the items
WRONG = 0.3  # share of the settled items on which the model was wrong
SPREAD = timedelta(days=180)  # over which the rows came in

Row = dict[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Sizes:
    """items: as many of the predictions are flagged. fresh: the first of them have no answer yet."""

    predictions: int
    items: int
    fresh: int = 0


def messages() -> list[tuple[str, str]]:
    """Text and label of the messages that come with the demo."""
    lines = files("bot.demo").joinpath("messages.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["text"], row["label"]) for row in map(json.loads, lines) if row["label"]]


LABELS = tuple(sorted({label for _text, label in messages()}))


def texts(count: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    """As many different texts as one likes: two messages of one label, and a number."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for words, label in messages():
        by_label[label].append(words)
    for number in range(count):
        label = LABELS[number % len(LABELS)]
        yield f"{rng.choice(by_label[label])} {rng.choice(by_label[label])} (order {number})", label


def policy_section(**more: Any) -> Row:
    return {
        "title": "Support tickets",
        "channel": "C_REVIEW",
        "leads_channel": "C_LEADS",
        "reviewers": list(PEOPLE),
        "leads": [LEAD],
        "labels": list(LABELS),
        "workload": {"daily_cap": 10_000},
        **more,
    }


def bench_policy(**more: Any) -> Policy:
    return parse_policy({"queues": {"support": policy_section(**more)}}, "goldloop.toml")


def policy_toml(**more: Any) -> str:
    """The same as a policy file. more: no tables."""
    values = {name: value for name, value in policy_section(**more).items() if not isinstance(value, dict)}
    lines = ["[queues.support]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return "\n".join([*lines, "[queues.support.workload]", "daily_cap = 10000", ""])


def fill(database: Database, sizes: Sizes, now: datetime, seed: int = 1) -> None:
    """An empty database becomes one of this size. Ids begin at 1: those of items are 1 to `sizes.items`."""
    with database.transaction(wait=PATIENT) as session:
        sync_queues(session, bench_policy(), now)
    rng = random.Random(seed)
    numbered = iter(enumerate(texts(sizes.predictions, rng), 1))
    every = max(1, sizes.predictions // sizes.items)
    made, item_id = 0, 0
    while chunk := list(islice(numbered, CHUNK)):
        rows: Rows = defaultdict(list)
        for number, (words, label) in chunk:
            at = now - SPREAD * (1 - number / (sizes.predictions + 1))
            rows["prediction"].append(_prediction(number, words, label, at, rng))
            if number % every == 0 and item_id < sizes.items:
                item_id += 1
                _item(rows, item_id, rows["prediction"][-1], label, item_id <= sizes.fresh, at, rng)
        made += len(chunk)
        _write(database, rows)
    _count_on(database)


def _prediction(number: int, words: str, label: str, at: datetime, rng: random.Random) -> Row:
    sure = rng.uniform(0.4, 0.99)
    other = LABELS[(LABELS.index(label) + 1) % len(LABELS)]
    return {
        "id": number, "queue_id": 1, "external_id": f"T-{number}", "model_version": "sender-1", "text": words,
        "image_url": None, "fields": {"channel": "mail"}, "label": label, "confidence": sure,
        "probabilities": {label: sure, other: 1 - sure}, "content_hash": content_hash(words), "created_at": at,
        "lot_probability": SHARE, "flag_probability": SHARE, "erased_at": None,
    }  # fmt: skip


def _item(rows: Rows, item: int, seen: Row, label: str, fresh: bool, at: datetime, rng: random.Random) -> None:
    state = ItemState.OPEN if fresh else _state(rng)
    done = at + timedelta(hours=1) if state is ItemState.SETTLED else None
    audit = rng.random() < 0.2
    seen["flag_probability"] = SHARE if audit else 1.0
    rows["flag"].append({
        "id": item, "prediction_id": seen["id"], "reason": Reason.AUDIT if audit else Reason.UNCERTAIN,
        "values": {"share": SHARE} if audit else {"confidence": 0.52, "threshold": 0.8},
        "inclusion_probability": SHARE if audit else 1.0, "person": None,
        "policy_fingerprint": "0" * 16, "created_at": at,
    })  # fmt: skip
    rows["review_item"].append({
        "id": item, "queue_id": 1, "about": QuestionAbout.PREDICTION, "prediction_id": seen["id"], "state": state,
        "blind": rng.random() < 1 / 3, "opened_at": at, "settled_at": done,
        "disputed_because": DisputeReason.NO_AGREEMENT if state is ItemState.DISPUTED else "",
        "disputed_values": {"count": 3} if state is ItemState.DISPUTED else {},
    })  # fmt: skip
    right = rng.random() >= WRONG
    answer = label if right else LABELS[(LABELS.index(label) + 2) % len(LABELS)]
    votes = {ItemState.SETTLED: 2, ItemState.DISPUTED: 3, ItemState.OPEN: 0 if fresh else rng.randrange(2)}[state]
    for place, person in enumerate(rng.sample(PEOPLE, votes)):
        said = LABELS[place] if state is ItemState.DISPUTED else answer
        rows["answer"].append(_answer(item, person, said, at + timedelta(minutes=20 * place + 20)))
    rows["posting"].append(_posting(item, at, 2 + votes))
    if done is not None:
        _settled(rows, item, seen, answer, right, done)


def _state(rng: random.Random) -> ItemState:
    lot = rng.random()
    if lot < SETTLED:
        return ItemState.SETTLED
    return ItemState.DISPUTED if lot < SETTLED + DISPUTED else ItemState.OPEN


def _answer(item: int, person: str, label: str, at: datetime) -> Row:
    return {
        "item_id": item, "person": person, "kind": AnswerKind.LABEL, "label": label, "reason": None, "note": "",
        "suggestion_shown": True, "guideline_version": 1, "clicked_at": int(at.timestamp() * 1e6), "created_at": at,
        "is_current": True,
    }  # fmt: skip


def _posting(item: int, at: datetime, version: int) -> Row:
    return {
        "queue_id": 1, "card": Card.REVIEW_ITEM, "subject_id": item, "recipient_kind": RecipientKind.CHANNEL,
        "recipient": "C_REVIEW",
        "channel": "C_REVIEW", "ts": f"{1_700_000_000 + item}.000100",
        "requested_version": version, "delivered_version": version, "requested_at": at, "urgent": False,
        "unconfirmed": False, "leased_by": None, "leased_until": None,
        "attempts": 0, "next_attempt_at": at, "failure_reason": "",
    }  # fmt: skip


def _settled(rows: Rows, item: int, seen: Row, label: str, right: bool, at: datetime) -> None:
    number = len(rows["correction"]) + 1
    golden = not right and item % 8 == 0
    rows["correction"].append({
        "queue_id": 1, "item_id": item, "label": label, "model_was_right": right, "reason": None, "note": "",
        "tally": {label: 2}, "settled_by": Settler.CONSENSUS, "lead": None,
        "destination": Destination.GOLDEN if golden else Destination.TRAINING, "guideline_version": 1,
        "policy_fingerprint": "0" * 16, "settled_at": at, "is_current": True,
    })  # fmt: skip
    rows["event"].append({
        "id": item, "key": f"{EventKind.ITEM_SETTLED}:{item}", "kind": EventKind.ITEM_SETTLED, "queue_id": 1,
        "data": {"item_id": item, "external_id": seen["external_id"], "label": label, "model_was_right": right},
        "created_at": at, "addressed_at": at,
    })  # fmt: skip
    rows["event_delivery"].append({
        "event_id": item, "endpoint": "helpdesk", "state": DeliveryState.DELIVERED,
        "attempts": 1, "next_attempt_at": at, "leased_by": None, "leased_until": None, "failure_reason": "",
        "finished_at": at,
    })  # fmt: skip
    if number % 20 == 0:
        rows["notice"].append({
            "key": f"reaction:{item}", "kind": NoticeKind.NOT_A_LEAD, "channel": "C_LEADS", "person": "U_DAN",
            "values": {"sentence": "Only leads decide.", "ask": []}, "created_at": at, "leased_by": None,
            "leased_until": None, "delivered_at": at, "attempts": 1, "next_attempt_at": at, "failure_reason": "",
        })  # fmt: skip


def _write(database: Database, rows: Rows) -> None:
    tables = Base.metadata.tables
    with database.transaction(wait=PATIENT) as session:
        for name in ("prediction", "flag", "review_item", "answer", "correction", "posting", "notice", "event",
                     "event_delivery"):  # fmt: skip
            for part in _parts(rows.get(name, [])):
                session.connection().execute(tables[name].insert(), part)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while part := list(islice(left, CHUNK)):
        yield part


def _count_on(database: Database) -> None:
    """PostgreSQL does not notice ids that were given; the next row of its own would be the first again."""
    if database.is_sqlite:
        return
    with database.transaction(wait=PATIENT) as session:
        for name in ("prediction", "flag", "review_item", "event"):
            session.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), coalesce((SELECT max(id) FROM {name}), 1))"
                )
            )
