"""Votes with and without the suggestion, and labels settled under an older guideline."""

from typing import Any

import pytest
from sqlalchemy import select

from bot.wording.format import PLAIN
from bot.wording.settled_labels import anchoring_lines, stale_lines
from core.learning.evaluation.intervals import Interval
from core.privacy.erasure import erase
from core.records.learning import GoldenExample
from core.review.anchoring import Agreement, Anchoring, JudgedVote
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.review.settled_labels import StaleLabels, judged_votes, stale_labels
from core.vocabulary import Destination, Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NONE, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, EVA

NEW: dict[str, Any] = {"guideline": "Read this anew.", "review": {"blind_share": 0.0}}


def judged(desk: Desk) -> list[JudgedVote]:
    with desk.database.reading() as session:
        return sorted(judged_votes(session, desk.queue().id), key=lambda one: (one.item_id, one.agrees))


def stale(desk: Desk, most: int = 10) -> StaleLabels:
    with desk.database.reading() as session:
        return stale_labels(session, desk.rules.name, most)


def test_votes_on_settled_items_are_judged_by_what_was_in_sight(open_desk: OpenDesk) -> None:
    guided = open_desk(review={"blind_share": 0.0})
    split = guided.ticket()
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, REFUND), (CLEO, REFUND)):
        guided.click(person, split, answer)
    guided.ticket()
    blind = guided.under(review={"blind_share": 1.0})
    none = blind.settled(ANA, BEN, answer=NONE)
    assert judged(guided) == [
        JudgedVote(split, True, False), JudgedVote(split, True, True), JudgedVote(split, True, True),
        JudgedVote(none, False, True), JudgedVote(none, False, True),
    ]  # fmt: skip


def test_a_label_of_an_older_guideline_is_listed_until_people_were_asked_again(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 0.0}, guideline="Old.")
    first, second = desk.settled(ANA, BEN, answer=BILLING), desk.settled(ANA, BEN)
    lost = desk.settled(ANA, BEN, external_id="T-gone")
    assert stale(desk).total == 0
    desk = desk.under(**NEW)
    desk.settled(ANA, BEN)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "T-gone", NOW)
    found = stale(desk)
    assert (found.guideline, found.total, [one.item_id for one in found.labels]) == (2, 2, [second, first])
    assert (found.labels[1].label, found.labels[1].guideline) == (BILLING, 1)
    assert [one.item_id for one in stale(desk, most=1).labels] == [second]
    for item_id in (first, second):
        answered_again(desk, item_id)
    assert stale(desk).total == 0
    assert lost not in [one.item_id for one in found.labels]


def answered_again(desk: Desk, item_id: int) -> None:
    """Whether it trains or is golden."""
    correction = desk.correction(item_id)
    with desk.database.transaction() as session:
        if correction.destination is Destination.GOLDEN:
            mine = select(GoldenExample.id).where(GoldenExample.correction_id == correction.id)
            again = ask_about_golden(session, session.scalars(mine).one(), CLEO, NOW, desk.rules)
        else:
            again = ask_about_training_row(session, Source.CORRECTION, correction.id, CLEO, NOW, desk.rules)
    for person in (ANA, BEN):
        desk.click(person, again, correction.label or "")


def test_what_is_said_of_them(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 0.0}, guideline="Old.")
    item_id = desk.settled(ANA, BEN)
    desk = desk.under(**NEW)
    correction = desk.correction(item_id).id
    assert stale_lines(stale(desk), "support", PLAIN) == [
        "1 label settled under an older version of the guideline than the present one (version 2):",
        f"Item {item_id}: “refund” (version 1, 2026-11-24, correction {correction})",
        f"To ask people again, an operator types `goldloop ask-again --queue support --correction {correction}`.",
    ]
    known = Agreement(40, Interval(0.9, 0.8, 0.95))
    lines = anchoring_lines(Anchoring(known, Agreement(3, None)))
    assert lines == [
        "Votes with the model's suggestion in sight that agree with the settled label: 90% (80 to 95), 40 items.",
        "Votes without it that agree: not known yet (3 of 30 items).",
    ]
    assert "different items" in anchoring_lines(Anchoring(known, known))[2]


@pytest.mark.parametrize("most", [1, 50])
def test_a_queue_without_settled_labels_has_none(desk: Desk, most: int) -> None:
    assert stale(desk, most) == StaleLabels(1, 0, ())
    assert judged(desk) == []
