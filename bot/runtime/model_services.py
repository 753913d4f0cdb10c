"""Connections to external services that run models: signed requests with a time-out, in batches, behind a circuit
breaker for each queue. The address comes from the policy file and the secret from the environment, both on this
machine; no redirect is followed. No transaction may be open during a request."""

import asyncio
import hashlib
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus

import numpy as np

from bot.runtime.breaker import Breaker
from bot.runtime.json_parsing import read_json
from bot.runtime.retry_after import seconds_asked
from bot.runtime.signing import signed_headers
from core.errors import Invalid, ModelUnavailable
from core.learning.data.inputs import Input
from core.learning.learners.base import FloatArray
from core.learning.learners.external import Ask, checked_table
from core.policy import QueuePolicy
from core.policy.external import ExternalPolicy
from core.review.content import shown_input
from core.storage import deadlines

log = logging.getLogger(__name__)

MOST_BYTES = 20_000_000  # the largest size of an answer
KEPT_BACK = 0.75  # seconds of a click's time that are reserved for the database
SHORTEST = 0.1  # the shortest time for an answer, however little time is left
AGAIN = 2.0  # seconds until a caller should try again while the breaker is closed


class ServiceFailed(Exception):  # noqa: N818 - told by what it says
    """No usable answer came; `str` completes "The service of support ___". asked: seconds for which the service asks
    not to be called. is_hurried: the caller had less time than the policy gives the service."""

    def __init__(self, sentence: str, asked: float = 0.0, is_hurried: bool = False) -> None:
        super().__init__(sentence)
        self.asked = asked
        self.is_hurried = is_hurried


@dataclass(frozen=True)
class ModelServices:
    """A `Connect`. clock: for signatures; seconds: for the breakers, which this object guards; tls: for https."""

    clock: Callable[[], datetime]
    tls: Callable[[], ssl.SSLContext]
    seconds: Callable[[], float] = time.monotonic
    _breakers: dict[str, Breaker] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, queue: QueuePolicy) -> Ask:
        return partial(self._ask, queue)

    def _ask(self, queue: QueuePolicy, version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        size = queue.external.batch
        pieces = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        return np.concatenate([self._piece(queue, version, labels, piece) for piece in pieces])

    def _piece(self, queue: QueuePolicy, version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        breaker, policy = self._breaker(queue.name), queue.external
        if left := breaker.seconds_left(policy.failures, policy.pause_seconds):
            raise ModelUnavailable(_left_alone(queue.name, breaker.failures, left), left)
        try:
            table = self._answered(queue, version, labels, inputs)
        except ServiceFailed as failure:
            if not failure.is_hurried:
                log.warning("Model service failed", extra={"queue": queue.name, "reason": str(failure)})
                breaker.failed(policy.failures, policy.pause_seconds, failure.asked)
            raise ModelUnavailable(f"The service of {queue.name} {failure}.", max(failure.asked, AGAIN)) from failure
        breaker.succeeded()
        return table

    def _breaker(self, name: str) -> Breaker:
        with self._lock:
            return self._breakers.setdefault(name, Breaker(self.seconds))

    def _answered(
        self, queue: QueuePolicy, version: str, labels: Sequence[str], inputs: Sequence[Input]
    ) -> FloatArray:  # fmt: skip
        """The probabilities of one batch, shape (inputs, labels). Raises ServiceFailed."""
        if not queue.external.url:
            raise ServiceFailed("has no address: the policy has no external.url for it")
        content = self._answer_to(queue.external, _body(queue, version, labels, inputs))
        try:
            answer = read_json(content)
            if not isinstance(answer, dict):
                raise Invalid("it is no object.")
            if answer.get("version") != version:
                raise Invalid(f"it is of the version “{str(answer.get('version'))[:60]}”, not of “{version}”.")
            return checked_table(answer.get("predictions"), labels, len(inputs))
        except Invalid as refusal:
            sentence = str(refusal).rstrip(".")
            raise ServiceFailed(f"gave an answer that is of no use: {sentence}") from None
        except (ValueError, RecursionError):
            raise ServiceFailed("gave an answer that is not JSON") from None

    def _answer_to(self, policy: ExternalPolicy, body: str) -> bytes:
        import httpx  # loads Rich, 5 MB, which a process without such a service does not need

        seconds = _seconds_for(policy)
        try:
            now = self.clock()
            named = f"prd_{hashlib.sha256(f'{now.isoformat()} {body}'.encode()).hexdigest()[:24]}"
            headers = signed_headers(policy.webhook, named, now, body)
            status, content, retry_after = _posted(policy.url, body.encode(), headers, seconds, self.tls())
        except TimeoutError:
            hurried = seconds < policy.timeout_seconds
            raise ServiceFailed(f"gave no answer within {seconds:g} seconds", is_hurried=hurried) from None
        except Invalid as refusal:  # the secret is missing or invalid
            raise ServiceFailed(f"cannot be asked: {str(refusal).rstrip('.')}") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise ServiceFailed(f"gave no answer ({type(error).__name__})") from None
        if status != HTTPStatus.OK:
            raise ServiceFailed(f"answered with the status {status}", seconds_asked(retry_after) or 0.0)
        return content


def _body(queue: QueuePolicy, version: str, labels: Sequence[str], inputs: Sequence[Input]) -> str:
    """The request as JSON. Texts are masked as for people, like those of the snapshot from which the service
    learned."""
    shown = [shown_input(one, queue) for one in inputs]
    asked = [{"text": one.text, "fields": dict(one.fields)} for one in shown]
    body = {"type": "predict", "queue": queue.name, "version": version, "labels": list(labels), "inputs": asked}
    return json.dumps(body)


def _seconds_for(policy: ExternalPolicy) -> float:
    """The seconds for an answer: the policy's, or less if a click has less time left."""
    left = deadlines.ends_in(policy.timeout_seconds + KEPT_BACK) - KEPT_BACK
    return min(policy.timeout_seconds, max(SHORTEST, left))


def _posted(
    url: str, body: bytes, headers: dict[str, str], seconds: float, tls: ssl.SSLContext
) -> tuple[int, bytes, str]:
    """Status, content and Retry-After."""
    loop = asyncio.new_event_loop()  # asyncio.run would wait for a DNS lookup that hangs
    try:
        return loop.run_until_complete(_response(url, body, headers, seconds, tls))
    finally:
        loop.close()


async def _response(
    url: str, body: bytes, headers: dict[str, str], seconds: float, tls: ssl.SSLContext
) -> tuple[int, bytes, str]:
    """One timeout covers everything, because httpx's own restarts with each byte."""
    import httpx

    content = bytearray()
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds, follow_redirects=False, verify=tls) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > MOST_BYTES:
                raise ServiceFailed(f"gave an answer of more than {MOST_BYTES:,} bytes")
        return answer.status_code, bytes(content), answer.headers.get("retry-after", "")


def _left_alone(queue: str, failures: int, left: float) -> str:
    times = "has failed once" if failures == 1 else f"has failed {failures} times in a row"
    return f"The service of {queue} {times} and is left alone; it is asked again in {max(1, round(left))} seconds."
