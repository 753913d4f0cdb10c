"""Leads decide about candidates by reacting to their reports. Silence, other emoji and other people change nothing. On
SQLite: the verbs have their own tests on both databases (tests/core/learning/test_decisions.py)."""

from typing import Any

import pytest

from bot.runtime.clock import utc_now
from bot.sandbox.client import Message
from core.learning.data.seeds import add_seeds
from core.storage.database import PATIENT
from tests.flows.conftest import StartLoop, seeds
from tests.loop import Loop
from tests.people import CLEO, DAN, LEADS, support_policy

pytestmark = pytest.mark.usefixtures("sqlite_only")

PASSES, REFUSES = "The golden gate passes it", "The golden gate refuses it"
CHECK = "white_check_mark"
WISHES = (
    ("i want my money back for the", "refund"),
    ("you charged my card twice for the", "billing error"),
    ("where is the parcel with my", "delivery"),
)


def started(start_loop: StartLoop, **policy: Any) -> Loop:
    loop = start_loop(support_policy(**policy))
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    return loop


def spoilt(start_loop: StartLoop) -> Loop:
    """Its learner swaps two labels; there is enough text that any honest learner would do well."""
    loop = start_loop(
        support_policy(retraining={"corrections": 0, "learner": "demo_spoilt"}, golden={"seed_share": 0.5})
    )
    things = ("lamp", "chair", "table", "vase", "sofa", "rug", "mirror", "shelf", "kettle", "bowl", "clock", "bed")
    rows = [(f"{wish} {thing}", label) for thing in things for wish, label in WISHES]
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, rows, utc_now(), loop.queue)
    return loop


def report(loop: Loop, name: str, words: str = PASSES) -> Message:
    """Ask for a candidate, and wait for its report."""
    loop.retrain()
    message = loop.card(f": {name} compared with", channel=LEADS)
    assert words in message.plain
    return message


def live_name(loop: Loop) -> str | None:
    model = loop.services.serving.live(loop.queue)
    return model.name if model else None


@pytest.mark.slow
def test_the_report_says_its_numbers_in_words_and_has_a_chart_in_its_thread(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    card = report(loop, "v1")
    assert "random golden examples" in card.text.lower()
    assert "Nothing happens without you" in card.plain

    def chart() -> list[dict[str, Any]]:
        return [file for one in loop.cleo.messages(LEADS, thread_ts=card.ts) for file in one.files]

    [file] = loop.box.wait_for(chart)
    assert file["name"] == "v1.png"
    assert "random" in file["alt_txt"].lower()


@pytest.mark.slow
def test_others_are_told_once_and_change_nothing(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    card = report(loop, "v1")
    for emoji in (CHECK, "tada", "x", "heavy_check_mark"):
        assert loop.dan.react(card, emoji).ok
    loop.told(loop.dan, "Only leads of Support tickets can decide on models", channel=LEADS)
    loop.cleo.react(card, "eyes")
    loop.cleo.react(card, f"{CHECK}::skin-tone-3")
    loop.card("v1 is live", channel=LEADS)
    told = [one for one in loop.dan.messages(LEADS) if one.ephemeral]
    assert len(told) == 1


@pytest.mark.slow
def test_one_no_rejects_and_a_later_yes_is_answered(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    card = report(loop, "v1")
    loop.cleo.react(card, "x")
    loop.card("Rejected", channel=LEADS)
    loop.cleo.react(card, CHECK)
    loop.told(loop.cleo, "v1 was rejected. Nothing was changed.", channel=LEADS)
    assert live_name(loop) is None


@pytest.mark.slow
def test_a_quorum_of_two_counts_standing_yeses_only(start_loop: StartLoop) -> None:
    loop = started(start_loop, leads=[CLEO, DAN], promotion={"approvals": 2})
    card = report(loop, "v1")
    loop.cleo.react(card, CHECK)
    loop.card("1 of 2 leads (<@U_CLEO>)", channel=LEADS)
    loop.cleo.unreact(card, CHECK)
    loop.box.wait_for(lambda: "1 of 2" not in loop.card("v1 compared with", channel=LEADS).plain)
    loop.dan.react(card, CHECK)
    loop.card("1 of 2 leads (<@U_DAN>)", channel=LEADS)
    loop.cleo.react(card, CHECK)
    loop.card("v1 is live", channel=LEADS)


@pytest.mark.slow
def test_a_newer_candidate_supersedes_one_that_waits(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    old = report(loop, "v1")
    report(loop, "v2")
    loop.card("Superseded by v2", channel=LEADS)
    loop.cleo.react(old, CHECK)
    loop.told(loop.cleo, "v1 was superseded by a newer candidate", channel=LEADS)
    assert live_name(loop) is None


@pytest.mark.slow
def test_a_promoted_model_is_rolled_back_by_a_command(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    loop.cleo.react(report(loop, "v1"), CHECK)
    loop.card("v1 is live", channel=LEADS)
    nothing = loop.cleo.command("/goldloop rollback", channel=LEADS)
    assert "no earlier one to roll back to" in str(nothing.response)
    second = report(loop, "v2")
    home = loop.cleo.open_home()
    assert "v2*, compared with v1" in home.plain
    loop.cleo.click_home("Promote")
    loop.card("v2 is live", channel=LEADS)
    loop.box.wait_for(lambda: loop.cleo.home and "v2 is live now." in loop.cleo.home.plain)
    loop.cleo.react(second, CHECK)
    loop.cleo.unreact(second, CHECK)
    told = loop.told(loop.cleo, "v2 stays live, promoted by <@U_CLEO>", channel=LEADS)
    assert "To bring v1 back, type `/goldloop rollback support` and say why" in told.plain
    assert live_name(loop) == "v2"
    back = loop.cleo.command("/goldloop rollback support worse on mondays", channel=LEADS)
    assert "v1 of Support tickets is live again" in str(back.response)
    assert live_name(loop) == "v1"
    loop.card("v1 is live again. v2 was rolled back by <@U_CLEO>: “worse on mondays”.", channel=LEADS)
    former = loop.card("UTC>: v1 brought back by <@U_CLEO>: “worse on mondays”", channel=LEADS)
    assert "No longer live" in former.plain
    loop.card("UTC>: brought back by <@U_CLEO>: “worse on mondays”", channel=LEADS)


@pytest.mark.slow
def test_a_candidate_is_compared_again_when_the_live_model_changed_meanwhile(start_loop: StartLoop) -> None:
    loop = started(start_loop)
    for name in ("v1", "v2"):
        loop.cleo.react(report(loop, name), CHECK)
        loop.card(f"{name} is live", channel=LEADS)
    card = report(loop, "v3")
    assert "v3 compared with v2" in card.plain
    loop.cleo.command("/goldloop rollback", channel=LEADS)
    again = loop.card("v3 compared with v1", channel=LEADS)
    assert again.ts == card.ts
    loop.cleo.react(again, CHECK)
    loop.card("v3 is live", channel=LEADS)


@pytest.mark.slow
def test_a_spoilt_candidate_is_refused_and_only_a_reason_overrules_it(start_loop: StartLoop) -> None:
    loop = spoilt(start_loop)
    card = report(loop, "v1", words=REFUSES)
    loop.cleo.react(card, CHECK)
    loop.told(loop.cleo, "The golden gate refused v1, so a check mark can't promote it", channel=LEADS)
    assert live_name(loop) is None
    loop.cleo.click(card, "Overrule…")
    loop.box.wait_for(lambda: loop.cleo.view)
    short = loop.cleo.submit({"reason": "because"})
    assert "at least 10 characters" in short.errors["reason"]
    assert loop.cleo.submit({"reason": "we need it for the test of the roll-back"}).ok
    loop.card("v1 is live", channel=LEADS)
    loop.card("promoted against the gate by <@U_CLEO>", channel=LEADS)
    why = "“we need it for the test of the roll-back”."
    loop.card(f"v1 is live, although the golden gate refused it. Promoted by <@U_CLEO>: {why}", channel=LEADS)
    loop.card(f"Promoted although the golden gate refused it. By <@U_CLEO>: {why}", channel=LEADS)


@pytest.mark.slow
def test_a_person_who_is_no_admin_cannot_overrule(start_loop: StartLoop) -> None:
    loop = spoilt(start_loop)
    card = report(loop, "v1", words=REFUSES)
    loop.dan.click(card, "Overrule…")
    told = loop.box.wait_for(lambda: loop.dan.view)
    assert told is not None
    assert "Only leads of Support tickets can overrule" in told.plain
    assert live_name(loop) is None


@pytest.mark.slow
def test_enough_corrections_ask_for_a_candidate_by_themselves(start_loop: StartLoop) -> None:
    loop = started(start_loop, retraining={"corrections": 2})
    for number, text in enumerate(("the sofa came late", "my invoice shows another sum")):
        loop.predict(f"T-{number}", text, {"delivery": 0.5, "refund": 0.4, "billing error": 0.1})
        card = loop.card(text)
        loop.ana.click(card, "refund")
        loop.ben.click(card, "refund")
    card = loop.card(": v1 compared with", channel=LEADS)
    assert "including 2 corrections" in card.plain


@pytest.mark.slow
def test_a_run_that_cannot_learn_says_why(start_loop: StartLoop) -> None:
    loop = start_loop()
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, [("only one label", "refund"), ("all the same", "refund")], utc_now(), loop.queue)
    loop.retrain()
    loop.card("At least two labels are needed", channel=LEADS)
