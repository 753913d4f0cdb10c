"""One prediction all the way: card, votes, correction, run, reaction, live model."""

import pytest

from bot.runtime.clock import utc_now
from core.learning.data.inputs import Input
from core.learning.data.seeds import add_seeds
from core.storage.database import PATIENT
from tests.flows.conftest import seeds
from tests.loop import Loop
from tests.people import LEADS

GUESS = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


@pytest.mark.slow
def test_a_prediction_becomes_a_correction_and_the_correction_a_live_model(loop: Loop) -> None:
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    loop.predict("T-1", "the sofa came late, so i want my money back", GUESS)

    card = loop.card("the sofa came late")
    assert "delivery" in card.plain
    assert loop.ana.click(card, "refund").ok
    loop.told(loop.ana, "Item 1: *refund*")
    assert loop.ben.click(card, "refund").ok

    settled = loop.card("*refund* (2 votes)")
    assert settled.ts == card.ts
    assert "Skip" not in settled.buttons

    loop.retrain()
    report = loop.card("The golden gate passes it", channel=LEADS)
    loop.cleo.react(report, "white_check_mark")
    live = loop.card("v1 is live", channel=LEADS)
    assert live.ts == report.ts
    model = loop.services.serving.live(loop.queue)
    assert model is not None
    assert model.name == "v1"
    assert model.predict([Input("give me my money back please")])[0]["refund"] > 0.4
