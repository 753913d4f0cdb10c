"""The part of the Home tab for leads: what waits, and the buttons that decide it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.views import home
from core.delivery.card_refs import CardRef
from core.learning.lifecycle.cards import PendingCandidate
from core.offers.table import OfferedSlice
from core.review.lead_work import LeadWork
from core.review.my_work import MyWorkCard
from tests.bot.cards import dispute, line, mine, pending
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.bot.test_slices import card as weak_card
from tests.people import CLEO, DAN

NOWHERE = MyWorkCard(CLEO, False, (), ())  # a lead who does not review


def led(*candidates: PendingCandidate, disputes: int = 0, **more: Any) -> LeadWork:
    items = tuple(dispute(subject=CardRef(number)) for number in range(disputes))
    return replace(LeadWork(items, 0, candidates, 0), **more)


def test_disputes_and_candidates_are_listed_with_their_buttons() -> None:
    said = check(home.render(NOWHERE, [line()], led=led(pending(), disputes=2, more_disputes=3, more_candidates=1)))
    assert "You're not a reviewer" not in said
    assert "A lead decides because 5 votes didn't settle it." in said
    for words in (
        "And 3 more disputed items.",
        "And 1 more candidate.",
        "v3*, compared with v2",
        "form:votes",
        "vote:none",
        "promote",
    ):
        assert words in said


def test_a_lead_for_whom_nothing_waits_is_told_so() -> None:
    said = check(home.render(NOWHERE, [], led=led()))
    assert "Nothing. Disputed items and candidates appear here." in said
    assert "My reviews" not in said
    assert "My reviews" in check(home.render(mine(), [], led=led())), "a lead who reviews, too"


@pytest.mark.parametrize(
    ("more", "buttons"),
    [
        ({}, ["promote", "reject"]),
        ({"approvals": (CLEO,), "approvals_needed": 2}, ["take_back", "reject"]),
        ({"approvals": (DAN,), "approvals_needed": 2}, ["promote", "reject"]),
        ({"passed": False}, ["reject", "overrule"]),
        ({"erased": True}, ["reject", "overrule"]),
        ({"outdated": True}, ["reject"]),
        ({"in_shadow": True}, ["reject"]),
        ({"in_shadow": True, "passed": False}, ["reject", "overrule"]),
    ],
)
def test_a_candidate_has_the_buttons_of_what_can_be_decided(more: dict[str, Any], buttons: list[str]) -> None:
    drawn = home.render(NOWHERE, [], led=led(pending(**more))).body["blocks"]
    assert [one["action_id"] for block in drawn if block["type"] == "actions" for one in block["elements"]] == buttons


def test_slack_takes_it_with_any_text_and_much_of_it() -> None:
    for text in HOSTILE:
        labels = tuple(f"{number} {text}"[:60] for number in range(40))
        crowded = dispute(text, queue_title=text[:80], labels=labels)
        work = LeadWork((crowded,) * 8, 2000, (pending(text),) * 5, 70)
        check(home.render(mine(text, queues=mine(text).queues * 60), [line(text)] * 60, led=work, said="Done."))


def test_weak_slices_stand_below_what_waits_with_their_queue() -> None:
    said = check(home.render(NOWHERE, [], led=led(), weak=[OfferedSlice(weak_card(), ())] * 10))
    assert "Where the model is weak" in said
    assert said.count("*Support:* channel = “fax”") == 8
    assert "And 2 more: `/goldloop slices`." in said
    assert "Where the model is weak" not in check(home.render(NOWHERE, [], led=led()))
