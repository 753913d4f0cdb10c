"""The client of a language model: one bounded request in OpenAI's format. No part of the answer is trusted.

The address is in the policy, the key in the environment; the key is sent nowhere else and written nowhere. Requests and
answers are not logged.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from bot.runtime.retry_after import seconds_asked
from core.errors import Refusal
from core.jobs import WorkFailed
from core.synthesis.calls import Ask
from core.synthesis.prompt import MOST_ANSWER_TOKENS, SCHEMA
from core.synthesis.writing import Answered, Busy, Write
from core.text.storable import storable
from core.vocabulary import CallProblem

MOST_BYTES = 1_000_000  # the largest answer; one of 1,200 tokens has some 10,000 bytes
TRIES = 3  # attempts at one call, if the server is busy
PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds between two attempts; if the server asks for longer, the job is put off
KEY = "GOLDLOOP_LLM_KEY"

Sleep = Callable[[float], None]


def writer(key: SecretStr, sleep: Sleep = time.sleep) -> Write:
    """A function that makes calls with this key. key: empty if the server needs none."""

    def write(ask: Ask) -> Answered:
        for attempt in range(1, TRIES + 1):
            status, body, wait = _sent(ask, key)
            if status == 200:
                return body
            _refuse(status)
            if attempt < TRIES and wait <= LONGEST_PAUSE:
                sleep(wait or PAUSE * attempt)
        if status:
            raise Busy(f"the language model's server was busy {TRIES} times (status {status})")
        raise WorkFailed(f"the language model's server did not answer {TRIES} times")

    return write


def _sent(ask: Ask, key: SecretStr) -> tuple[int, Answered, float]:
    """The status (0: no answer in time), the answer, and the seconds until the next attempt."""
    loop = asyncio.new_event_loop()  # asyncio.run would wait for a DNS lookup that hangs
    try:
        return loop.run_until_complete(_answer(ask, key))
    except (httpx.HTTPError, TimeoutError):
        return 0, Answered(""), 0.0
    finally:
        loop.close()


async def _answer(ask: Ask, key: SecretStr) -> tuple[int, Answered, float]:
    """Make one request. A single timeout covers everything, because httpx's own restarts with each byte. Redirects are
    not followed."""
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key.get_secret_value() else {}
    url = f"{ask.address}/chat/completions"
    async with (
        asyncio.timeout(ask.seconds),
        httpx.AsyncClient(timeout=ask.seconds, follow_redirects=False) as client,
        client.stream("POST", url, json=request_body(ask), headers=headers) as answer,
    ):
        if answer.status_code != 200:
            return answer.status_code, Answered(""), seconds_asked(answer.headers.get("retry-after")) or 0.0
        parts, size = [], 0
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                return 200, Answered("", CallProblem.TOO_LONG), 0.0
        return 200, Answered(storable(b"".join(parts).decode("utf-8", "replace"))), 0.0


def request_body(ask: Ask) -> dict[str, Any]:
    """The body of a request in OpenAI's chat format."""
    shape = {"type": "json_schema", "json_schema": {"name": "texts", "strict": True, "schema": json.loads(_SCHEMA)}}
    return {
        "model": ask.model, "messages": ask.prompt, "temperature": 0.9, "top_p": 0.95, "seed": ask.seed, "n": 1,
        "max_tokens": MOST_ANSWER_TOKENS, "response_format": shape,
    }  # fmt: skip


_SCHEMA = json.dumps(SCHEMA)


def _refuse(status: int) -> None:
    """Raises Refusal for a status that a repetition will not change. The server's message is not repeated, because some
    servers quote the request with its texts."""
    if status in (401, 403):
        raise Refusal(f"The language model's server refused the key (status {status}). Check {KEY}.")
    if status == 404:
        raise Refusal("The language model's server has no such model or address (status 404). Check the policy.")
    if status in (400, 422):
        raise Refusal(
            f"The language model's server did not understand the request (status {status}). It has to support "
            "response_format json_schema."
        )
    if 300 <= status < 500 and status not in (408, 409, 425, 429):
        raise Refusal(f"The language model's server refused the request (status {status}).")
