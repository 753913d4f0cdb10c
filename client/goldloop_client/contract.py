"""The contract of a service that trains and runs models for Goldloop, as a test that its author can run:

    python -m goldloop_client.contract --webhook URL --predict URL --port 8710

It needs no Goldloop: it listens on the port as one (the service is to call http://127.0.0.1:8710, with any token), and
sends the service what Goldloop sends. The secret is read from GOLDLOOP_SECRET."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from goldloop_client.signatures import sign
from goldloop_client.stand_in import GOLDEN, LABELS, QUEUE, ROWS, StandIn, row_problem, stand_in

CLOSE = 1e-6  # the largest difference between two answers to the same input
WEBHOOK_SECONDS = 10.0  # seconds within which Goldloop expects the answer to a webhook
ODD = ("", " ", "?", "ß 🙂 \u0000", "word " * 2000)
FORGED = "whsec_" + "AAAA" * 8


@dataclass(frozen=True)
class Finding:
    """The result of one rule of the contract. problem: empty if the rule is kept."""

    rule: str
    problem: str = ""


@dataclass(frozen=True)
class Service:
    """The service under test. webhook: the address that is notified of training; predict: the address that answers.
    seconds: the time limit of a prediction."""

    webhook: str
    predict: str
    secret: str
    seconds: float = 5.0

    def tell(self, data: dict[str, Any], secret: str, named: str = "evt_1") -> httpx.Response:
        body = {"type": "training.requested", "timestamp": "2026-01-01T00:00:00+00:00", "data": data}
        return _post(self.webhook, body, secret, named, WEBHOOK_SECONDS)

    def ask(self, texts: Sequence[str], version: str, secret: str | None = None) -> httpx.Response:
        inputs = [{"text": text, "fields": {}} for text in texts]
        body = {"type": "predict", "queue": QUEUE, "version": version, "labels": list(LABELS), "inputs": inputs}
        return _post(self.predict, body, secret or self.secret, "prd_1", self.seconds)

    def answers(self, texts: Sequence[str], version: str) -> list[dict[str, float]]:
        """The service's answers, label -> probability. Raises ValueError with the problem."""
        response = self.ask(texts, version)
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"the status is {response.status_code}")
        answer = response.json()
        if not isinstance(answer, dict) or answer.get("version") != version:
            raise ValueError("the answer does not repeat the version that was asked for")
        rows = answer.get("predictions")
        if not isinstance(rows, list) or len(rows) != len(texts):
            raise ValueError(f"there is not one prediction for each of {len(texts)} inputs")
        if problem := next((found for row in rows if (found := row_problem(row))), None):
            raise ValueError(problem)
        return rows


def check_service(service: Service, goldloop: StandIn, training_seconds: float = 60.0) -> Iterator[Finding]:
    """Check the rules, one after the other. The others depend on the first three, and are left out if one of these
    fails. training_seconds: the time limit for answering the small snapshot."""
    yield (
        forged := _finding("a webhook with a wrong signature is refused", lambda: _forged_webhook(service, goldloop))
    )
    told = _finding("a webhook is answered with 2xx within 10 seconds", lambda: _notifies(service, goldloop))
    yield told
    submitted = _finding("the golden inputs are answered once, completely", lambda: _waited(goldloop, training_seconds))
    yield submitted
    if forged.problem or told.problem or submitted.problem:
        return
    version = goldloop.submissions[0]["version"]
    rules: list[tuple[str, Callable[[], None]]] = [
        ("the same webhook again leads to no other submission", lambda: _told_again(service, goldloop)),
        ("predictions are complete, in order, and sum to 1", lambda: _predicts(service, version)),
        ("golden inputs get what was submitted", lambda: _same_as_submitted(service, goldloop, version)),
        ("an answer does not depend on the other inputs", lambda: _independent(service, version)),
        ("any text is answered", lambda: _odd(service, version)),
        ("a prediction request with a wrong signature is refused", lambda: _forged_request(service, version)),
        ("a version that was never submitted is refused", lambda: _other_version(service)),
    ]
    for rule, check in rules:
        yield _finding(rule, check)


def _finding(rule: str, check: Callable[[], None]) -> Finding:
    try:
        check()
    except ValueError as problem:
        return Finding(rule, str(problem))
    except httpx.HTTPError as problem:
        return Finding(rule, f"no answer ({type(problem).__name__})")
    return Finding(rule)


def _forged_webhook(service: Service, goldloop: StandIn) -> None:
    _require_refusal(service.tell(goldloop.request(), FORGED))


def _notifies(service: Service, goldloop: StandIn) -> None:
    status = service.tell(goldloop.request(), service.secret).status_code
    if not 200 <= status < 300:
        raise ValueError(f"the status is {status}")


def _waited(goldloop: StandIn, seconds: float) -> None:
    if not goldloop.arrived.wait(seconds):
        refused = f" Refused: {goldloop.refused[-1]}" if goldloop.refused else ""
        raise ValueError(f"no usable submission came within {seconds:g} seconds.{refused}")
    if goldloop.refused:
        raise ValueError(f"a submission was refused: {goldloop.refused[0]}")


def _told_again(service: Service, goldloop: StandIn) -> None:
    _notifies(service, goldloop)
    time.sleep(1.0)
    if goldloop.refused:
        raise ValueError(f"a submission was refused: {goldloop.refused[-1]}")


def _predicts(service: Service, version: str) -> None:
    """Check the predictions and their order: a model that has learned anything is better than chance on its training
    rows."""
    answers = service.answers([text for text, _label in ROWS], version)
    right = sum(
        max(row, key=lambda name: row[name]) == label for row, (_text, label) in zip(answers, ROWS, strict=True)
    )
    if right <= len(ROWS) / len(LABELS):
        raise ValueError(f"{right} of {len(ROWS)} training rows are right; are the answers in the order of the inputs?")


def _same_as_submitted(service: Service, goldloop: StandIn, version: str) -> None:
    rows = goldloop.submissions[0]["predictions"]
    submitted = [row["probabilities"] for row in rows]
    _require_same(submitted, service.answers([GOLDEN[row["content_hash"]] for row in rows], version))


def _independent(service: Service, version: str) -> None:
    texts = [text for text, _label in ROWS[:3]]
    alone = [service.answers([text], version)[0] for text in texts]
    _require_same(alone, service.answers(texts[::-1], version)[::-1])


def _odd(service: Service, version: str) -> None:
    service.answers(ODD, version)


def _forged_request(service: Service, version: str) -> None:
    _require_refusal(service.ask(["money"], version, FORGED))


def _other_version(service: Service) -> None:
    _require_refusal(service.ask(["money"], "never submitted"))


def _require_refusal(response: httpx.Response) -> None:
    if not 400 <= response.status_code < 500:
        raise ValueError(f"the status is {response.status_code}, not one of 400 to 499")


def _require_same(first: Sequence[dict[str, float]], second: Sequence[dict[str, float]]) -> None:
    for one, other in zip(first, second, strict=True):
        apart = max(abs(one.get(label, 0.0) - other.get(label, 0.0)) for label in LABELS)
        if apart > CLOSE:
            raise ValueError(f"two answers to the same input differ by {apart:.6f}")


def _post(url: str, body: dict[str, Any], secret: str, named: str, seconds: float) -> httpx.Response:
    content, now = json.dumps(body).encode(), int(time.time())
    headers = {
        "content-type": "application/json", "webhook-id": named, "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, named, now, content),
    }  # fmt: skip
    return httpx.post(url, content=content, headers=headers, timeout=seconds, follow_redirects=False)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m goldloop_client.contract", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--webhook", required=True, help="address that is told of training")
    parser.add_argument("--predict", required=True, help="address that answers prediction requests")
    parser.add_argument("--port", type=int, default=8710, help="port on which it stands in for Goldloop")
    parser.add_argument("--training-seconds", type=float, default=60.0, help="for 18 rows and 6 golden inputs")
    parser.add_argument("--seconds", type=float, default=5.0, help="for one prediction request")
    given = parser.parse_args(words)
    service = Service(given.webhook, given.predict, os.environ.get("GOLDLOOP_SECRET", ""), given.seconds)
    if not service.secret:
        sys.stderr.write("GOLDLOOP_SECRET is not set: the secret with which requests to the service are signed.\n")
        return 2
    failed = 0
    with stand_in(given.port) as goldloop:
        for one in check_service(service, goldloop, given.training_seconds):
            failed += bool(one.problem)
            sys.stdout.write(
                f"{'FAILED' if one.problem else 'ok    '} {one.rule}{': ' if one.problem else ''}{one.problem}\n"
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
