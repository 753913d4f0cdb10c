"""Invalid requests to /slack/events: none is accepted, none causes an error, none reveals anything. The suite sends a
few hundred, `make fuzz` ten thousand. Both from a fixed seed.
"""

import copy
import json
import os
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.conftest import SECRET, Door, signature

pytestmark = pytest.mark.usefixtures("sqlite_only")

THROWN = int(os.environ.get("GOLDLOOP_FUZZ", "300"))
FUZZ = settings(
    max_examples=THROWN // 2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
WHO = {"id": "U_STRANGER", "team_id": "T_LOCAL"}
TEAM = {"id": "T_LOCAL"}
STATE = {"label": {"label": {"selected_option": {"value": "refund"}}}, "note": {"note": {"value": "x"}}}
VIEW = {"id": "V1", "type": "modal", "callback_id": "answer_form", "private_metadata": "1", "state": {"values": STATE}}
ACTION = {
    "action_id": "vote:0",
    "block_id": "b",
    "type": "button",
    "value": "1|label|refund",
    "action_ts": "1700000000.1",
}
REACTION = {
    "type": "reaction_added", "user": "U_STRANGER", "reaction": "x", "event_ts": "1700000000.1",
    "item": {"type": "message", "channel": "C_LEADS", "ts": "1.1"},
}  # fmt: skip
GOOD: tuple[dict[str, Any], ...] = (
    {
        "type": "block_actions",
        "team": TEAM,
        "user": WHO,
        "channel": {"id": "C"},
        "actions": [ACTION],
        "trigger_id": "1",
    },
    {"type": "view_submission", "team": TEAM, "user": WHO, "view": VIEW},
    {"type": "view_submission", "team": TEAM, "user": WHO, "view": VIEW | {"callback_id": "overrule_form"}},
    {"type": "block_suggestion", "team": TEAM, "user": WHO, "action_id": "label", "value": "re", "view": VIEW},
    {"type": "event_callback", "team_id": "T_LOCAL", "event": REACTION},
    {"type": "event_callback", "team_id": "T_LOCAL", "event": REACTION | {"type": "reaction_removed"}},
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
STRANGE = st.sampled_from(
    [10**30, -1, "\x00", "\ud800", "1e400", "NaN", "1|label|", "x" * 5000, "<!channel>", {"id": []}]
)
JSON_VALUES = st.recursive(
    SCALARS | STRANGE, lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=8), one, max_size=4)
)


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a payload where something else could stand."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(place for key, one in inner for place in places(one, (*before, key)))]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A payload of ours with up to three things replaced."""
    payload: Any = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(payload)))
        holder = payload
        for key in place[:-1]:
            holder = holder[key]
        if not place:
            return copy.deepcopy(draw(JSON_VALUES))
        holder[place[-1]] = copy.deepcopy(draw(JSON_VALUES))  # what is drawn may come again
    return payload


def encoded(payload: Any) -> tuple[bytes, str]:
    text = json.dumps(payload)
    if isinstance(payload, dict) and "event" in payload:
        return text.encode(), "application/json"
    return urlencode({"payload": text}).encode(), "application/x-www-form-urlencoded"


def forged(body: bytes, how: str) -> tuple[bytes, dict[str, str]]:
    """The body and headers that arrive when a client without the secret (or with an old message) tries."""
    now = int(time.time())
    good = signature(body, now)
    return {
        "unsigned": (body, {}),
        "another secret": (body, signature(body, now, SECRET + "x")),
        "altered": (body + b" ", good),
        "truncated": (body[: len(body) // 2], good),
        "replayed": (body, signature(body, now - 301)),
        "from the future": (body, signature(body, now + 330)),
        "time moved": (body, good | {"x-slack-request-timestamp": str(now - 1)}),
        "no time": (body, good | {"x-slack-request-timestamp": "soon"}),
    }[how]


FORGERIES = (
    "unsigned",
    "another secret",
    "altered",
    "truncated",
    "replayed",
    "from the future",
    "time moved",
    "no time",
)


def assert_tells_nothing(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    for word in ("Traceback", "Error", "File ", "Something went wrong", "sqlalchemy"):
        assert word not in answer.text


@pytest.mark.slow
def test_what_is_forged_replayed_or_truncated_is_refused(door: Door) -> None:
    before = door.counts()

    @FUZZ
    @given(st.sampled_from(GOOD) | spoilt(), st.sampled_from(FORGERIES))
    def throw(payload: Any, how: str) -> None:
        body, kind = encoded(payload)
        sent, headers = forged(body, how)
        answer = door.post(sent, kind, **headers)
        assert answer.status_code == 401
        assert_tells_nothing(answer)

    throw()
    assert door.counts() == before


@pytest.mark.parametrize("stamp", ["9" * 400, "1e400", "nan", "\u00b2", "-1", ""])
def test_no_time_and_no_signature_breaks_the_check(door: Door, stamp: str) -> None:
    for signed_at, sign in ((stamp, "v0=" + "0" * 64), (str(int(time.time())), "v0=\u00e9"), (stamp, "\u00e9")):
        headers = {"X-Slack-Request-Timestamp": signed_at, "X-Slack-Signature": sign}
        answer = door.post(b"payload=%7B%7D", "application/x-www-form-urlencoded", **headers)
        assert answer.status_code == 401
        assert_tells_nothing(answer)


@pytest.mark.slow
def test_what_is_signed_but_spoilt_changes_nothing_and_breaks_nothing(door: Door) -> None:
    door.desk.ticket("where is my parcel")
    before = door.counts()

    @FUZZ
    @given(spoilt())
    def throw(payload: Any) -> None:
        answer = door.signed(*encoded(payload))
        assert_tells_nothing(answer)

    throw()
    assert door.counts() == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[1]", b"\xff\xfe", b"payload=", b"payload=1", b"payload=[]", b"{", b"{}", b"{" * 100_000,
        b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b"payload=" + b"%5B" * 50_000, b"9" * 5000,
        b'{"type":' + b"9" * 10_000 + b"}", b"x" * 5_000_001,
    ],
    ids=lambda body: f"{bytes(body[:12])!r} x {len(body)}",
)  # fmt: skip
def test_what_is_empty_nested_or_oversized_is_refused_signed_or_not(door: Door, body: bytes) -> None:
    before = door.counts()
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        for answer in (door.post(body, kind), door.signed(body, kind)):
            assert_tells_nothing(answer)
            assert answer.status_code in (400, 401, 404)
    assert door.counts() == before
