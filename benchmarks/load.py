"""Sixteen people who click as fast as they are answered: signed requests, made beforehand, over kept connections."""

import hashlib
import hmac
import http.client
import json
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from benchmarks.machine import percentile, processor_seconds
from benchmarks.stock import LABELS, PEOPLE

SECRET = "a signing secret of the benchmark"
CLIENTS = 16
Json = dict[str, Any]


@dataclass(frozen=True)
class Click:
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """times: seconds from sending to the whole answer, of every click; seconds: from the first to the last."""

    times: tuple[float, ...] = ()
    seconds: float = 0.0
    failed: int = 0
    processor: float = 0.0  # seconds that the servers' processes used

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(
            self.times + other.times,
            self.seconds + other.seconds,
            self.failed + other.failed,
            self.processor + other.processor,
        )

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    @property
    def processor_ms(self) -> float:
        """Of one click."""
        return self.processor / len(self.times) * 1000

    def at(self, share: float) -> float:
        """Milliseconds."""
        return percentile(self.times, share) * 1000


def clicks(items: Sequence[int], drawn: Sequence[Json], slack: str, rng: random.Random) -> list[list[Click]]:
    """For each client a list. Each item is clicked by two people who agree, so that every second click settles one;
    who comes first is left to chance."""
    wanted = [(item, person) for item in items for person in rng.sample(range(CLIENTS), 2)]
    rng.shuffle(wanted)
    own: list[list[Click]] = [[] for _ in range(CLIENTS)]
    for number, (item, person) in enumerate(wanted):
        own[person].append(_click(item, PEOPLE[person], number, drawn, slack))
    return own


@dataclass(frozen=True)
class Server:
    port: int
    pid: int


def hit(servers: Sequence[Server], own: Sequence[Sequence[Click]]) -> Measured:
    """All clients at once, each until its clicks are used up; several servers have as many clients each."""
    started, used = time.perf_counter(), _used(servers)
    with ThreadPoolExecutor(len(own)) as pool:
        found = list(pool.map(lambda pair: list(_clicking(*pair)), zip(cycle(servers), own, strict=False)))
    spent, used = time.perf_counter() - started, _used(servers) - used
    times = tuple(taken for one in found for taken, _ok in one)
    return Measured(times, spent, sum(not ok for one in found for _taken, ok in one), used)


def _used(servers: Sequence[Server]) -> float:
    return sum(processor_seconds(server.pid) for server in servers)


def _clicking(server: Server, mine: Sequence[Click]) -> Iterator[tuple[float, bool]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for click in mine:
        begun = time.perf_counter()
        connection.request("POST", "/slack/events", click.body, click.headers)
        answer = connection.getresponse()
        said = answer.read()
        yield time.perf_counter() - begun, answer.status == 200 and said == b""
    connection.close()


def _click(item: int, person: str, number: int, drawn: Sequence[Json], slack: str) -> Click:
    now = int(time.time())
    action = {
        "type": "button", "action_id": "vote:0", "block_id": "labels", "value": f"{item}|label|{LABELS[item % 3]}",
        "text": {"type": "plain_text", "text": LABELS[item % 3], "emoji": True}, "action_ts": f"{now}.{number:06}",
    }  # fmt: skip
    payload = {
        "type": "block_actions", "user": {"id": person, "username": "ana", "name": "ana", "team_id": "T_BENCH"},
        "api_app_id": "A_BENCH", "token": "x" * 24, "team": {"id": "T_BENCH", "domain": "bench"}, "enterprise": None,
        "is_enterprise_install": False, "channel": {"id": "C_REVIEW", "name": "support-review"},
        "container": {"type": "message", "message_ts": "1.000100", "channel_id": "C_REVIEW", "is_ephemeral": False},
        "trigger_id": f"{number}.123.abcdef", "state": {"values": {}},
        "message": {"type": "message", "user": "U_BOT", "ts": "1.000100", "bot_id": "B_BOT", "app_id": "A_BENCH",
                    "text": "A ticket to review", "team": "T_BENCH", "blocks": drawn},
        "response_url": f"{slack}/actions/T_BENCH/{number}/abcdef", "actions": [action],
    }  # fmt: skip
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return Click(body, _signed(body, now))


def _signed(body: bytes, now: int) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": str(now),
        "X-Slack-Signature": f"v0={digest}",
    }
