"""Does Goldloop stay quick, and its memory flat, when years of rows are stored?

    python -m benchmarks.scale [--full] [--database sqlite|postgresql]

The same questions are asked of a database of 10,000 predictions and of one with 100 times as many (200,000 votes with
--full), filled in bulk (benchmarks/stock.py) and analysed. Each is asked eleven times in one process, or four times if
it may take seconds. Shown are the median and the slowest without the first, and the processor time of this process
(with SQLite that is all of it). Memory is the most that this process held.
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
from bot.observability.write_check import WriteCheck
from bot.runtime.services import Services, assemble
from bot.slack.inbound.commands import ANSWERS, LATER
from bot.slack.inbound.home import load_home, load_my_work, load_stats
from bot.slack.inbound.payloads import Command
from bot.slack.views import home, stats
from core.delivery import backlog, notices, outbox, webhook_log, webhooks
from core.delivery.card_refs import CardRef
from core.intake.daily_readings import read_day, settled_later, weekday_of, whole_days
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.intake.promise_sample import promise_sample
from core.records.delivery import Posting
from core.records.reviews import Answer, ReviewItem
from core.records.webhooks import EventDelivery
from core.review.assignments import unanswerable_items
from core.review.cards import item_card
from core.review.history import item_history
from core.review.listing import correction_page, item_page
from core.review.overview import queue_overview
from core.review.votes import NewAnswer, cast_vote
from core.storage import leases
from core.storage.database import PATIENT, Database
from core.vocabulary import AnswerKind, ItemState

SMALL = (Sizes(5_000, 1_000), Sizes(100_000, 11_000))
FULL = (Sizes(10_000, 1_100), Sizes(1_000_000, 108_000))
TIMES, FEW = 11, 4  # few: of what may take seconds
OTHERS = 100.0  # milliseconds
QUICK = {
    **dict.fromkeys(("Home", "Home of a lead", "/goldloop stats", "/goldloop mine"), 40.0),
    **dict.fromkeys(("… its search", "/goldloop labels", "/goldloop budget 60 a day"), 1000.0),
    **dict.fromkeys(("a day's reading", "two weeks settled later", "the sample of a promise"), 5000.0),
}

Question = Callable[[], object]


def questions(services: Services, now: datetime) -> dict[str, Question]:
    """By what people would call them."""
    return {
        **_of_people(services),
        **_of_commands(services, now),
        **_by_the_day(services, now),
        **_that_write(services, now),
        **_of_the_worker(services, now),
        **_of_programs(services, now),
    }


def _of_people(services: Services) -> dict[str, Question]:
    def opened(person: str) -> object:
        found = load_home(services, person)
        return home.render(found.mine, found.queues, "", found.led, "", found.weak)

    return {
        "Home": lambda: opened(PEOPLE[0]),
        "Home of a lead": lambda: opened(LEAD),
        "/goldloop stats": lambda: [stats.render(card) for card in load_stats(services, LEAD)],
        "/goldloop mine": lambda: home.render_my_work(load_my_work(services, PEOPLE[0])),
    }


def _of_commands(services: Services, now: datetime) -> dict[str, Question]:
    """As Slack sends them, and in the terminal: status and explain. The search for weak slices comes after the answer
    to its command."""
    newest, queue, reading = _newest_item(services.database), services.policy.queues[0], _reader(services)

    def asked(answer: Callable[[Command, Services], object], *words: str) -> Question:
        return lambda: answer(Command(LEAD, "C_LEADS", words), services)

    return {
        "/goldloop slices": asked(ANSWERS["slices"], "slices"),
        "… its search": asked(LATER["slices"], "slices"),
        "/goldloop labels": asked(ANSWERS["labels"], "labels"),
        "/goldloop budget 60 a day": asked(ANSWERS["budget"], "budget", "60", "a", "day"),
        "/goldloop promise": asked(ANSWERS["promise"], "promise"),
        "status of a queue": reading(lambda session: queue_overview(session, queue, now)),
        "explain an item": reading(lambda session: item_history(session, newest, None, services.policy)),
    }


def _by_the_day(services: Services, now: datetime) -> dict[str, Question]:
    """Of tasks that run once a day: what is read without a lock that a click would wait for."""
    queue, reading = services.policy.queues[0], _reader(services)
    day = whole_days(queue, now)[-1]
    return {
        "a day's reading": reading(lambda session: read_day(session, 1, day, weekday_of(day[0], queue))),
        "two weeks settled later": reading(lambda session: settled_later(session, queue, now)),
        "the sample of a promise": reading(
            lambda session: promise_sample(session, 1, "sender-1", now - timedelta(days=60), now)
        ),
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
        "/metrics": lambda: Exposition(services, Liveness(), WriteCheck(services)).text(),
    }


def _reader(services: Services) -> Callable[[Callable[[Session], object]], Question]:
    return partial(_reading, services.database)


def _reading(database: Database, ask: Callable[[Session], object]) -> Question:
    def asked() -> object:
        with database.reading(wait=PATIENT) as session:
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
        for _time in range(TIMES if QUICK.get(name, OTHERS) <= OTHERS else FEW):
            began, before = time.perf_counter(), time.process_time()
            question()
            times.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - before) * 1000)
        late = "  SLOW" if median(times[1:]) > QUICK.get(name, OTHERS) else ""
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
