"""The live model answers over HTTP, and its predictions are stored."""

import pytest
from sqlalchemy import select

from core.learning.evaluation.canary import is_answered_by_new
from core.records.predictions import Prediction
from core.storage.database import Database
from goldloop_client import ItemState
from tests.api.conftest import Api, StartApi
from tests.core.desk import BILLING, DELIVERY, REFUND, opened
from tests.core.models import promoted, seeded
from tests.people import support_policy

UNCLEAR = "hello, what about this"


@pytest.mark.slow
def test_the_live_models_answer_is_recorded_and_flagged_when_it_is_unsure(api: Api) -> None:
    promoted(seeded(api.desk))
    with api.client() as client:
        clear = client.predict("support", "T-1", "where is the parcel with my lamp", {"Customer": "gold"})
        unclear = client.predict("support", "T-2", UNCLEAR)
        [item] = [line for line in client.items("support", ItemState.OPEN) if line.id == unclear.item_id]
    assert (clear.label, clear.model_version, clear.repeated) == (DELIVERY, "v1", False)
    assert abs(sum(clear.probabilities.values()) - 1) < 1e-6
    assert clear.confidence == clear.probabilities[DELIVERY] == max(clear.probabilities.values())
    assert (unclear.flagged, item.external_id, item.model_label) == (True, "T-2", unclear.label)
    with api.desk.database.reading() as session:
        rows = session.scalars(select(Prediction).order_by(Prediction.external_id)).all()
        assert [(row.label, row.fields) for row in rows] == [(DELIVERY, {"Customer": "gold"}), (unclear.label, {})]


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_asking_again_gives_the_same_answer_and_stores_nothing(api: Api) -> None:
    promoted(seeded(api.desk))
    token = api.token()
    with api.client(token) as client:
        first, again = (client.predict("support", "T-1", UNCLEAR) for _ in range(2))
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.probabilities, first.item_id) == (again.probabilities, again.item_id)
    other = api.call("POST", "support/predict", token, json={"external_id": "T-1", "text": "another text"})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


@pytest.mark.usefixtures("sqlite_only")
def test_asking_again_is_recognised_where_no_original_is_kept(database: Database, start_api: StartApi) -> None:
    desk = opened(database, support_policy(privacy={"mask": ["email"], "keep_original": False}))
    promoted(seeded(desk))
    with start_api(desk).client() as client:
        answers = [client.predict("support", "T-1", "i am eva@example.com, where is it") for _ in range(2)]
    assert [answer.repeated for answer in answers] == [False, True]


@pytest.mark.usefixtures("sqlite_only")
def test_a_label_that_left_the_policy_is_not_answered(database: Database, start_api: StartApi) -> None:
    desk = opened(database, support_policy())
    promoted(seeded(desk))
    with start_api(desk.under(labels=[REFUND, BILLING])).client() as client:
        answer = client.predict("support", "T-1", "where is the parcel with my lamp")
    assert set(answer.probabilities) == {REFUND, BILLING}
    assert answer.confidence == max(answer.probabilities.values()) == answer.probabilities[answer.label]


@pytest.mark.usefixtures("sqlite_only")
def test_a_model_without_a_label_of_the_policy_cannot_be_used(database: Database, start_api: StartApi) -> None:
    desk = opened(database, support_policy())
    promoted(seeded(desk))
    api = start_api(desk.under(labels=["praise", "complaint"]))
    answer = api.call("POST", "support/predict", api.token(), json={"external_id": "T-1", "text": UNCLEAR})
    assert answer.status_code == 503
    assert "knows none of the policy's current labels" in answer.json()["detail"]


@pytest.mark.usefixtures("sqlite_only")
def test_without_a_live_model_there_is_nothing_to_ask(api: Api) -> None:
    answer = api.call("POST", "support/predict", api.token(), json={"external_id": "T-1", "text": UNCLEAR})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "No model of support is live yet. A lead must approve one first.",
    )


@pytest.mark.usefixtures("sqlite_only")
def test_in_a_canary_the_external_id_decides_which_model_answers(database: Database, start_api: StartApi) -> None:
    desk = seeded(opened(database, support_policy(rollout={"canary_share": 0.5})))
    promoted(desk)
    model_id = promoted(desk)
    asked = [f"T-{number}" for number in range(12)]
    with start_api(desk).client() as client:
        first, again = ([client.predict("support", one, UNCLEAR).model_version for one in asked] for _ in range(2))
    assert first == again
    assert first == ["v2" if is_answered_by_new(one, model_id, 0.5) else "v1" for one in asked]
    assert set(first) == {"v1", "v2"}
