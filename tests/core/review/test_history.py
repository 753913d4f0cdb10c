"""The story of an item whose text was erased: it ends with that."""

from datetime import timedelta

import pytest

from core.privacy.erasure import erase
from core.review.history import Erased, HistoryLine, item_history
from tests.core.desk import CANNOT, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO

LATER = NOW + timedelta(days=3)
CLOSED, COUNTED = Erased(was_settled=False), Erased(was_settled=True)


def story(desk: Desk, item_id: int, person: str | None) -> list[HistoryLine]:
    with desk.database.reading() as session:
        return item_history(session, item_id, person, desk.policy)


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ({ANA: REFUND}, CLOSED),
        ({ANA: CANNOT, BEN: CANNOT}, CLOSED),
        ({ANA: REFUND, BEN: REFUND}, COUNTED),
    ],
    ids=["open", "disputed", "settled"],
)
def test_it_ends_with_when_the_text_was_erased_and_what_that_did(
    desk: Desk, answers: dict[str, str], last: Erased
) -> None:
    item_id = desk.ticket(external_id="E-1")
    for person, answer in answers.items():
        desk.click(person, item_id, answer)
    before = story(desk, item_id, None)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "E-1", LATER)
    assert story(desk, item_id, None) == [*before, HistoryLine(LATER, last)]
    assert story(desk, item_id, CLEO)[-1] == HistoryLine(LATER, last)


def test_of_an_erasure_of_something_else_it_says_nothing(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN)
    desk.ticket(external_id="E-1")
    before = story(desk, item_id, None)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "E-1", LATER)
    assert story(desk, item_id, None) == before
