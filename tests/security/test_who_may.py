"""Outsiders, guests, bots and deactivated people, and people whom the policy does not name: whatever they do, nothing
changes, and they are told."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from core.delivery import outbox
from core.records.delivery import Notice, Posting
from core.vocabulary import Card
from tests.core.desk import NOW
from tests.core.models import candidate, seeded
from tests.people import DAN
from tests.security.conftest import Door
from tests.security.strangers import BOT, GONE, GUEST, OUTSIDER

pytestmark = pytest.mark.usefixtures("sqlite_only")

PEOPLE = (OUTSIDER, GUEST, BOT, GONE, DAN, "U_NOBODY_KNOWS")
SOME = {"value": "where is my parcel?"}
TS = "1700000000.000100"


def interaction(door: Door, person: str, kind: str, **more: Any) -> httpx.Response:
    body = {"type": kind, "team": {"id": "T_LOCAL"}, "user": {"id": person}, "trigger_id": "1", **more}
    return door.signed(urlencode({"payload": json.dumps(body)}).encode())


def click(door: Door, person: str, action: str, value: str) -> httpx.Response:
    acted = {"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": f"{time.time():.6f}"}
    return interaction(door, person, "block_actions", actions=[acted], channel={"id": "C_REVIEW"})


def form(door: Door, person: str, callback: str, metadata: str, **values: Any) -> httpx.Response:
    state = {"values": {name: {name: content} for name, content in values.items()}}
    view = {"type": "modal", "callback_id": callback, "private_metadata": metadata, "state": state}
    return interaction(door, person, "view_submission", view=view)


def command(door: Door, person: str, text: str) -> str:
    fields = {"command": "/goldloop", "text": text, "user_id": person, "team_id": "T_LOCAL", "channel_id": "C_REVIEW"}
    return door.signed(urlencode(fields).encode()).text


@pytest.mark.parametrize("person", PEOPLE)
def test_nothing_that_they_do_changes_anything(door: Door, person: str) -> None:
    desk = seeded(door.desk)
    item_id, model_id = desk.ticket("where is my parcel"), candidate(desk)
    with desk.database.transaction() as session:
        for posting in session.scalars(select(Posting).where(Posting.card == Card.CANDIDATE)):
            posting.ts = TS
        assert outbox.subject_at(session, "C_LEADS", TS, Card.CANDIDATE) == model_id
    before = door.counts()
    for answer in ("label|refund", "none", "cannot", "skip"):
        assert click(door, person, "vote:0", f"{item_id}|{answer}").status_code == 200
    click(door, person, "undo", str(item_id))
    chosen = {"selected_option": {"value": "refund"}}
    assert "Not recorded" in form(door, person, "answer_form", str(item_id), label=chosen).text
    assert "Not recorded" in form(door, person, "overrule_form", str(model_id), reason={"value": "I say so"}).text
    for words in ("retrain", "roll-back", "stats"):
        told = command(door, person, words)
        assert any(no in told for no in ("Only the", "may not", "neither review nor lead"))
    assert door.counts() == before
    if person != DAN:  # anybody of the workspace may flag a message, outsiders may not
        told = form(door, person, "flag_form", "C|1.1", queue={"selected_option": {"value": "support"}}, text=SOME).text
        assert "You may not flag messages for review" in told
    assert door.counts() == before
    event: dict[str, Any] = {
        "type": "reaction_added",
        "user": person,
        "reaction": "white_check_mark",
        "event_ts": "1700000001.1",
    }
    event |= {"item": {"type": "message", "channel": "C_LEADS", "ts": TS}}
    body = json.dumps({"type": "event_callback", "team_id": "T_LOCAL", "event": event}).encode()
    assert door.signed(body, "application/json").status_code == 200
    assert door.counts() == before | {"notice": before["notice"] + 1}  # they are told
    with desk.database.reading() as session:
        assert session.scalars(select(Notice.person)).all() == [person]
    assert desk.item(item_id).opened_at == NOW


def test_anybody_of_the_workspace_may_flag_a_message(door: Door) -> None:
    told = form(door, DAN, "flag_form", "C|1.1", queue={"selected_option": {"value": "support"}}, text=SOME).text
    assert "Thank you" in told
    assert door.counts()["review_item"] == 1


@pytest.mark.parametrize("person", [OUTSIDER, GUEST, BOT, GONE])
def test_being_named_in_the_policy_does_not_help_them(named: Door, person: str) -> None:
    item_id = named.desk.ticket("where is my parcel")
    before = named.counts()
    click(named, person, "vote:0", f"{item_id}|label|refund")
    chosen = {"selected_option": {"value": "refund"}}
    assert "You may not vote here: " in form(named, person, "answer_form", str(item_id), label=chosen).text
    assert "You may not use retrain: " in command(named, person, "retrain")
    assert named.counts() == before
