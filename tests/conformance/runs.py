"""One run: a workspace, one of the two apps connected to it in one of two ways, and the script of acts."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bot.sandbox.client import ControlError, SandboxClient
from bot.sandbox.server import serve
from bot.sandbox.wire import Json
from tests.conformance.normal import Normal
from tests.conformance.script import ACTS, APP, WORKSPACE, Act, Stage, told

FOLDER = Path(__file__).parent
START_SECONDS = 30.0  # until an app has connected; a cold start on a busy machine
ACT_SECONDS = 5.0  # until everything that an act caused has happened
POLL_SECONDS = 0.005
KEPT_OWN = ("member_joined_channel", "member_left_channel")  # events of the app itself that Bolt passes on


@dataclass(frozen=True)
class Run:
    language: str  # python or javascript
    mode: str  # socket or http

    def __str__(self) -> str:
        return f"{self.language} {self.mode}"


PYTHON = (Run("python", "socket"), Run("python", "http"))
JAVASCRIPT = (Run("javascript", "socket"), Run("javascript", "http"))


class StartError(Exception):
    """An app ended, or did not connect; its standard error is in the notes."""


def play(run: Run) -> list[Json]:
    """What the app heard and answered, what became of each act and what people saw, act by act."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        log.touch()
        port = free_port()
        url = f"http://127.0.0.1:{port}/slack/events" if run.mode == "http" else None
        config = replace(WORKSPACE, apps=(replace(APP, request_url=url),))
        with serve(config) as address, SandboxClient(address) as box, started(run, address, port, log) as app:
            connected(run, box, app)
            with log.open("rb") as written:
                recorder = Recorder(Stage(box), written, Normal(address))
                return [recorder.record(act) for act in ACTS]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(run: Run, address: str, port: int, log: Path) -> Iterator[subprocess.Popen[str]]:
    settings = {
        "api": f"{address}/api/",
        "mode": run.mode,
        "port": port,
        "log": str(log),
        "bot_token": APP.bot_token,
        "app_token": APP.app_token,
        "secret": APP.signing_secret,
    }
    program = [sys.executable, "-W", "ignore", "app.py"] if run.language == "python" else ["node", "app.js"]
    with (log.parent / "errors.txt").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*program, json.dumps(settings)],
            cwd=FOLDER,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            text=True,
        )
        try:
            yield process
        except Exception as error:
            errors.seek(0)
            error.add_note(f"{run} wrote: {errors.read()[-2000:]}")
            raise
        finally:
            process.kill()
            process.wait()


def connected(run: Run, box: SandboxClient, app: subprocess.Popen[str]) -> None:
    """Waits for a socket, or for the request URL to answer Slack's challenge."""
    end = time.monotonic() + START_SECONDS
    while app.poll() is None and time.monotonic() < end:
        if run.mode == "socket" and box.state()["apps"][0]["sockets"]:
            return
        if run.mode == "http" and box.verify_url().ok:
            return
        time.sleep(0.02)
    raise StartError(f"The app did not connect ({run}).")


class Failed(dict[str, str]):
    """The outcome of an act that could not be done."""


class Recorder:
    def __init__(self, stage: Stage, log: BinaryIO, normal: Normal) -> None:
        self.stage = stage
        self.box = stage.box
        self.log = log
        self.half = b""  # of a line that is being written
        self.normal = normal
        self.lines: list[Json] = []
        self.before = self._seen()
        self.entry = self._last_entry()

    def record(self, act: Act) -> Json:
        self.lines, self.entry = [], self._last_entry()
        outcome = self._do(act)
        late = self._settle(act)
        heard = sorted((line for line in self.lines if line["kind"] == "heard"), key=_order)
        record = {
            "heard": [{name: line[name] for name in ("body", "context")} for line in heard],
            "answers": [line for line in self.lines if line["kind"] == "answer"],
            "outcome": outcome,
            "seen": self._changes(),
        }
        kinds = tuple(sorted(_kind(line["body"]) for line in heard))
        if late or kinds != act.hears or isinstance(outcome, Failed):
            record["missing"] = {"expected": act.hears, "heard": kinds, "unsettled": late}
        return self.normal.act(record)

    def _do(self, act: Act) -> object:
        """What the act gave back. One that could not be done is recorded, so that the runs can still be compared."""
        try:
            return told(act.do(self.stage))
        except (ControlError, TimeoutError, LookupError, AssertionError) as error:
            return Failed({"failed": repr(error)})

    def _settle(self, act: Act) -> bool:
        """Waits until all that an act caused has been heard, answered and done; True where that took too long."""
        end = time.monotonic() + ACT_SECONDS
        while not (self._settled(act) and act.until(self.stage)):
            if time.monotonic() > end:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _settled(self, act: Act) -> bool:
        *whole, self.half = (self.half + self.log.read()).split(b"\n")
        self.lines += [json.loads(line) for line in whole]
        heard = sum(line["kind"] == "heard" for line in self.lines)
        done = sum(line["kind"] == "done" for line in self.lines)
        if heard != done or heard < len(act.hears):
            return False
        entries = self.box.inspector(self.entry)
        sent = [entry for entry in entries if entry["kind"] == "envelope"]
        answered = sum(entry["kind"] == "ack" for entry in entries)
        meant = sum(not _own(entry["payload"]) for entry in sent)
        return (answered, heard) == (len(sent), meant)

    def _last_entry(self) -> int:
        entries = self.box.inspector()
        return int(entries[-1]["id"]) if entries else 0

    def _seen(self) -> Json:
        """All messages, what is only for ana or ben, ana's modals and Home tab, by a name for each."""
        found: Json = {}
        for channel in self.box.state()["channels"]:
            found |= {f"message {each['ts']}": each for each in channel["messages"]}
        for person in (self.stage.ana, self.stage.ben):
            shown = self.box.get("messages", person=person.id, channel="review")["messages"]
            found |= {f"for {person.name} {each['ts']}": each for each in shown if each["ephemeral"]}
        views = self.box.get("views", person="ana")["views"]
        found |= {f"modal {view['depth']}": view for view in views}
        return found | {"home": self.box.get("home", person="ana")["view"]}

    def _changes(self) -> Json:
        """What people see differently since the act before; None for what is gone."""
        before, self.before = self.before, self._seen()
        return {
            name: self.before.get(name)
            for name in sorted(before.keys() | self.before.keys())
            if before.get(name) != self.before.get(name)
        }


def _kind(body: Json) -> str:
    if "event" in body:
        return str(body["event"]["type"])
    return str(body.get("type") or body["command"])


def _order(line: Json) -> tuple[str, str]:
    """Two payloads of one act may come in either order."""
    body = line["body"]
    happened = body.get("event", {}).get("event_ts") or body.get("view", {}).get("id") or ""
    return _kind(body), str(happened)


def _own(payload: Json) -> bool:
    """Whether Bolt keeps this from the app, because the app itself has caused it."""
    event = payload.get("event", {})
    message = event.get("message") or event.get("previous_message") or event
    return bool(message.get("user") == APP.bot_user and event["type"] not in KEPT_OWN)
