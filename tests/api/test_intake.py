"""Predictions come in over HTTP: good rows kept, bad ones named, nothing twice."""

import json
import sqlite3
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import func, select

from core.intake.unknown_labels import MOST_LABELS, unknown_labels
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.vocabulary import Scope
from tests.api.conftest import Api
from tests.core.desk import SURE, UNSURE, Desk, sent
from tests.people import LABELS, support_policy


def count(desk: Desk, record: type[Any]) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


def test_a_list_is_stored_and_what_is_unsure_is_flagged(api: Api) -> None:
    with api.client() as client:
        received = client.send("support", [sent(chances=UNSURE), sent(chances=SURE)])
    assert (received.new, received.repeated, received.flagged, received.rejected) == (2, 0, 1, ())
    assert (count(api.desk, Prediction), count(api.desk, ReviewItem)) == (2, 1)


@pytest.mark.usefixtures("sqlite_only")
def test_one_prediction_needs_no_list(api: Api) -> None:
    answer = api.call("POST", "support/predictions", api.token(), json=sent())
    assert answer.json() == {"new": 1, "repeated": 0, "flagged": 1, "rejected": [], "unknown_labels": {}}


@pytest.mark.usefixtures("sqlite_only")
def test_bad_rows_are_named_by_number_and_field_and_the_good_ones_kept(api: Api) -> None:
    rows: list[Any] = [sent(), sent(label="nonsense"), sent(text=None), sent(lable="refund"), sent()]
    with api.client() as client:
        received = client.send("support", rows)
    assert (received.new, [(row.row, row.field) for row in received.rejected]) == (
        2,
        [(2, "label"), (3, "text"), (4, "lable")],
    )
    assert "“nonsense” is not a label of support" in received.rejected[0].reason


@pytest.mark.usefixtures("sqlite_only")
def test_a_sender_in_python_may_have_half_a_character_in_a_row(api: Api) -> None:
    with api.client() as client:
        received = client.send("support", [sent(), sent(external_id="\ud800"), sent(text="so \ud83d what")])
    assert (received.new, [(row.row, row.field) for row in received.rejected]) == (2, [(2, "external_id")])


def test_sending_again_stores_nothing_again(api: Api) -> None:
    rows = [sent(), sent()]
    with api.client() as client:
        first = client.send("support", rows)
        again = client.send("support", [*rows, sent(), rows[0]])
    assert (first.new, again.new, again.repeated) == (2, 1, 3)
    assert (count(api.desk, Prediction), count(api.desk, ReviewItem)) == (3, 3)


@pytest.mark.usefixtures("sqlite_only")
def test_more_than_a_thousand_go_in_batches_and_keep_their_places(api: Api) -> None:
    rows = [sent(chances=SURE) for _ in range(1001)]
    rows[1000]["label"] = "nonsense"
    with api.client() as client:
        received = client.send("support", iter(rows))
    assert (received.new, [row.row for row in received.rejected]) == (1000, [1001])


@pytest.mark.usefixtures("sqlite_only")
def test_when_not_one_row_is_good_it_is_a_problem(api: Api) -> None:
    token = api.token()
    answer = api.call("POST", "support/predictions", token, json=[sent(label="a"), sent(label="b")])
    assert answer.status_code == 422
    assert [row["row"] for row in answer.json()["rejected"]] == [1, 2]
    with api.client(token) as client:
        assert client.send("support", [sent(label="a")]).rejected[0].field == "label"


def test_labels_outside_the_policy_are_counted_by_name_and_stay_known(api: Api) -> None:
    rows = [sent(label="parcel"), sent(label="parcel"), sent(chances={"refund": 0.5, "spam": 0.4, "ham": 0.1}), sent()]
    with api.client() as client:
        received = client.send("support", [*rows, sent(label=7)])
        assert (received.new, received.unknown_labels) == (1, {"parcel": 2, "spam": 1, "ham": 1})
        assert client.send("support", [sent(label="parcel")]).unknown_labels == {"parcel": 1}
    with api.desk.database.reading() as session:
        assert unknown_labels(session, api.desk.rules) == {"parcel": 3, "ham": 1, "spam": 1}
        grown = support_policy(labels=[*LABELS, "parcel"])
        assert unknown_labels(session, grown.queues[0]) == {"ham": 1, "spam": 1}


@pytest.mark.usefixtures("sqlite_only")
def test_a_file_of_mixed_up_columns_does_not_fill_the_table_of_labels(api: Api) -> None:
    with api.client() as client:
        client.send("support", [sent(label="first")])
        client.send(
            "support", [sent(label=f"{number:03d} {'x' * 99}") for number in range(150)] + [sent(label="first")]
        )
    with api.desk.database.reading() as session:
        found = unknown_labels(session, api.desk.rules)
    assert (len(found), found["first"], max(map(len, found))) == (MOST_LABELS, 2, 60)


HOSTILE: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"3",
    b'"text"',
    b"[]",
    b"[1, null, []]",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" + b"9" * 5000 + b"]",
    b'{"external_id": "\\ud800", "model_version": "\\u0000", "text": "x"}',
    b'{"external_id": "x", "model_version": "m", "text": "x", "label": "refund", "confidence": NaN}',
    b'{"external_id": "x", "model_version": "m", "text": "x", "label": {"a": 1}, "confidence": 1e999}',
    b'{"external_id": ["x"], "model_version": {}, "text": 3, "fields": [], "probabilities": {"refund": "1"}}',
    b'{"external_id": "x", "model_version": "m", "image_url": "http://["}',
    b"[" + b"{}," * 1000 + b"{}]",
    b"[" + b"[]," * 2_000_000 + b"[]]",
    b'{"external_id": "x", "model_version": "m", "text": "x", "fields": [' + b"[]," * 2_000_000 + b"[]]}",
]


@pytest.mark.usefixtures("sqlite_only")
def test_what_cannot_be_read_is_a_problem_and_stores_nothing(api: Api) -> None:
    token = api.token()
    for path in ("support/predictions", "support/predict"):
        for body in HOSTILE:
            answer = api.call("POST", path, token, content=body)
            assert answer.status_code == 422, (path, body[:60], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Traceback" not in answer.text
    assert count(api.desk, Prediction) == 0


@pytest.mark.usefixtures("sqlite_only")
def test_a_sender_may_not_read_nor_ask_the_model(api: Api) -> None:
    token = api.token(Scope.INGEST)
    assert api.call("POST", "support/predictions", token, json=sent()).status_code == 200
    assert api.call("POST", "support/predict", token, json={}).status_code == 403
    assert api.call("GET", "support/items", token).status_code == 403


HALF = "\\ud83d"  # of a surrogate pair, as JSON writes it: no UTF-8 can


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("spoilt", ['"label": "HALF"', '"HALF": 1', '"probabilities": {"HALF": 1}'])
def test_half_a_character_is_refused_in_words_and_the_good_rows_are_kept(api: Api, spoilt: str) -> None:
    row, token = json.dumps(sent()), api.token()
    bad = f"{row[:-1]}, {spoilt.replace('HALF', HALF)}}}"  # of two values of one name the last counts
    answer = api.call("POST", "support/predictions", token, content=f"[{row}, {bad}]")
    assert answer.status_code == 200, answer.text
    assert [line["row"] for line in answer.json()["rejected"]] == [2]
    assert api.call("POST", "support/predictions", token, content=bad).status_code == 422


@pytest.mark.usefixtures("sqlite_only")
def test_what_is_refused_is_not_said_back_at_length(api: Api) -> None:
    answer = api.call("POST", "support/predictions", api.token(), json=sent() | {"x" * 100_000: 1})
    assert answer.status_code == 422
    assert len(answer.text) < 1000


@pytest.mark.usefixtures("sqlite_only")
def test_a_body_of_brackets_takes_no_more_memory_than_its_text(api: Api) -> None:
    body, token = b"[" + b"[]," * 2_000_000 + b"[]]", api.token()
    api.call("POST", "support/predictions", token, json=sent())
    tracemalloc.start()
    assert api.call("POST", "support/predictions", token, content=body).status_code == 422
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(body)


@pytest.mark.usefixtures("sqlite_only")
def test_as_many_values_as_predictions_can_have_are_taken(api: Api) -> None:
    whole: dict[str, Any] = {"image_url": "https://files.example/a,b.png", "confidence": 0.5, "label": "refund"}
    fields = {f"field {number}": 'a, [b], {c}, "d' for number in range(20)}
    rows = [sent("one, two, [three]", **whole, fields=fields) for _ in range(1000)]
    answer = api.call("POST", "support/predictions", api.token(), json=rows)
    assert (answer.status_code, answer.json()["new"]) == (200, 1000), answer.text


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_batches_that_wait_for_each_other_are_stored_or_worth_asking_again(api: Api) -> None:
    token = api.token()
    api.call("GET", "support/items", token)  # its use is noted, so that the next requests wait for nothing else

    def send(number: int) -> int:
        return api.call("POST", "support/predictions", token, json=sent(external_id=f"T-{number}")).status_code

    with ThreadPoolExecutor(4) as senders, closing(other_writer(api.desk)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert set(senders.map(send, range(4))) == {503}
        other.execute("ROLLBACK")
        assert list(senders.map(send, range(4))) == [200] * 4
    assert count(api.desk, Prediction) == 4


def other_writer(desk: Desk) -> sqlite3.Connection:
    return sqlite3.connect(desk.database.engine.url.database or "", isolation_level=None, check_same_thread=False)
