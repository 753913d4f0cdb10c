"""`goldloop doctor` on webhooks."""

import pytest

from bot.checks.finding import Finding, Outcome
from bot.checks.webhooks import webhooks
from core.delivery.webhooks import Attempted, address, claim_next_delivery, note_attempt
from core.policy.integrations import WebhookEndpoint, secret_variable
from tests.api.receiver import SECRET
from tests.core.desk import NOW, Desk
from tests.people import ANA, BEN

ENDPOINT = WebhookEndpoint(name="helpdesk", url="https://helpdesk.example/")
GONE = Attempted(410, "410 Gone", 1, give_up=True)


def found(desk: Desk) -> list[Finding]:
    return list(webhooks(desk.database, desk.policy.model_copy(update={"webhooks": (ENDPOINT,)})))


@pytest.mark.usefixtures("sqlite_only")
def test_without_endpoints_there_is_nothing_to_say(desk: Desk) -> None:
    assert list(webhooks(desk.database, desk.policy)) == []


@pytest.mark.usefixtures("sqlite_only")
def test_a_missing_secret_and_what_was_given_up_are_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    missing, well = found(desk)
    assert (missing.outcome, well.outcome) == (Outcome.BAD, Outcome.GOOD)
    assert secret_variable("helpdesk") in missing.words
    monkeypatch.setenv(secret_variable("helpdesk"), SECRET)
    desk.settled(ANA, BEN)
    with desk.database.transaction() as session:
        address(session, (ENDPOINT,), NOW)
        due = claim_next_delivery(session, (ENDPOINT,), "worker", NOW)
        assert due is not None
        note_attempt(session, due.delivery_id, GONE, NOW)
    [dead] = found(desk)
    assert (dead.words, "replay" in dead.remedy) == ("1 delivery to helpdesk failed permanently.", True)
