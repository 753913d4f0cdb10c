"""Does Goldloop stay quick, and its memory flat, when years of rows are stored?

    python -m benchmarks.scale [--full] [--database sqlite|postgresql]

The same questions are asked of a database of 10,000 predictions and of one with 100 times as many (200,000 votes with
--full), filled in bulk (benchmarks/stock.py) and analysed. Each is asked eleven times in one process; shown are the
median and the slowest of the last ten, and the processor time of this process (with SQLite that is all of it).
Memory is the most that this process held.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from statistics import median

from slack_sdk import WebClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.machine import heading, load, peak_memory_of
from benchmarks.places import KINDS, place
from benchmarks.processes import ROOT
from benchmarks.stock import LABELS, LEAD, PEOPLE, Sizes, bench_policy, fill
from bot.observability.liveness import Liveness
from bot.observability.metrics import Exposition
from bot.runtime.services import Services, assemble
from bot.slack.inbound.home import load_my_work, load_stats
from bot.slack.views import home, stats
from core.delivery import backlog, notices, outbox, webhook_log, webhooks
from core.delivery.card_refs import CardRef
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.records.delivery import Posting
from core.records.reviews import Answer, ReviewItem
from core.records.webhooks import EventDelivery
from core.review.assignments import unanswerable_items
from core.review.cards import item_card
from core.review.listing import correction_page, item_page
from core.review.votes import NewAnswer, cast_vote
from core.storage import leases
from core.storage.database import Database
from core.vocabulary import AnswerKind, ItemState

SMALL = (Sizes(5_000, 1_000), Sizes(100_000, 11_000))
FULL = (Sizes(10_000, 1_100), Sizes(1_000_000, 108_000))
TIMES = 11
QUICK = 100.0  # milliseconds

Question = Callable[[], object]


def questions(services: Services, now: datetime) -> dict[str, Question]:
    """By what people would call them."""
    return {
        **_of_people(services),
        **_that_write(services, now),
        **_of_the_worker(services, now),
        **_of_programs(services, now),
    }


def _of_people(services: Services) -> dict[str, Question]:
    return {
        "Home": lambda: home.render(load_my_work(services, PEOPLE[0]), load_stats(services, PEOPLE[0])),
        "/goldloop stats": lambda: [stats.render(card) for card in load_stats(services, LEAD)],
        "/goldloop mine": lambda: home.render_my_work(load_my_work(services, PEOPLE[0])),
    }


def _that_write(services: Services, now: datetime) -> dict[str, Question]:
    """Each time something new is said: a vote about an item without answers, another prediction."""
    policy, untouched, numbers = services.policy, _untouched_items(services.database), count(1)

    def vote(session: Session) -> object:
        number = next(numbers)
        said = NewAnswer(AnswerKind.LABEL, 1_900_000_000_000_000 + number, LABELS[0])
        return cast_vote(session, CardRef(untouched.pop()), PEOPLE[number % 16], said, now, policy)

    def send(session: Session) -> object:
        row = {"external_id": f"N-{next(numbers)}", "model_version": "v", "text": "late", "label": LABELS[0]}
        batch = [checked_prediction(row | {"confidence": 0.5}, policy.queues[0])]
        return record_predictions(session, batch, now, policy.queues[0])

    writing = partial(_writing, services.database)
    return {"a vote": writing(vote), "a prediction, flagged": writing(send)}


def _of_the_worker(services: Services, now: datetime) -> dict[str, Question]:
    newest = _newest_item(services.database)
    reading, writing = partial(_reading, services.database), partial(_writing, services.database)

    def claim(session: Session) -> object:
        rates = {"may_update": True, "may_update_open": True, "full_channels": ()}
        return outbox.claim_next(session, "bench", now + timedelta(hours=1), **rates)

    return {
        "a card to draw": reading(lambda session: item_card(session, newest, services.policy)),
        "next message to deliver": writing(claim),
        "next notice": writing(lambda session: notices.claim_next(session, "bench", now, ())),
        "is an event waiting": reading(lambda session: webhooks.is_waiting(session, (), now)),
        "postings of the dead": writing(lambda session: leases.release_dead(session, Posting, lambda _name: False)),
        "deliveries of the dead": writing(
            lambda session: leases.release_dead(session, EventDelivery, lambda _name: False)
        ),
        "unanswerable items": reading(lambda session: unanswerable_items(session, 1)),
    }


def _of_programs(services: Services, now: datetime) -> dict[str, Question]:
    newest, reading = _newest_item(services.database), partial(_reading, services.database)
    yesterday, queue = now - timedelta(days=1), services.policy.queues[0]
    return {
        "API: items, first page": reading(lambda session: item_page(session, 1, None, 0, 500)),
        "API: items, last page": reading(lambda session: item_page(session, 1, None, newest - 500, 500)),
        "API: open items": reading(lambda session: item_page(session, 1, ItemState.OPEN, 0, 500)),
        "API: corrections, since": reading(lambda session: correction_page(session, queue, yesterday, 0, 500, now)),
        "doctor: waiting, given up": reading(lambda session: [backlog.waiting(session), backlog.given_up(session)]),
        "doctor: webhooks": reading(webhook_log.endpoint_lines),
        "/metrics": lambda: Exposition(services, Liveness()).text(),
    }


def _reading(database: Database, ask: Callable[[Session], object]) -> Question:
    def asked() -> object:
        with database.reading() as session:
            return ask(session)

    return asked


def _writing(database: Database, ask: Callable[[Session], object]) -> Question:
    def asked() -> object:
        with database.transaction() as session:
            return ask(session)

    return asked


def ask(url: str, predictions: str) -> None:
    """In a process of its own, so that the memory is that of the questions alone."""
    services = assemble(Database(url), WebClient(token="xoxb-none"), bench_policy())
    for name, question in questions(services, datetime.now(UTC)).items():
        times, used = [], []
        for _time in range(TIMES):
            began, before = time.perf_counter(), time.process_time()
            question()
            times.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - before) * 1000)
        late = "  SLOW" if median(times[1:]) > QUICK else ""
        figures = f"{median(times[1:]):9.1f}{max(times[1:]):9.1f}{median(used[1:]):9.1f} ms"
        print(f"{predictions:>10}  {name:28}{figures}{late}", flush=True)
    print(f"{predictions:>10}  {'memory':28}{peak_memory_of(os.getpid()):9.0f} MB{'':10}load {load()}", flush=True)
    services.database.close()


def _newest_item(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.max(ReviewItem.id))) or 0


def _untouched_items(database: Database) -> list[int]:
    """Without answers."""
    said = select(Answer.id).where(Answer.item_id == ReviewItem.id).exists()
    wanted = select(ReviewItem.id).where(ReviewItem.queue_id == 1, ReviewItem.state == ItemState.OPEN, ~said)
    with database.reading() as session:
        return list(session.scalars(wanted.order_by(ReviewItem.id.desc()).limit(TIMES)))


def measure(kind: str, sizes: Sizes) -> None:
    with place(kind) as here:
        began = time.perf_counter()
        fill(here.database, sizes, datetime.now(UTC))
        here.analyze()
        with here.database.reading() as session:
            votes = session.scalar(select(func.count()).select_from(Answer))
        filled = time.perf_counter() - began
        print(
            f"{kind}: {sizes.predictions:,} predictions, {sizes.items:,} items, {votes:,} votes, "
            f"{here.size():,.0f} MB, filled in {filled:.0f} s",
            flush=True,
        )
        command = [sys.executable, "-m", "benchmarks.scale", "--ask", here.url, f"{sizes.predictions:,}"]
        subprocess.run(command, check=True, cwd=ROOT)
        print()


def main() -> None:
    parser = argparse.ArgumentParser(description="The same questions to small and to large databases.")
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 predictions and 200,000 votes")
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--ask", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ask:
        ask(*asked.ask)
        return
    print(heading(), flush=True)
    for kind in asked.database or KINDS:
        for sizes in FULL if asked.full else SMALL:
            measure(kind, sizes)


if __name__ == "__main__":
    main()
