"""The page as it is served: which people one can act as, what the browser may run, and that hostile names stay text."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.sandbox import page
from bot.sandbox.config import ChannelConfig, PersonConfig, SandboxConfig
from bot.sandbox.sandbox import Sandbox

STATIC = Path(page.__file__).parent / "static"
TEMPLATES = Path(page.__file__).parent / "templates"


@pytest.fixture
def browser(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_the_first_screen_offers_all_people_and_one_sentence_to_begin_with(browser: httpx.Client) -> None:
    first = browser.get("/")
    assert first.status_code == 200
    assert page.WELCOME in first.text
    assert 'href="/as/U_ANA"' in first.text
    assert "Ana Lima" in first.text
    assert "/loop" in first.text


class TestTheConfigurationsWelcome:
    @pytest.fixture
    def config(self) -> SandboxConfig:
        people = (PersonConfig("U_1", "eve", "<script>alert(1)</script>"), PersonConfig("U 2", "dot", "Dot"))
        channels = (ChannelConfig("C_1", "<b>bold</b>", members=("U_1",)),)
        return SandboxConfig(people=people, channels=channels, welcome="Press <refund> as Ana.")

    def test_is_the_headline_and_everything_in_it_is_text(self, browser: httpx.Client) -> None:
        first = browser.get("/").text
        assert "<h1>Press &lt;refund&gt; as Ana.</h1>" in first
        assert "<script>alert" not in first
        assert "<b>bold" not in first
        assert "&lt;script&gt;alert(1)" in browser.get("/as/U_1").text

    def test_ids_of_any_form_are_addresses(self, browser: httpx.Client) -> None:
        assert 'href="/as/U%202"' in browser.get("/").text
        assert 'data-person="U 2"' in browser.get("/as/U%202").text


@pytest.mark.parametrize("address_", ["/as/U_ANA", "/as/ana", "/as/ana/review", "/as/ana/C_REVIEW", "/as/ana/A_LOOP"])
def test_the_person_is_in_the_address(browser: httpx.Client, address_: str) -> None:
    shell = browser.get(address_)
    assert shell.status_code == 200
    assert 'data-person="U_ANA"' in shell.text


def test_acting_as_an_unknown_or_deactivated_person_is_refused(browser: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.workspace.people["U_BEN"].kind = "deactivated"
    unknown, away = browser.get("/as/zoe"), browser.get("/as/ben")
    assert (unknown.status_code, away.status_code) == (404, 403)
    assert "There is no person &#39;zoe&#39; here." in unknown.text
    assert "ben&#39;s account is deactivated." in away.text
    assert 'href="/as/U_BEN"' not in away.text


def test_a_permalink_asks_who_reads_it_and_leads_to_the_message(browser: httpx.Client) -> None:
    found = browser.get("/archives/C_REVIEW/p1700000000000100?thread_ts=1699999999.000100&cid=C_REVIEW").text
    assert "/as/U_ANA/C_REVIEW?thread=1699999999.000100&amp;ts=1700000000.000100" in found
    hostile = browser.get('/archives/C_REVIEW/p1700000000000100?thread_ts="><script>').text
    assert "/as/U_ANA/C_REVIEW?ts=1700000000.000100" in hostile
    assert "<script>" not in hostile


@pytest.mark.parametrize("address_", ["/", "/as/ana", "/as/stranger"])
def test_the_browser_runs_nothing_but_the_pages_own_files(browser: httpx.Client, address_: str) -> None:
    answer = browser.get(address_)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert all(inside == "" for inside in scripts)
    assert not re.search(r"\son\w+=|style=|javascript:", answer.text)


def test_every_file_that_is_asked_for_is_there(browser: httpx.Client) -> None:
    wanted = {
        found for shell in ("/", "/as/ana") for found in re.findall(r'"(/static/[^"]+)"', browser.get(shell).text)
    }
    for module in STATIC.glob("*.js"):
        wanted |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', module.read_text(encoding="utf-8"))}
    assert len(wanted) > 30
    for path in sorted(wanted):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-cache"


def test_no_module_makes_markup_out_of_text() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser")
    for module in STATIC.glob("*.js"):
        assert not forbidden.search(module.read_text(encoding="utf-8")), module.name
    for template in TEMPLATES.glob("*.html"):
        assert "| safe" not in template.read_text(encoding="utf-8"), template.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ana Lima", "AL"), ("ana", "A"), ("Ana Maria de Lima", "AL"), ("jean-luc", "JL"), ("", "?"), ("(bot) x", "X")],
)
def test_initials_are_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    assert page.initials(name) == expected


class TestAWorkspaceWithoutPeople:
    @pytest.fixture
    def config(self) -> SandboxConfig:
        return SandboxConfig()

    def test_says_what_to_do(self, browser: httpx.Client) -> None:
        assert "Add some to its configuration" in browser.get("/").text
