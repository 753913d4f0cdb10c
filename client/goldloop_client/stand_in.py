"""A stand-in for Goldloop, for tests of a service that trains: it hands out one small snapshot, and takes submissions.

It has the endpoints that such a service calls, with the addresses, fields and refusals of Goldloop's own."""

import hashlib
import json
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

QUEUE = "contract"
LABELS = ("refund", "billing error", "delivery")
TOLERANCE = 0.02  # of the sum of an answer's probabilities

_WISHES = (
    ("i want my money back for the", "refund"),
    ("you charged my card twice for the", "billing error"),
    ("where is the parcel with my", "delivery"),
)
_THINGS = ("lamp", "chair", "table", "vase", "sofa", "mirror")
_GOLDEN = ("clock", "carpet")
PATH = f"/api/v1/queues/{QUEUE}/snapshots/1"


def content_hash(text: str) -> str:
    """A stand-in for Goldloop's hash; a service need not know how it is computed."""
    return hashlib.sha256(text.encode()).hexdigest()


ROWS = [(f"{wish} {thing}", label) for thing in _THINGS for wish, label in _WISHES]
GOLDEN = {content_hash(text): text for thing in _GOLDEN for wish, _label in _WISHES if (text := f"{wish} {thing}")}
SNAPSHOT = content_hash(json.dumps(ROWS))


@dataclass
class StandIn:
    """A running stand-in. address: of its HTTP server. submissions: the accepted ones, in order; refused: the sentences
    about the others."""

    address: str
    submissions: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def request(self) -> dict[str, Any]:
        """The data of a `training.requested` event."""
        return {
            "queue": QUEUE, "run_id": 1, "snapshot_id": 1, "snapshot_hash": SNAPSHOT, "rows": len(ROWS),
            "golden_inputs": len(GOLDEN), "labels": list(LABELS), "due_at": "2099-01-01T00:00:00+00:00",
            "snapshot": f"{PATH}?format=jsonl", "golden": f"{PATH}/golden", "answers": f"{PATH}/answers",
        }  # fmt: skip

    def take(self, sent: Any) -> tuple[int, dict[str, Any]]:
        """Accept or refuse a submission. Returns the status and the body of the answer."""
        problem = submission_problem(sent)
        if problem is not None:
            self.refused.append(problem)
            return 422, _problem(422, "invalid", problem)
        repeated = bool(self.submissions)
        if repeated and self.submissions[0] != sent:
            self.refused.append("A second submission differs from the first.")
            return 409, _problem(409, "already_settled", "Snapshot 1 has been answered. It takes one submission.")
        self.submissions.append(sent)
        self.arrived.set()
        answer = {"run_id": 1, "snapshot_id": 1, "version": sent["version"], "answers": len(GOLDEN)}
        return 200, answer | {"repeated": repeated}


@contextmanager
def stand_in(port: int = 0) -> Iterator[StandIn]:
    """A stand-in that listens on this port of this machine during the block. port: 0 for any."""
    with ThreadingHTTPServer(("127.0.0.1", port), type("Door", (_Door,), {})) as server:
        goldloop = StandIn(f"http://127.0.0.1:{server.server_port}")
        server.RequestHandlerClass.goldloop = goldloop  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield goldloop
        finally:
            server.shutdown()
            thread.join()


def submission_problem(sent: Any) -> str | None:
    """The problem of a submission; None: it is valid."""
    if not isinstance(sent, dict) or not isinstance(sent.get("version"), str) or not sent["version"].strip():
        return "It has no version."
    if sent.get("snapshot") != SNAPSHOT:
        return "Its snapshot is not the hash that was handed out."
    rows = sent.get("predictions")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "Its predictions are not a list of objects."
    given = [row.get("content_hash") for row in rows]
    if sorted(map(str, given)) != sorted(GOLDEN):
        return f"It has answers to {len(set(given) & set(GOLDEN))} of {len(GOLDEN)} golden inputs, each once."
    return next((found for row in rows if (found := row_problem(row.get("probabilities")))), None)


def row_problem(row: Any) -> str | None:
    """The problem of the answer to one input; None: it is valid."""
    if not isinstance(row, Mapping) or not row:
        return "An answer is not an object of labels and probabilities."
    if unknown := [name for name in row if name not in LABELS]:
        return f"An answer has “{unknown[0]}”, which is none of the labels."
    if not all(_is_probability(value) for value in row.values()):
        return "An answer has a value that is not a number from 0 to 1."
    if abs(math.fsum(row.values()) - 1) > TOLERANCE:
        return f"The probabilities of an answer add up to {math.fsum(row.values()):.3f}, not to 1."
    return None


def _is_probability(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value <= 1


def _problem(status: int, code: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}


class _Door(BaseHTTPRequestHandler):
    goldloop: ClassVar[StandIn]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == PATH:
            rows = [_record(text) | {"label": label, "weight": 1.0} for text, label in ROWS]
        elif path == f"{PATH}/golden":
            rows = [_record(text) for text in GOLDEN.values()]
        else:
            self._answer(404, json.dumps(_problem(404, "not_found", "There is nothing here.")))
            return
        self._answer(200, "".join(json.dumps(row) + "\n" for row in rows))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path != f"{PATH}/answers":
            self._answer(404, json.dumps(_problem(404, "not_found", "There is nothing here.")))
            return
        try:
            sent = json.loads(body)
        except ValueError:
            sent = None
        status, answer = self.goldloop.take(sent)
        self._answer(status, json.dumps(answer))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing, because the contract prints its findings."""

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def _record(text: str) -> dict[str, Any]:
    return {"content_hash": content_hash(text), "text": text, "image_url": None, "fields": {}}
