"""Prometheus metrics for /metrics: counters of this process, and gauges read from the database on request.

The gauges are the same in all processes; the counters cover this process only.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from slack_sdk import WebClient
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryHandler, RetryState
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.observability.liveness import Liveness
from bot.observability.write_check import WriteCheck, Writes
from bot.runtime.services import Services
from core.delivery import backlog
from core.errors import Refusal
from core.records.learning import Live, ModelVersion
from core.records.queues import Queue
from core.records.reviews import Answer, ReviewItem
from core.storage.database import CLICK, PATIENT

KEPT_SECONDS = 10.0  # rows are counted at most once in this time
AWAY = (Writes.LOCKED, Writes.UNREACHABLE)  # states in which reading would only wait

ACKNOWLEDGED = Histogram(
    "goldloop_acknowledgement_seconds",
    "Time from the arrival of a Slack request to the acknowledgement. Slack waits three seconds.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
REFUSED = Counter("goldloop_slack_rate_limited", "Slack API calls answered with 429.", ["method"])


class CountsRefusals(RetryHandler):
    """A retry handler that counts calls which Slack rate-limited. It never retries, because the outbox does."""

    def can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is not None and response.status_code == 429:
            REFUSED.labels(request.url.split("?")[0].rsplit("/", 1)[-1]).inc()
        return False


def count_refusals(slack: WebClient) -> None:
    slack.retry_handlers.append(CountsRefusals())


class Exposition:
    """The /metrics page of a process."""

    def __init__(self, services: Services, liveness: Liveness, writes: WriteCheck) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Rows(services, writes))
        self._registry.register(_Signs(liveness))

    def text(self) -> bytes:
        return generate_latest(REGISTRY) + generate_latest(self._registry)


class _Signs(Collector):
    """The gauges of the process's liveness."""

    def __init__(self, liveness: Liveness) -> None:
        self._pulse = liveness

    def collect(self) -> Iterable[Metric]:
        ticks = _gauge("tick_age_seconds", "Seconds since the periodic task last started.", ["job"])
        for job, age in self._pulse.tick_ages().items():
            ticks.add_metric([job], age)
        yield ticks
        if self._pulse.socket is not None:
            state = self._pulse.socket()
            yield _gauge("socket_connected", "1 if the socket to Slack is open.", value=float(state.connected))
            if state.ping_age is not None:
                yield _gauge(
                    "socket_ping_age_seconds", "Seconds since Slack last answered a ping.", value=state.ping_age
                )


class _Rows(Collector):
    """Gauges from the database, cached for a few seconds. If the database is unreachable, a metric says so; it is no
    error."""

    def __init__(self, services: Services, writes: WriteCheck) -> None:
        self._services, self._writes = services, writes
        self._kept: list[Metric] = []
        self._kept_at: float | None = None

    def collect(self) -> Iterable[Metric]:
        if self._kept_at is None or time.monotonic() - self._kept_at > KEPT_SECONDS:
            self._kept = list(self._read())
            self._kept_at = time.monotonic()
        return self._kept

    def describe(self) -> Iterable[Metric]:
        """Empty, so that registering does not query the database."""
        return []

    def _read(self) -> Iterator[Metric]:
        written = self._writes.result()
        found = self._queried(CLICK if written is Writes.BUSY else PATIENT) if written not in AWAY else None
        is_up = written is Writes.BUSY or (written.is_fine and found is not None)
        yield _gauge("database_up", "1 if the database answers and takes writes.", value=float(is_up))
        yield from found or []

    def _queried(self, wait: float) -> list[Metric] | None:
        try:
            with self._services.database.reading(wait=wait) as session:
                return [*_reviewing(session), *_waiting(session, self._services.clock()), _live(session)]
        except (SQLAlchemyError, Refusal):
            return None


def _reviewing(session: Session) -> Iterator[Metric]:
    items = _gauge("items", "Review items by state.", ["queue", "state"])
    by_state = select(Queue.name, ReviewItem.state, func.count()).join(Queue, Queue.id == ReviewItem.queue_id)
    for queue, state, count in session.execute(by_state.group_by(Queue.name, ReviewItem.state)):
        items.add_metric([queue, state.value], count)
    yield items
    answers = _gauge("answers", "Answers by kind, including changed and withdrawn ones.", ["kind"])
    for kind, count in session.execute(select(Answer.kind, func.count()).group_by(Answer.kind)):
        answers.add_metric([kind.value], count)
    yield answers


def _waiting(session: Session, now: datetime) -> Iterator[Metric]:
    waiting, job = backlog.waiting(session), backlog.oldest_ready_job(session, now)
    given_up = sum(lost.count for lost in backlog.given_up(session))
    yield _gauge("messages_waiting", "Messages waiting to be posted or updated.", value=waiting.count)
    yield _gauge("messages_lag_seconds", "Seconds that the oldest message has waited.", value=_age(waiting.since, now))
    yield _gauge("messages_given_up", "Messages that Slack refused permanently; see `goldloop doctor`.", value=given_up)
    yield _gauge("job_age_seconds", "Seconds that the oldest job has waited for a worker.", value=_age(job, now))
    yield _gauge(
        "jobs_dead", "Jobs that failed permanently; see `goldloop doctor`.", value=len(backlog.dead_jobs(session))
    )


def _live(session: Session) -> Metric:
    versions = _gauge("live_model_version", "Version of the live model; 0 if none.", ["queue"])
    found = select(Queue.name, func.coalesce(ModelVersion.version, 0)).join(Live, Live.queue_id == Queue.id)
    for queue, version in session.execute(found.outerjoin(ModelVersion, ModelVersion.id == Live.model_id)):
        versions.add_metric([queue], version)
    return versions


def _gauge(name: str, words: str, labels: list[str] | None = None, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"goldloop_{name}", words, labels=labels, value=value)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
