"""The control API beyond acting: what a page needs, live changes, the inspector, and its errors."""

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.client import ControlError, Person, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from bot.sandbox.wire import Json
from tests.sandbox.conftest import CONFIG, Heard, actions, button


def sidebar(box: SandboxClient, person: str) -> Json:
    return box.get("state", person=person)


def test_the_sidebar_shows_what_a_person_may_see_and_has_not_read(web: WebClient, box: SandboxClient) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="one")
    web.chat_postMessage(channel="U_ANA", text="two")
    before = {each["name"]: each["unread"] for each in sidebar(box, "ana")["channels"]}
    assert before == {"review": 1, "town": 0, "old": 0, "loop": 1}
    box.do("read", person="ana", channel="review")
    after = {each["name"]: each["unread"] for each in sidebar(box, "ana")["channels"]}
    assert after["review"] == 0
    assert {each["name"] for each in sidebar(box, "cleo")["channels"]} == {"review", "leads", "town", "old"}
    app = sidebar(box, "ana")["apps"][0]
    assert app["commands"] == [{"command": "/loop", "description": "Does it", "usage_hint": "[stats]"}]
    assert [each["callback_id"] for each in app["shortcuts"]] == ["flag", "new"]


def test_changes_are_streamed_to_those_who_may_see_them(web: WebClient, address: str) -> None:
    with httpx.stream("GET", f"{address}/control/stream", params={"person": "ana"}, timeout=5) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: ready"
        web.chat_postMessage(channel="C_LEADS", text="not for ana")
        web.chat_postEphemeral(channel="C_REVIEW", user="U_BEN", text="not for ana either")
        ts = web.chat_postMessage(channel="C_REVIEW", text="for ana")["ts"]
        web.chat_update(channel="C_REVIEW", ts=ts, text="changed")
        told = []
        for line in lines:
            if line.startswith("event: "):
                told.append(line[7:])
            if line.startswith("data: ") and told and told[-1] == "changed":
                assert json.loads(line[6:])["ts"] == ts
                break
    assert [each for each in told if each != "inspector"] == ["message", "changed"]


def test_the_inspector_shows_envelopes_acknowledgements_and_times(heard: Heard, web: WebClient, ana: Person) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    last = ana.box.inspector()[-1]["id"]
    ana.click(ana.messages("review")[-1], "Refund")
    entries = [each for each in ana.box.inspector(last) if each.get("type") == "interactive"]
    envelope, ack = entries
    assert (envelope["kind"], ack["kind"]) == ("envelope", "ack")
    assert (envelope["type"], envelope["by"], envelope["payload"]["type"]) == ("interactive", "socket", "block_actions")
    assert (ack["of"], ack["ok"], ack["status"]) == (envelope["id"], True, 200)
    assert ack["ms"] > 0


def test_an_app_finds_people_and_channels_added_later(box: SandboxClient, web: WebClient) -> None:
    box.add_channel("C_NEW", "new", ["ana", "A_LOOP"], private=True)
    nia = box.add_person("U_NEW", "nia", channels=["new"], tz="Asia/Tokyo", kind="guest")
    nia.post("new", "hi")
    assert web.conversations_history(channel="C_NEW")["messages"][0]["user"] == "U_NEW"
    box.change_person("nia", tz="Europe/Paris")
    assert web.users_info(user="U_NEW")["user"]["tz"] == "Europe/Paris"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("2 < 3 && 4 > 3", "2 &lt; 3 &amp;&amp; 4 &gt; 3"),
        ("<b>", "&lt;b&gt;"),
        ("&lt;b&gt; &amp;", "&lt;b&gt; &amp;"),
        (
            "<@U_BEN> <#C_TOWN|town> <!here> <https://a.test/?b=1|a>",
            "<@U_BEN> <#C_TOWN|town> <!here> <https://a.test/?b=1|a>",
        ),
    ],
)
def test_what_people_write_is_stored_escaped(ana: Person, typed: str, stored: str) -> None:
    assert ana.post("review", typed).text == stored
    assert ana.edit(ana.post("review", "before"), typed).text == stored


def test_people_delete_their_own_messages_and_admins_all(box: SandboxClient, ana: Person, ben: Person) -> None:
    message = ana.post("review", "oops")
    with pytest.raises(ControlError, match="ben did not write"):
        ben.delete(message)
    box.person("cleo").delete(message)
    assert ana.messages("review") == []


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("post", {"person": "ana", "channel": "review"}, "The field 'text' is missing."),
        ("post", {"person": "stranger", "channel": "review", "text": "x"}, "There is no person 'stranger' here."),
        ("post", {"person": "ana", "channel": "old", "text": "x"}, "Slack rejects this: is_archived"),
        ("events", {"mode": "sideways"}, "There is no mode 'sideways'"),
        ("people", {"id": "U1"}, "The request is not understood"),
    ],
)
def test_it_says_no_in_a_sentence(box: SandboxClient, path: str, fields: Json, sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence) as error:
        box.do(path, **fields)
    assert 400 <= error.value.status < 500


def test_many_people_click_at_once(web: WebClient, box: SandboxClient, app: App, heard: Heard) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
    people = [box.add_person(f"U_{number}", f"p{number}", channels=["review"]) for number in range(16)]
    card = people[0].messages("review")[-1]
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda person: person.click(card, "Refund"), people))
    assert all(each.ok for each in outcomes), outcomes
    clicks = [body for body in heard.bodies if body["type"] == "block_actions"]
    assert {body["user"]["id"] for body in clicks} == {each.id for each in people}
    assert len({body["actions"][0]["action_ts"] for body in clicks}) == 16


def test_a_page_of_another_site_cannot_act(address: str) -> None:
    fields = {"person": "ana", "channel": "review", "text": "x"}
    answer = httpx.post(f"{address}/control/post", json=fields, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403
    assert httpx.post(f"{address}/control/post", json=fields, headers={"Origin": address}).status_code == 200


@pytest.mark.parametrize("path", ["post", "state", "stream?person=ana"])
def test_a_page_whose_name_was_made_to_lead_here_cannot_act_or_look(address: str, path: str) -> None:
    rebound = {"Host": "evil.test:7007", "Origin": "http://evil.test:7007"}
    method = "POST" if path == "post" else "GET"
    fields = {"person": "ana", "channel": "review", "text": "x"} if path == "post" else None
    assert httpx.request(method, f"{address}/control/{path}", json=fields, headers=rebound).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/as/ana", "/archives/C_REVIEW/p1700000000000100", "/files/F1/x.html?person=ana"]
)
def test_nor_can_it_read_the_page(address: str, path: str) -> None:
    assert httpx.get(f"{address}{path}", headers={"Host": "evil.test:7007"}).status_code == 403


def test_the_workspace_knows_its_machine_by_name(address: str) -> None:
    for name in ("localhost", "127.0.0.1:80", "[::1]:80", socket.gethostname()):
        assert httpx.get(f"{address}/control/state", headers={"Host": name}).status_code == 200, name


def test_it_ends_at_once_though_streams_and_calls_are_open(config: SandboxConfig) -> None:
    with ThreadPoolExecutor(2) as pool, httpx.Client() as browser:
        with serve(config) as address, SandboxClient(address) as box:
            box.fault("auth.test", "timeout")
            web = WebClient("xoxb-A_LOOP", base_url=f"{address}/api/", retry_handlers=[])
            hanging = pool.submit(web.auth_test)
            stream = pool.submit(browser.get, f"{address}/control/stream", params={"person": "ana"})
            box.wait_for(lambda: box.calls("auth.test"))
            box.person("ana").post("review", "an event that waits for its retries")
            started = time.monotonic()
        assert time.monotonic() - started < 1
        assert stream.result().text.startswith("event: ready")
        assert isinstance(hanging.exception(), OSError)


def test_a_page_that_opens_while_the_workspace_ends_is_not_waited_for(sandbox: Sandbox) -> None:
    async def watched() -> list[str]:
        sandbox.stream.stop()
        return [text async for text in sandbox.stream.watch("U_ANA")]

    async def within_seconds() -> list[str]:
        return await asyncio.wait_for(watched(), 5)

    with ThreadPoolExecutor(1) as fresh:  # a browser of another test leaves its own loop running in this thread
        assert fresh.submit(asyncio.run, within_seconds()).result() == ["event: ready\ndata: {}\n\n"]


@pytest.mark.slow
def test_a_long_channel_stays_quick(ana: Person) -> None:
    first = ana.post("review", "0")
    for number in range(300):
        ana.post("review", str(number), first.ts if number % 2 else None)
    started = time.perf_counter()
    assert ana.messages("review")[0].thread["reply_count"] == 150
    assert time.perf_counter() - started < 0.2


def test_waiting_says_what_it_waited_for(box: SandboxClient) -> None:
    with pytest.raises(TimeoutError, match=r"a miracle was still \[\] after 0.05 s"):
        box.wait_for(list, timeout=0.05, what="a miracle")


def test_serving_leaves_no_thread_and_two_workspaces_know_nothing_of_each_other(config: SandboxConfig) -> None:
    before = set(threading.enumerate())
    with serve(config) as one, serve(CONFIG) as two, SandboxClient(one) as box, SandboxClient(two) as other:
        box.person("ana").post("review", "here")
        assert other.person("ana").messages("review") == []
        assert len(box.state()["channels"]) == 5
    assert set(threading.enumerate()) == before
