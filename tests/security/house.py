"""A Goldloop over HTTP with all kinds of people: with a role, without one, and from other workspaces. Its replies come
in four ways: as the answer, at the response_url, as a view, as a notice."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import delete, select, update

from bot.runtime.services import assemble, slack_client
from bot.sandbox.client import SandboxClient
from bot.sandbox.config import PersonConfig, SandboxConfig
from bot.sandbox.server import serve
from bot.server.app import create_app
from bot.slack.directory.refresh import refresh_people
from bot.slack.inbound.app import build_app
from bot.slack.inbound.requests import TimedApp
from bot.slack.views import notice
from core.delivery.card_refs import CardRef
from core.intake.weak_slices import ask_about, store_slices
from core.policy import Policy
from core.policy.file import parse_policy
from core.quality.slices import Look, WeakSlice
from core.records import Base
from core.records.delivery import Notice, Posting
from core.records.discovery import Scan
from core.records.drift import DriftAlarm
from core.records.jobs import Job
from core.records.learning import TrainingRun
from core.records.rollout import Canary
from core.records.slices import FoundSlice, SliceRequest
from core.review.known_rows import present_version
from core.storage.database import Database
from core.vocabulary import CanaryState, Card, RunState, ScanState, SliceKind
from tests.core.desk import CANNOT, NOW, Desk, opened
from tests.core.models import candidate, promoted, seeded
from tests.people import ANA, BEN, CLEO, DAN, EVA, LABELS, LEADS, REVIEW
from tests.security.conftest import SECRET, signature
from tests.security.strangers import STRANGERS, open_place
from tests.web import web_server

MIA, LEA = "U_MIA", "U_LEA"  # Mia administers; Lea reviews and leads another queue
TEXT = "where is the parcel that no outsider may read about?"
PATIENCE = 30.0  # seconds; no wait is longer than needed


@dataclass(frozen=True)
class Who:
    """A person who acts, as Slack describes them."""

    id: str
    team: str = "T_LOCAL"


@dataclass
class House:
    """serial: so that no two requests are the same click. read: how far the workspace's log was.
    rooms: what was said at which response_url."""

    client: httpx.Client
    box: SandboxClient
    desk: Desk
    app: TimedApp
    web: Any
    words_url: str
    rooms: dict[str, list[str]]
    serial: int = 0
    read: int = 0

    def next(self) -> int:
        self.serial += 1
        return self.serial

    def rows(self) -> dict[str, list[str]]:
        """All that is stored, but for words to one person, and for which kinds of events were heard. As the driver
        gives it, whole: this is asked after each act."""
        names = [table.name for table in Base.metadata.sorted_tables if table.name not in ("notice", "received_event")]
        with self.desk.database.reading() as session:
            ask = session.connection().exec_driver_sql
            return {name: sorted(repr(tuple(row)) for row in ask(f'SELECT * FROM "{name}"')) for name in names}

    # How they act

    def interaction(self, who: Who, kind: str, **more: Any) -> str:
        """What they are told, whichever way; empty where nothing comes."""
        room = str(self.next())
        said = {"type": kind, "team": {"id": who.team}, "user": {"id": who.id, "team_id": who.team}, "trigger_id": room}
        body = urlencode({"payload": json.dumps(said | {"response_url": f"{self.words_url}/{room}"} | more)})
        seen = self._seen()
        answer = self._signed(body.encode())
        return answer or self._waited(lambda: self._shown_or_said(seen, room))

    def click(self, who: Who, action: str, value: str, **more: Any) -> str:
        stamp = f"{time.time():.0f}.{self.next():06d}"
        acted = {"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": stamp}
        return self.interaction(who, "block_actions", actions=[acted], channel={"id": REVIEW}, **more)

    def form(self, who: Who, callback: str, metadata: str, **values: Any) -> str:
        state = {"values": {name: {name: content} for name, content in values.items()}}
        view = {"type": "modal", "callback_id": callback, "private_metadata": metadata, "state": state}
        return self.interaction(who, "view_submission", view=view)

    def hears_soon(self, words: re.Pattern[str]) -> bool:
        """After an act, that such words are shown too: on the Home tab, a view of its own says no, and the tab may be
        drawn again before it."""
        return bool(self._waited(lambda: words.search(self._new_view(self.read))))

    def command(self, who: Who, text: str) -> str:
        fields = {"command": "/goldloop", "text": text, "user_id": who.id, "team_id": who.team, "channel_id": REVIEW}
        return self._signed(urlencode(fields).encode())

    def react(self, who: Who, emoji: str, ts: str, kind: str = "reaction_added") -> str:
        """Told by a notice, where they are."""
        at = {
            "event_ts": f"{time.time():.0f}.{self.next():06d}",
            "item": {"type": "message", "channel": LEADS, "ts": ts},
        }
        self._event(who, {"type": kind, "user": who.id, "reaction": emoji, **at})
        with self.desk.database.reading() as session:
            told = session.scalars(select(Notice).where(Notice.person == who.id))
            return " ".join(notice.render(one.kind, one.values) for one in told)

    def home(self, who: Who) -> str:
        seen = self._seen()
        self._event(who, {"type": "app_home_opened", "user": who.id, "tab": "home"})
        return self._new_view(seen) if who in NAMESAKES else self._waited(lambda: self._new_view(seen))

    def _event(self, who: Who, event: dict[str, Any]) -> None:
        """An event happens in our workspace; of another workspace, only the ids look like ours."""
        team = who.team if who in NAMESAKES else "T_LOCAL"
        body = {"type": "event_callback", "team_id": team, "event": event}
        self._signed(json.dumps(body).encode(), "application/json")

    def _signed(self, body: bytes, kind: str = "application/x-www-form-urlencoded") -> str:
        headers = {"content-type": kind, **signature(body, int(time.time()))}
        answer = self.client.post("/slack/events", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def _seen(self) -> int:
        """Up to where the workspace's log was read."""
        self.read = max([self.read, *(entry["id"] for entry in self.box.inspector(self.read))])
        return self.read

    def _shown_or_said(self, seen: int, room: str) -> str:
        """The view, if one was shown before the words, as where a form could not be opened in time."""
        words = " ".join(self.rooms.get(room, []))
        return self._new_view(seen) or words

    def _new_view(self, seen: int) -> str:
        shown = [entry for entry in self.box.inspector(seen) if entry.get("method") in ("views.open", "views.publish")]
        views = [call["args"]["view"] for call in shown if "view" in call["args"]]
        return json.dumps(views, ensure_ascii=False) if views else ""

    def _waited(self, told: Any) -> str:
        return str(self.box.wait_for(told, PATIENCE, what="a word to the person"))

    # What there is to act on

    def ticket(self) -> int:
        return self.desk.ticket(f"{TEXT} {self.next()}")

    def disputed(self) -> int:
        item_id = self.ticket()
        for person in (BEN, EVA):
            self.desk.click(person, item_id, CANNOT)
        return item_id

    def report(self, passed: bool = True) -> tuple[int, str]:
        """A candidate's id, and the ts of its report in the leads' channel."""
        self.no_run_waits()
        model_id, ts = candidate(self.desk, passed), f"1700000000.{self.next():06d}"
        with self.desk.database.transaction() as session:
            found = (Posting.card == Card.CANDIDATE, Posting.subject_id == model_id)
            session.execute(update(Posting).where(*found).values(ts=ts))
        return model_id, ts

    def two_live_in_turn(self) -> None:
        self.no_run_waits()
        promoted(self.desk)
        promoted(self.desk)

    def canary_is_proposed(self) -> int:
        """The id of a live model whose rollback is proposed."""
        self.no_run_waits()
        former, model_id = promoted(self.desk), promoted(self.desk)
        counts = {"n": 30, "regressions": 20, "improvements": 2, "looks": 4, "looks_taken": 1}
        with self.desk.database.transaction() as session:
            session.add(
                Canary(
                    model_id=model_id, former_model_id=former, queue_id=self.desk.queue().id, share=0.1, alpha=0.05,
                    state=CanaryState.PROPOSED, started_at=NOW, ends_at=NOW, first_after=0, done_up_to=0, **counts,
                )
            )  # fmt: skip
        return model_id

    def weak_slice(self) -> int:
        """The id of a slice about which people are not asked."""
        look = Look(SliceKind.TERM, f"weak spot {self.next()}")
        self.ticket()
        with self.desk.database.transaction() as session:
            session.execute(delete(SliceRequest))
            queue_id = self.desk.queue().id
            model = present_version(session, queue_id) or ""
            store_slices(session, queue_id, model, [WeakSlice(look, 60, 41, 0.3, 0.001)], [], NOW)
            return max(session.scalars(select(FoundSlice.id)))

    def no_weak_slice(self) -> None:
        with self.desk.database.transaction() as session:
            session.execute(delete(SliceRequest))
            session.execute(delete(FoundSlice))

    def alarm(self) -> int:
        """Of wrong answers with one label, about which people are not asked; no training run waits."""
        self.no_run_waits()
        self.no_weak_slice()
        self.ticket()
        sign = {"sign": "corrections", "label": LABELS[0], "days": 1, "observed": 3, "expected": 1.0, "p_value": 1e-9}
        with self.desk.database.transaction() as session:
            alarm = DriftAlarm(
                queue_id=self.desk.queue().id, began_at=NOW + timedelta(days=self.next()), signs=[sign],
                policy_fingerprint="", created_at=NOW,
            )  # fmt: skip
            session.add(alarm)
            session.flush()
            return alarm.id

    def no_scan(self) -> int:
        """An alarm's id, while a model is live and no scan is under way."""
        with self.desk.database.transaction() as session:
            session.execute(update(Scan).values(state=ScanState.DONE))
        promoted(self.desk)
        return self.alarm()

    def asked_slice(self) -> int:
        slice_id = self.weak_slice()
        with self.desk.database.transaction() as session:
            ask_about(session, CardRef(slice_id), CLEO, NOW, self.desk.policy)
        return slice_id

    def no_run_waits(self) -> None:
        with self.desk.database.transaction() as session:
            waiting = TrainingRun.state == RunState.REQUESTED
            session.execute(update(TrainingRun).where(waiting).values(state=RunState.FAILED))
            session.execute(delete(Job))


def policy_of_the_house() -> Policy:
    """Strangers are named for every role, as if by mistake: it must not help them."""
    named = list(STRANGERS)
    support = {
        "title": "Support tickets",
        "channel": REVIEW,
        "leads_channel": LEADS,
        "reviewers": [ANA, BEN, EVA, *named],
        "leads": [CLEO, *named],
        "admins": [MIA, *named],
        "labels": list(LABELS),
        "review": {"blind_share": 0.0},
        "flagging": {"audit_share": 0.0},
        "golden": {"seed_share": 0.3},
        "retraining": {"corrections": 0},
        "discovery": {"sources": [{"name": "archive", "address": "/data/archive.jsonl", "text": "text"}]},
    }
    sales = {**support, "title": "Sales", "reviewers": [LEA], "leads": [LEA], "admins": [LEA]}
    return parse_policy({"queues": {"support": support, "sales": sales}}, "goldloop.toml")


def place_of_the_house() -> SandboxConfig:
    place = open_place()
    more = (PersonConfig(MIA, "mia"), PersonConfig(LEA, "lea"))
    unnamed = tuple(PersonConfig(f"{one}_2", f"{one}_2".lower(), kind=kind) for one, kind in STRANGERS.items())  # type: ignore[arg-type]
    return replace(place, people=place.people + more + unnamed)


@pytest.fixture(scope="module")
def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all doors: what is refused leaves nothing behind, and what is allowed acts on things of its own."""
    file = tmp_path_factory.mktemp("house") / "goldloop.sqlite"
    file.write_bytes(sqlite_template.read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = Database(f"sqlite:///{file}")
    with open_house(database, port) as opened:
        yield opened
    database.close()


@contextmanager
def open_house(database: Database, port: int) -> Iterator[House]:
    place, policy = place_of_the_house(), policy_of_the_house()
    with serve(place, port=0) as url, SandboxClient(url) as box, _rooms() as (words_url, rooms):
        services = assemble(database, slack_client(place.apps[0].bot_token, f"{url}/api/"), policy)
        desk = seeded(opened(database, policy))
        refresh_people(services)
        app = build_app(services)
        web = create_app(services, app, SECRET)
        address = f"http://127.0.0.1:{port}"
        with web_server(web, port), httpx.Client(base_url=address, timeout=30, verify=False) as client:
            yield House(client, box, desk, app, web, words_url, rooms)


@contextmanager
def _rooms() -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Where words to one person go: an address for each act."""
    heard: dict[str, list[str]] = {}

    class Room(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            heard.setdefault(self.path.strip("/"), []).append(json.loads(body)["text"])
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Room)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ANA_, CLEO_, MIA_, LEA_, DAN_ = (Who(one) for one in (ANA, CLEO, MIA, LEA, DAN))
COLLEAGUES = frozenset({ANA_, CLEO_, MIA_, LEA_, DAN_})
NAMED = frozenset(Who(one) for one in STRANGERS)
UNNAMED = frozenset(Who(f"{one}_2") for one in STRANGERS)
FOREIGN = Who("U_UNKNOWN", "T_OTHER")
NAMESAKES = frozenset(Who(one, "T_OTHER") for one in (ANA, CLEO, MIA))  # another workspace's, whose ids are like ours
ALL_PEOPLE = COLLEAGUES | NAMED | UNNAMED | {FOREIGN} | NAMESAKES
