"""A service that trains reads golden inputs, never their labels, and submits its answers, over HTTP."""

import json
import math
from typing import Any

import pytest

from bot.runtime.clock import utc_now
from core.records.learning import Snapshot, TrainingRun
from core.storage.database import Database
from core.vocabulary import RunState, RunStep, Scope
from goldloop_client import ApiError, Client, GoldenInput
from tests.api.conftest import Api, StartApi
from tests.core.desk import REFUND, opened
from tests.core.models import run, seeded
from tests.core.services import by_word, handed, service_policy, work
from tests.people import LABELS

pytestmark = [pytest.mark.usefixtures("sqlite_only"), pytest.mark.slow]


@pytest.fixture
def api(database: Database, start_api: StartApi) -> Api:
    return start_api(seeded(opened(database, service_policy(privacy={"mask": ["email"]}))))


def service(api: Api) -> Client:
    return api.client(api.token(Scope.READ, Scope.TRAIN, name="trainer", queue="support"), tries=1)


def snapshot_hash(api: Api, waiting: TrainingRun) -> str:
    with api.desk.database.reading() as session:
        return session.get_one(Snapshot, waiting.snapshot_id).content_hash


def answered(inputs: tuple[GoldenInput, ...]) -> dict[str, dict[str, float]]:
    return {one.content_hash: by_word(one.text) for one in inputs}


def test_a_service_trains_and_answers(api: Api, tmp_path: Any) -> None:
    waiting = handed(api.desk, utc_now())
    with service(api) as client:
        client.save_snapshot("support", 1, tmp_path / "rows.jsonl")
        golden = client.golden_inputs("support", 1)
        digest = snapshot_hash(api, waiting)
        done = client.submit_answers("support", 1, digest, "mine-1", answered(golden))
        again = client.submit_answers("support", 1, digest, "mine-1", answered(golden))
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) + len(golden) == 18
    assert {row["content_hash"] for row in rows}.isdisjoint(one.content_hash for one in golden)
    assert (done.run_id, done.answers, done.repeated, again.repeated) == (waiting.id, len(golden), False, True)
    work(api.desk, now=utc_now())
    assert run(api.desk, waiting.id).state is RunState.DONE


def test_golden_inputs_come_without_a_label_or_an_id(api: Api) -> None:
    handed(api.desk, utc_now())
    answer = api.call("GET", "support/snapshots/1/golden", api.token())
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines
    assert all(set(line) == {"content_hash", "text", "image_url", "fields"} for line in lines)
    assert not any(label in answer.text for label in LABELS)


def test_what_a_service_sends_that_is_of_no_use_is_a_sentence_on_both_sides(api: Api) -> None:
    waiting = handed(api.desk, utc_now())
    with service(api) as client:
        good = answered(client.golden_inputs("support", 1))
        first = next(iter(good))
        digest = snapshot_hash(api, waiting)
        for answers, words in (
            (good | {first: {REFUND: math.nan}}, "gives “refund” nan, which is not a number from 0 to 1"),
            (good | {first: {"parcel": 1.0}}, "which is none of the labels"),
            ({first: good[first]}, "golden inputs are missing"),
        ):
            with pytest.raises(ApiError, match=words) as error:
                client.submit_answers("support", 1, digest, "mine-1", answers)
            assert (error.value.problem.status, error.value.problem.field) == (422, "predictions")
            shown = run(api.desk, waiting.id)
            assert (shown.state, shown.progress) == (RunState.RUNNING, RunStep.SERVICE_REFUSED)
            assert words in shown.progress_values["sentence"]
        client.submit_answers("support", 1, digest, "mine-1", good)
        with pytest.raises(ApiError, match="takes one submission") as error:
            client.submit_answers("support", 1, digest, "mine-2", good)
    assert (error.value.problem.status, error.value.problem.code) == (409, "already_settled")


def test_a_body_that_is_no_json_is_a_sentence_too(api: Api) -> None:
    waiting = handed(api.desk, utc_now())
    answer = api.call("POST", "support/snapshots/1/answers", api.token(), content=b"{")
    assert (answer.status_code, answer.json()["field"]) == (422, "body")
    assert run(api.desk, waiting.id).progress == RunStep.SERVICE_REFUSED


def test_what_was_not_handed_out_is_not_found(api: Api) -> None:
    token = api.token()
    assert api.call("GET", "support/snapshots/1/golden", token).status_code == 404
    assert api.call("POST", "support/snapshots/1/answers", token, json={}).status_code == 404
