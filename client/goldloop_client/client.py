"""The client: one method for each endpoint.

Every call is safe to repeat, so the client retries when the connection breaks or the server answers 429, 502, 503 or
504.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from goldloop_client.retries import WORTH_REPEATING, pause_after
from goldloop_client.shapes import (
    MOST_ROWS,
    CorrectionLine,
    CorrectionPage,
    GoldenInput,
    ItemLine,
    ItemPage,
    ItemState,
    Model,
    Models,
    Predicted,
    Problem,
    Received,
    StatsCard,
    Submitted,
)

Answer = TypeVar("Answer")
Format = Literal["jsonl", "csv", "parquet"]

PAGE = 500  # rows per request


class ApiError(Exception):
    """The server answered with an error. `problem` has its code, sentence and field."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem


class Client:
    """A client with an open connection; close it, or use it in a `with`. tries: the maximum number of attempts for one
    call. pause: waits between attempts."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = 30.0,
        tries: int = 6,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tries = tries
        self._pause = pause
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1/queues/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, queue: str, rows: Iterable[Mapping[str, Any]]) -> Received:
        """Send any number of predictions in batches of a thousand; the next batch is read while the server stores the
        last. Invalid rows are in `rejected`, numbered from 1 over all of `rows`. Raises ApiError if nothing can be sent
        at all (no such queue, missing scope)."""
        total = Received(0, 0, 0)
        for place, answer in enumerate(self._answers(queue, iter(rows))):
            total = _added(total, answer, place * MOST_ROWS)
        return total

    def predict(
        self,
        queue: str,
        external_id: str,
        text: str,
        fields: Mapping[str, str] | None = None,
        *,
        group: str | None = None,
        link: str | None = None,
    ) -> Predicted:
        """Ask the live model. The prediction is stored, and flagged if people should review it. group: whose text it
        is, such as a customer's; link: its address in your own system, which the card leads to."""
        row = {"external_id": external_id, "text": text, "fields": dict(fields or {}), "group": group, "link": link}
        return _read(Predicted, self._accepted_answer("POST", f"{queue}/predict", json=row))

    def send_pictures(
        self, queue: str, rows: Sequence[Mapping[str, Any]], pictures: Mapping[str, bytes]
    ) -> Received:  # fmt: skip
        """Send up to 1,000 predictions with their pictures, in one request. pictures: PNG, JPEG or DICOM files, 100 at
        most, by the names that rows give as `image`: one, or a list of up to four. Answers and raises as `send`."""
        form = {"data": {"predictions": _as_json(rows).decode("utf-8", "replace")}, "files": _files(pictures)}
        return self._received(queue, form)

    def predict_picture(
        self,
        queue: str,
        external_id: str,
        *pictures: bytes,
        fields: Mapping[str, str] | None = None,
        group: str | None = None,
        link: str | None = None,
    ) -> Predicted:
        """Ask the live model about up to four pictures of one thing, as `predict` asks about a text. The built-in model
        reads the first; reviewers see all."""
        files = {f"picture-{number}": picture for number, picture in enumerate(pictures, 1)}
        row = {
            "external_id": external_id,
            "image": list(files),
            "fields": dict(fields or {}),
            "group": group,
            "link": link,
        }
        form = {"data": {"predictions": json.dumps(row)}, "files": _files(files)}
        return _read(Predicted, self._accepted_answer("POST", f"{queue}/predict", **form))

    def picture(self, queue: str, image_url: str) -> bytes:
        """A stored picture, as people see it: a PNG; the first of several. image_url: of a correction or row,
        `picture:` and the hash of each, with commas between."""
        return self._picture(queue, _hashes(image_url)[0])

    def pictures(self, queue: str, image_url: str) -> list[bytes]:
        """All pictures of an input, in order. image_url: as for `picture`."""
        return [self._picture(queue, sha256) for sha256 in _hashes(image_url)]

    def items(self, queue: str, state: ItemState | None = None) -> Iterator[ItemLine]:
        """All review items, oldest first, fetched page by page."""
        wanted = {} if state is None else {"state": str(state)}
        cursor, more = 0, True
        while more:
            page = self._page(ItemPage, f"{queue}/items", cursor, wanted)
            yield from page.items
            cursor, more = page.next, page.more

    def corrections(self, queue: str, since: datetime | None = None, cursor: int = 0) -> Iterator[CorrectionLine]:
        """All corrections so far, oldest first. To continue later, keep the last `id` and pass it as `cursor`."""
        wanted = {} if since is None else {"since": since.isoformat()}
        more = True
        while more:
            page = self._page(CorrectionPage, f"{queue}/corrections", cursor, wanted)
            yield from page.corrections
            cursor, more = page.next, page.more

    def models(self, queue: str) -> tuple[Model, ...]:
        return _read(Models, self._accepted_answer("GET", f"{queue}/models")).models

    def stats(self, queue: str) -> StatsCard:
        return _read(StatsCard, self._accepted_answer("GET", f"{queue}/stats"))

    def save_snapshot(self, queue: str, snapshot_id: int, file: Path, format: Format = "jsonl") -> None:
        """Download a training set to this file. It appears when it is complete; an interrupted download is repeated."""
        part = file.with_name(file.name + ".part")
        _accepted(self._repeated(lambda: self._save(f"{queue}/snapshots/{snapshot_id}", format, part)))
        part.replace(file)

    def golden_inputs(self, queue: str, snapshot_id: int) -> tuple[GoldenInput, ...]:
        """What a service that trains has to answer for a snapshot that was handed out to it."""
        lines = self._accepted_answer("GET", f"{queue}/snapshots/{snapshot_id}/golden").content.splitlines()
        return tuple(TypeAdapter(GoldenInput).validate_json(line) for line in lines)

    def submit_answers(
        self,
        queue: str,
        snapshot_id: int,
        snapshot: str,
        version: str,
        answers: Mapping[str, Mapping[str, float]],
    ) -> Submitted:
        """Submit what a service answers to all golden inputs of a snapshot. snapshot: its hash; version: as the service
        calls the model; answers: content hash -> label -> probability. Raises ApiError, whose sentence says what is
        wrong with them, and after which they may be submitted again; or, with the code `already_settled`, that the
        snapshot was answered otherwise, or is over."""
        rows = [{"content_hash": name, "probabilities": dict(one)} for name, one in answers.items()]
        body = {"version": version, "snapshot": snapshot, "predictions": rows}
        sent = {"content": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
        return _read(Submitted, self._accepted_answer("POST", f"{queue}/snapshots/{snapshot_id}/answers", **sent))

    def _picture(self, queue: str, sha256: str) -> bytes:
        return self._accepted_answer("GET", f"{queue}/pictures/{sha256}").content

    def _answers(self, queue: str, rows: Iterator[Mapping[str, Any]]) -> Iterator[Received]:
        """Yield one answer per batch. Rows are read in the caller's thread, because the iterator is the caller's, and
        only when the previous batch has been sent: otherwise the sending thread would wait up to 5 ms for the
        interpreter after each step, and the server with it."""
        with ThreadPoolExecutor(1, thread_name_prefix="goldloop-client") as sender:
            underway: Future[Received] | None = None
            while batch := list(islice(rows, MOST_ROWS)):
                body = _Body(_as_json(batch))
                if underway:
                    yield underway.result()
                underway = sender.submit(self._send, queue, body)
                body.sent.wait()
            if underway:
                yield underway.result()

    def _send(self, queue: str, body: "_Body") -> Received:
        try:
            return self._received(queue, {"content": body, "headers": body.headers})
        finally:
            body.sent.set()

    def _received(self, queue: str, sent: dict[str, Any]) -> Received:
        response = self._repeated(lambda: self._http.post(f"{queue}/predictions", **sent))
        if response.status_code == 422 and (rejected := (answer := response.json()).get("rejected")):
            none = {"new": 0, "repeated": 0, "flagged": 0, "unknown_labels": answer.get("unknown_labels", {})}
            return TypeAdapter(Received).validate_python(none | {"rejected": rejected})  # no row is valid
        return _read(Received, _accepted(response))

    def _page(self, kind: type[Answer], path: str, cursor: int, wanted: dict[str, str]) -> Answer:
        return _read(kind, self._accepted_answer("GET", path, params={**wanted, "cursor": cursor, "limit": PAGE}))

    def _accepted_answer(self, method: str, path: str, **how: Any) -> httpx.Response:
        return _accepted(self._repeated(lambda: self._http.request(method, path, **how)))

    def _save(self, path: str, format: Format, file: Path) -> httpx.Response:
        with self._http.stream("GET", path, params={"format": format}) as response:
            if response.is_error:
                response.read()
                return response
            with file.open("wb") as out:
                for chunk in response.iter_bytes():
                    out.write(chunk)
        return response

    def _repeated(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        """The first final answer of repeated calls; after the last attempt, its answer or connection error."""
        for attempt in range(1, self._tries + 1):
            try:
                response = call()
            except httpx.TransportError:
                if attempt == self._tries:
                    raise
                self._wait(attempt, None)
                continue
            if response.status_code not in WORTH_REPEATING or attempt == self._tries:
                return response
            self._wait(attempt, response.headers.get("Retry-After"))
        raise ValueError("tries must be at least 1")

    def _wait(self, attempt: int, asked: str | None) -> None:
        self._pause(pause_after(attempt, asked, datetime.now(UTC), random.random()))


class _Body:
    """A JSON body that records when it has been sent, or that it cannot be sent."""

    def __init__(self, json: bytes) -> None:
        self._json = json
        self.headers = {"Content-Type": "application/json", "Content-Length": str(len(json))}
        self.sent = Event()

    def __iter__(self) -> Iterator[bytes]:
        yield self._json
        self.sent.set()


def _as_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as JSON. A lone surrogate, which is not valid text, is sent as it is: the server names the row."""
    try:
        return to_json(rows, inf_nan_mode="constants")
    except PydanticSerializationError:
        return json.dumps(rows).encode()


def _hashes(image_url: str) -> list[str]:
    return image_url.removeprefix("picture:").split(",")


def _files(pictures: Mapping[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (name, content)) for name, content in pictures.items()]


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise ApiError(_problem(response))
    return response


def _problem(response: httpx.Response) -> Problem:
    try:
        return TypeAdapter(Problem).validate_json(response.content)
    except ValidationError:  # the answer is not Goldloop's, but a proxy's or another server's
        detail = response.text[:200] or "The response is empty."
        return Problem("about:blank", response.reason_phrase, response.status_code, detail, "http")


def _read(kind: type[Answer], response: httpx.Response) -> Answer:
    return TypeAdapter(kind).validate_json(response.content)


def _added(total: Received, more: Received, start: int) -> Received:
    moved = tuple(replace(row, row=row.row + start) for row in more.rejected)
    return Received(
        total.new + more.new,
        total.repeated + more.repeated,
        total.flagged + more.flagged,
        total.rejected + moved,
        dict(Counter(total.unknown_labels) + Counter(more.unknown_labels)),
    )
