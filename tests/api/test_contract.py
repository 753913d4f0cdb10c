"""The contract of a service that trains: the example keeps it, and whatever breaks it is named."""

import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from bot.runtime.clock import utc_now
from goldloop_client import Client
from goldloop_client.contract import Finding, check_service, main
from goldloop_client.contract import Service as Contract
from goldloop_client.signatures import is_signed, sign
from goldloop_client.stand_in import StandIn, stand_in
from own_model import service as example_module
from own_model.service import ModelStore, Service, running
from tests.api.receiver import SECRET

pytestmark = pytest.mark.slow


@contextmanager
def example(goldloop: StandIn, folder: Path, change: Callable[[Service], Service]) -> Iterator[Contract]:
    with Client(goldloop.address, "any token", tries=1) as client:
        service = change(Service(client, SECRET, ModelStore(folder)))
        with running(service, 0) as address:
            yield Contract(f"{address}/hooks", f"{address}/predict", SECRET, seconds=30.0)


def findings(folder: Path, change: Callable[[Service], Service] = lambda service: service) -> list[Finding]:
    with stand_in() as goldloop, example(goldloop, folder, change) as contract:
        return list(check_service(contract, goldloop, training_seconds=30.0))


def problems(found: list[Finding]) -> str:
    return "; ".join(f"{one.rule}: {one.problem}" for one in found if one.problem)


def test_the_example_keeps_the_contract(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert problems(found) == ""
    assert len(found) == 10


@dataclass(frozen=True)
class Broken(Service):
    """The example, with a prediction that is spoilt."""

    spoil: Callable[[dict[str, Any], list[dict[str, float]]], list[dict[str, float]]] = lambda _asked, rows: rows

    def predict(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        answer = super().predict(asked)
        return answer and {**answer, "predictions": self.spoil(asked, answer["predictions"])}


class AnyVersion(Broken):
    def predict(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        return super().predict(asked) or {"version": asked["version"], "predictions": [{"refund": 1.0}]}


class OtherVersion(Broken):
    def predict(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        answer = super().predict(asked)
        return answer and {**answer, "version": "another"}


def broken(kind: type[Broken] = Broken, **fields: Any) -> Callable[[Service], Service]:
    return lambda service: kind(service.client, service.secret, service.models, service.requested, **fields)


SPOILT: list[tuple[Callable[[Service], Service], str]] = [
    (broken(spoil=lambda _asked, rows: [{"refund": math.nan}] * len(rows)), "value that is not a number from 0 to 1"),
    (broken(spoil=lambda _asked, rows: [{"parcel": 1.0}] * len(rows)), "“parcel”, which is none of the labels"),
    (broken(spoil=lambda _asked, rows: rows[1:]), "there is not one prediction for each"),
    (broken(spoil=lambda _asked, rows: rows[::-1]), "are the answers in the order of the inputs"),
    (broken(spoil=lambda _asked, rows: [{"refund": 0.5}] * len(rows)), "add up to 0.500, not to 1"),
    (
        broken(spoil=lambda asked, rows: [{"refund": 1.0}] if len(asked["inputs"]) == 1 else rows),
        "an answer does not depend on the other inputs: two answers to the same input differ",
    ),
    (broken(AnyVersion), "a version that was never submitted is refused: the status is 200"),
    (broken(OtherVersion), "does not repeat the version"),
]


@pytest.mark.parametrize(("change", "words"), SPOILT, ids=[words[:30] for _change, words in SPOILT])
def test_what_breaks_it_is_named(tmp_path: Path, change: Callable[[Service], Service], words: str) -> None:
    assert words in problems(findings(tmp_path, change))


def test_a_service_that_checks_no_signature_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_module, "is_signed", lambda *_arguments: True)
    assert "a webhook with a wrong signature is refused: the status is 202" in problems(findings(tmp_path))


def test_a_submission_of_no_use_is_named_with_its_reason(tmp_path: Path) -> None:
    class Incomplete(Client):
        def golden_inputs(self, queue: str, snapshot_id: int) -> Any:
            return super().golden_inputs(queue, snapshot_id)[1:]

    with (
        stand_in() as goldloop,
        Incomplete(goldloop.address, "token", tries=1) as client,
        example(goldloop, tmp_path, lambda service: replace(service, client=client)) as contract,
    ):
        found = list(check_service(contract, goldloop, training_seconds=2.0))
    assert "no usable submission came within 2 seconds. Refused: It has answers to 5 of 6" in problems(found)
    assert len(found) == 3, "the rest needs a model"


def test_a_service_that_is_not_there_is_named() -> None:
    with stand_in() as goldloop:
        nowhere = Contract("http://127.0.0.1:9/hooks", "http://127.0.0.1:9/predict", SECRET)
        found = list(check_service(nowhere, goldloop, training_seconds=0.1))
    assert "no answer (ConnectError)" in problems(found)


def test_the_command_prints_a_line_for_each_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    goldloop = StandIn(f"http://127.0.0.1:{port}")
    words = ["--port", str(port), "--training-seconds", "60", "--seconds", "30"]
    with example(goldloop, tmp_path, lambda service: service) as contract:
        places = ["--webhook", contract.webhook, "--predict", contract.predict]
        monkeypatch.delenv("GOLDLOOP_SECRET", raising=False)
        assert main([*places, *words]) == 2
        monkeypatch.setenv("GOLDLOOP_SECRET", SECRET)
        assert main([*places, *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert all(line.startswith("ok ") for line in lines)


def test_signatures_are_those_of_the_convention() -> None:
    now, body = utc_now(), '{"type": "training.requested"}'
    seconds = int(now.timestamp())
    assert sign(SECRET, "evt_1", seconds, body.encode()) == Webhook(SECRET).sign("evt_1", now, body)
    headers = {
        "webhook-id": "evt_1", "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,other {sign(SECRET, 'evt_1', seconds, body.encode())}",
    }  # fmt: skip
    assert is_signed(SECRET, headers, body.encode(), seconds)
    assert not is_signed(SECRET, headers, body.encode() + b" ", seconds)
    assert not is_signed(SECRET, headers, body.encode(), seconds + 301), "it may be a copy"
    for changed in ({"webhook-id": "evt_2"}, {"webhook-timestamp": "x"}, {"webhook-signature": ""}):
        assert not is_signed(SECRET, headers | changed, body.encode(), seconds)
