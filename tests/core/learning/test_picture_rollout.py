"""A model of pictures in shadow, promoted, and rolled back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.serving import Serving
from core.records.learning import ModelVersion
from core.records.rollout import ParallelPrediction
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, SURE, Desk
from tests.core.learning.test_shadow import report, without_shadow, worked
from tests.core.models import live, trained
from tests.core.pictures.test_stored import seeds, sends
from tests.people import CLEO
from tests.pictures import drawn, seen

pytestmark = pytest.mark.slow

LATER = NOW + timedelta(hours=25)


def with_model(desk: Desk, first: int) -> int:
    """Learned from a dozen more pictures: upright stripes are one label, lying ones the other."""
    seeds(desk, *((drawn(n, n % 2 == 1), BILLING if n % 2 else DELIVERY) for n in range(first, first + 12)))
    run_id = trained(desk).id
    with desk.database.reading() as session:
        model_id = session.scalar(select(ModelVersion.id).where(ModelVersion.run_id == run_id))
    assert model_id is not None
    return model_id


def answer(desk: Desk, upright: bool) -> tuple[str, str]:
    """The name of the live model, and what it says about a picture that it has not seen."""
    model = Serving(desk.database).live(desk.rules)
    assert model is not None
    return model.name, model.answers([seen(drawn(700, upright))])[0].label


def test_a_shadow_reads_pictures_and_a_rollback_brings_the_former_model_back(open_desk: OpenDesk) -> None:
    desk = open_desk(
        retraining={"learner": "image"}, golden={"seed_share": 0.0, "second_looks": 0}, rollout={"shadow_hours": 24}
    )
    plain = replace(desk, policy=desk.policy.model_copy(update={"queues": (without_shadow(desk),)}))
    first = with_model(plain, 0)
    with desk.database.transaction() as session:
        assert approve(session, first, CLEO, 1, NOW, plain.policy)
    second = with_model(desk, 100)
    worked(desk, NOW)
    sends(desk, drawn(500, upright=False), "S-1", SURE)
    sends(desk, drawn(501, upright=True), "S-2", SURE)
    worked(desk, NOW + timedelta(minutes=1))
    with desk.database.reading() as session:
        rows = session.execute(
            select(ParallelPrediction.model_id, ParallelPrediction.label).order_by(ParallelPrediction.prediction_id)
        ).all()
    assert rows == [(second, DELIVERY), (second, BILLING)]
    worked(desk, LATER)
    found = report(desk, second)
    assert found is not None
    assert (found.n, found.agreed) == (2, 0)
    with desk.database.transaction() as session:
        assert approve(session, second, CLEO, 1, LATER, desk.policy)
    assert answer(desk, upright=True) == ("v2", BILLING)
    with desk.database.transaction() as session:
        assert rollback(session, desk.queue(), CLEO, "", LATER, desk.rules) == "v1"
    assert live(desk) == first
    assert [answer(desk, upright) for upright in (True, False)] == [("v1", BILLING), ("v1", DELIVERY)]
