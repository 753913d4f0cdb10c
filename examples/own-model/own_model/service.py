"""The service: it is told of training by a webhook, answers the golden inputs, and answers prediction requests.

Settings in the environment: GOLDLOOP_URL, GOLDLOOP_TOKEN (scopes `read` and `train`), GOLDLOOP_SECRET (whsec_…),
MODELS (a folder, one file for each version) and PORT."""

import hashlib
import json
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from goldloop_client import ApiError, Client
from goldloop_client.signatures import is_signed
from own_model.words import WordModel, train

MOST_BYTES = 10_000_000  # of one request


@dataclass
class ModelStore:
    """Each version that was ever submitted answers for as long as Goldloop may ask for it: the live one, the one before
    it, and a candidate."""

    folder: Path
    _loaded: dict[str, WordModel] = field(default_factory=dict)

    def save(self, version: str, model: WordModel) -> None:
        model.save(self._file(version))
        self._loaded[version] = model

    def find(self, version: str) -> WordModel | None:
        if version not in self._loaded and self._file(version).exists():
            self._loaded[version] = WordModel.load(self._file(version))
        return self._loaded.get(version)

    def _file(self, version: str) -> Path:
        return self.folder / f"{hashlib.sha256(version.encode()).hexdigest()}.json"


@dataclass(frozen=True)
class Service:
    client: Client
    secret: str
    models: ModelStore
    requested: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    def work(self) -> None:
        """Train for one request after the other, in a thread of its own."""
        while True:
            data = self.requested.get()
            try:
                self.train(data)
            except ApiError as refused:  # its sentence says what to change; Goldloop's leads see it on the run's card
                sys.stderr.write(f"Goldloop refused the answers to snapshot {data['snapshot_id']}: {refused}\n")
            except Exception as error:  # noqa: BLE001 - the next request must be served
                sys.stderr.write(f"Training on snapshot {data['snapshot_id']} failed: {error!r}\n")

    def train(self, data: dict[str, Any]) -> None:
        """Safe to repeat: the same snapshot gives the same model, version and answers."""
        name, snapshot_id = data["queue"], data["snapshot_id"]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.jsonl"
            self.client.save_snapshot(name, snapshot_id, file)
            rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        model, version = train(rows, data["labels"]), version_of(snapshot_id, data["snapshot_hash"])
        self.models.save(version, model)
        golden = self.client.golden_inputs(name, snapshot_id)
        answers = {one.content_hash: model.probabilities(one.text) for one in golden}
        self.client.submit_answers(name, snapshot_id, data["snapshot_hash"], version, answers)

    def predict(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """None: it does not know this version."""
        model = self.models.find(asked["version"])
        if model is None:
            return None
        return {
            "version": asked["version"],
            "predictions": [model.probabilities(one["text"]) for one in asked["inputs"]],
        }


class _Door(BaseHTTPRequestHandler):
    service: ClassVar[Service]

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if size > MOST_BYTES:
            self._answer(413, {"problem": "the body is too large"})
            return
        body = self.rfile.read(size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_signed(self.service.secret, headers, body, time.time()):
            self._answer(401, {"problem": "the request is not signed by Goldloop"})
            return
        sent = json.loads(body)
        if self.path == "/hooks":
            self._told(sent)
        elif self.path == "/predict":
            answer = self.service.predict(sent)
            self._answer(200 if answer else 404, answer or {"problem": "this version is not known"})
        else:
            self._answer(404, {"problem": "there is nothing here"})

    def _told(self, sent: dict[str, Any]) -> None:
        """Answer at once, and train afterwards."""
        if sent["type"] == "training.requested":
            self.service.requested.put(sent["data"])
        self._answer(202, {})

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: requests hold texts of customers."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def version_of(snapshot_id: int, snapshot_hash: str) -> str:
    """Two snapshots of the same rows have one hash, and need a version each."""
    return f"words-{snapshot_id}-{snapshot_hash[:12]}"


@contextmanager
def running(service: Service, port: int) -> Iterator[str]:
    """The address at which it answers while the block runs. port: 0: any."""
    with ThreadingHTTPServer(("127.0.0.1", port), type("Door", (_Door,), {"service": service})) as server:
        threading.Thread(target=service.work, daemon=True).start()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


USAGE = """\
own-model takes no arguments. It reads from the environment:
  GOLDLOOP_URL, GOLDLOOP_TOKEN, GOLDLOOP_SECRET
  PORT      at which it listens (8720)
  MODELS    folder for its models (models)
"""


def main() -> None:
    if sys.argv[1:] or not {"GOLDLOOP_URL", "GOLDLOOP_TOKEN", "GOLDLOOP_SECRET"} <= os.environ.keys():
        raise SystemExit(USAGE)
    folder = Path(os.environ.get("MODELS", "models"))
    folder.mkdir(exist_ok=True)
    with Client(os.environ["GOLDLOOP_URL"], os.environ["GOLDLOOP_TOKEN"]) as client:
        service = Service(client, os.environ["GOLDLOOP_SECRET"], ModelStore(folder))
        with running(service, int(os.environ.get("PORT", "8720"))) as address:
            sys.stdout.write(f"Listening at {address}\n")
            threading.Event().wait()


if __name__ == "__main__":
    main()
