"""Permissions: every listener that is registered with Slack, tried by every kind of person.
A person who may not changes nothing, sees nothing, and is told why."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bot.slack.controls import ANSWER_WORDS
from bot.slack.inbound.commands import ANSWERS
from core.learning.lifecycle.models import newest_evaluation
from core.people.availability import pause, resume
from core.people.members import queues_of
from core.vocabulary import Role
from tests.core.desk import NOW, REFUND
from tests.people import ANA
from tests.security.house import (
    ALL_PEOPLE,
    ANA_,
    CLEO_,
    COLLEAGUES,
    LEA_,
    MIA_,
    NAMESAKES,
    TEXT,
    House,
    Who,
    house,
)

__all__ = ["house"]  # the fixture

NOES = re.compile(
    r"Only |You can't |Reviewers are still voting|You have no answer|"
    r"You're not a reviewer|People from other workspaces|is waiting for a lead|\"options\": \[\]"
)
REVIEWER, LEADS, ADMIN = frozenset({ANA_}), frozenset({CLEO_, MIA_}), frozenset({MIA_})
OF_THE_QUEUE = REVIEWER | LEADS
OURS = ALL_PEOPLE - NAMESAKES - {who for who in ALL_PEOPLE if who.team != "T_LOCAL"}
REVIEWING_SOMEWHERE = REVIEWER | {LEA_}

SLACK_TELLS = {
    "people.something_changed": "news of Slack about people; no one acts",
    "app.stale": "says that a control is out of date",
    "app.stale_form": "says that a form is out of date",
    "app.no_options": "offers nothing",
    "app.quiet": "does nothing",
}


@dataclass(frozen=True)
class Door:
    """sees: what those who may are shown, and no one else is; empty: it is a deed, and what is stored changes.
    make: what there is to act on, the same for all who may not and new for each who may. silent: the others are not
    told, as there is nothing to tell. of_event: an event, which has no answer; one of another workspace is not even a
    notice."""

    name: str
    listener: str
    make: Callable[[House], Any]
    act: Callable[[House, Who, Any], str]
    may: frozenset[Who]
    sees: str = ""
    silent: bool = False
    of_event: bool = False


def nothing(_house: House) -> None:
    return None


def vote(value: str) -> Callable[[House, Who, Any], str]:
    return lambda house, who, item_id: house.click(who, "vote:0", f"{item_id}|{value}")


def button(action: str) -> Callable[[House, Who, Any], str]:
    return lambda house, who, subject: house.click(who, action, str(subject))


def offer(kind: str, about: str, choice: str = "") -> Callable[[House, Who, Any], str]:
    return lambda house, who, subject: house.click(who, f"offer:{kind}:0", f"{subject}|{about}|{choice}")


def home_button(action: str) -> Callable[[House, Who, Any], str]:
    return lambda house, who, _subject: house.click(who, action, "0", view={"type": "home"})


def home_decision(action: str) -> Callable[[House, Who, Any], str]:
    return lambda house, who, subject: house.click(who, action, subject, view={"type": "home"})


def report_at_home(house: House) -> str:
    """What a button beside it carries: model and evaluation."""
    model_id, _ts = house.report()
    with house.desk.database.reading() as session:
        return f"{model_id}|{newest_evaluation(session, model_id).id}"


def command(words: str) -> Callable[[House, Who, Any], str]:
    return lambda house, who, _subject: house.command(who, words)


def answered(house: House, who: Who, item_id: int) -> str:
    return house.form(who, "answer_form", str(item_id), label={"selected_option": {"value": REFUND}})


def overruled(house: House, who: Who, report: tuple[int, str]) -> str:
    return house.form(who, "overrule_form", str(report[0]), reason={"value": "the errors were mislabelled"})


def reacted(emoji: str, kind: str = "reaction_added") -> Callable[[House, Who, Any], str]:
    return lambda house, who, report: house.react(who, emoji, report[1], kind)


def flag_form(house: House, who: Who, _subject: None) -> str:
    message = {"text": "a message in some channel", "ts": "1.1"}
    return house.interaction(
        who, "message_action", callback_id="flag_for_review", message=message, channel={"id": "C", "name": "c"}
    )


def flagged(house: House, who: Who, _subject: None) -> str:
    queue = {"selected_option": {"value": "support"}}
    return house.form(who, "flag_form", f"C|{house.next()}", queue=queue, text={"value": "a message"})


def suggested(house: House, who: Who, item_id: int) -> str:
    view = {"type": "modal", "private_metadata": str(item_id), "callback_id": "answer_form"}
    return house.interaction(who, "block_suggestion", action_id="label", block_id="label", value="re", view=view)


def ana_has_voted(house: House) -> int:
    item_id = house.ticket()
    house.desk.click(ANA, item_id, REFUND)
    return item_id


def all_paused(house: House) -> None:
    _pausing(house, lambda session, person: pause(session, person, NOW))


def none_paused(house: House) -> None:
    _pausing(house, resume)


def _pausing(house: House, verb: Callable[[Any, str], None]) -> None:
    with house.desk.database.transaction() as session:
        for who in REVIEWING_SOMEWHERE:
            assert queues_of(session, who.id)[Role.REVIEWER]
            verb(session, who.id)


def refused_report(house: House) -> tuple[int, str]:
    return house.report(passed=False)


def refused_id(house: House) -> int:
    return house.report(passed=False)[0]


DOORS = [
    Door("votes for a label", "voting.vote_clicked", House.ticket, vote("label|refund"), REVIEWER),
    Door("votes for none", "voting.vote_clicked", House.ticket, vote("none"), REVIEWER),
    Door("cannot judge", "voting.vote_clicked", House.ticket, vote("cannot"), REVIEWER),
    Door("skips", "voting.vote_clicked", House.ticket, vote("skip"), REVIEWER),
    Door("settles a dispute", "voting.vote_clicked", House.disputed, vote("label|refund"), LEADS),
    Door("takes an answer back", "voting.undo_clicked", ana_has_voted, button("undo"), REVIEWER),
    Door("opens the form", "voting.form_clicked", House.ticket, button("form:why"), OF_THE_QUEUE, TEXT),
    Door("sends the form", "voting.form_submitted", House.ticket, answered, REVIEWER),
    Door("settles by the form", "voting.form_submitted", House.disputed, answered, LEADS),
    Door("searches a label", "voting.suggest_labels", House.ticket, suggested, OF_THE_QUEUE, "refund"),
    Door("reads how", "voting.history_clicked", House.ticket, button("how_decided"), COLLEAGUES, "sender-1"),
    Door("reads all", "voting.text_clicked", House.ticket, button("read_all"), COLLEAGUES, TEXT),
    Door("approves", "approval.reacted", House.report, reacted("white_check_mark"), LEADS, of_event=True),
    Door("rejects", "approval.reacted", House.report, reacted("x"), LEADS, of_event=True),
    Door("takes a yes back", "approval.unreacted", House.report, reacted("white_check_mark", "reaction_removed"),
         LEADS, silent=True, of_event=True),
    Door("promotes at Home", "approval.promote_clicked", report_at_home, home_decision("promote"), LEADS),
    Door("rejects at Home", "approval.reject_clicked", report_at_home, home_decision("reject"), LEADS),
    Door("takes a yes back at Home", "approval.take_back_clicked", report_at_home, home_decision("take_back"), LEADS),
    Door("settles a dispute at Home", "voting.vote_clicked", House.disputed,
         lambda house, who, item_id: house.click(who, "vote:0", f"{item_id}|label|refund", view={"type": "home"}),
         LEADS),
    Door("opens overruling", "approval.overrule_clicked", refused_id, button("overrule"), ADMIN,
         "golden gate refused"),
    Door("overrules", "approval.overrule_submitted", refused_report, overruled, ADMIN),
    Door("rolls a canary back", "canary.rollback_clicked", House.canary_is_proposed, button("canary_rollback"), LEADS),
    Door("ends a canary", "canary.keep_clicked", House.canary_is_proposed, button("canary_keep"), LEADS),
    Door("sees wrong answers", "slices.examples_clicked", House.weak_slice, button("slice_examples"), LEADS,
         "weak spot"),
    Door("has people asked", "offers.offer_clicked", House.weak_slice, offer("ask_people", "slice"), LEADS),
    Door("has people asked by an alarm", "offers.offer_clicked", House.alarm, offer("ask_people", "alarm"), LEADS),
    Door("has a scan look for more", "offers.offer_clicked", House.no_scan, offer("find_more", "alarm", "archive"),
         LEADS),
    Door("sees an alarm's items", "drift.items_clicked", House.alarm, button("drift_items"), LEADS, "What changed"),
    Door("sees how a label is added", "drift.label_clicked", House.alarm, button("drift_new_label"), LEADS,
         "policy reload"),
    Door("retrains by an alarm", "drift.retrain_clicked", House.alarm, button("drift_retrain"), LEADS),
    Door("stops asking", "slices.stop_clicked", House.asked_slice, button("stop_asking"), LEADS),
    Door("/goldloop help", "commands.typed", nothing, command("help"), OURS, "To vote, use the cards"),
    Door("/goldloop", "commands.typed", nothing, command(""), OURS, "To vote, use the cards"),
    Door("/goldloop nonsense", "commands.typed", nothing, command("nonsense"), OURS, "To vote, use the cards"),
    Door("/goldloop stats", "commands.typed", House.ticket, command("stats support"), OF_THE_QUEUE, "Support tickets"),
    Door("/goldloop mine", "commands.typed", House.ticket, command("mine"), REVIEWING_SOMEWHERE, "open for me"),
    Door("/goldloop pause", "commands.typed", none_paused, command("pause"), REVIEWING_SOMEWHERE),
    Door("/goldloop resume", "commands.typed", all_paused, command("resume"), REVIEWING_SOMEWHERE),
    Door("/goldloop promise", "commands.typed", nothing, command("promise support"), LEADS, "makes no promise"),
    Door("/goldloop discover", "commands.typed", nothing, command("discover support"), LEADS, "Sources: "),
    Door("/goldloop slices", "commands.typed", House.no_weak_slice, command("slices support"), LEADS,
         "Searching the settled answers"),
    Door("/goldloop labels", "commands.typed", nothing, command("labels support"), LEADS, "older version"),
    Door("/goldloop budget", "commands.typed", nothing, command("budget support 60 a day"), LEADS, "four weeks"),
    Door("/goldloop retrain", "commands.typed", House.no_run_waits, command("retrain support"), LEADS),
    Door("/goldloop rollback", "commands.typed", House.two_live_in_turn, command("rollback support"), LEADS),
    Door("/goldloop rollback", "commands.typed", House.two_live_in_turn, command("rollback support"), LEADS),
    Door("opens the flag form", "flagging.shortcut_used", nothing, flag_form, COLLEAGUES, "Support tickets"),
    Door("flags a message", "flagging.form_submitted", nothing, flagged, COLLEAGUES),
    Door("opens Home", "home.opened", House.ticket, lambda house, who, _item: house.home(who), OF_THE_QUEUE,
         "Support tickets", silent=True, of_event=True),
    Door("pauses at Home", "home.paused", none_paused, home_button("pause"), REVIEWING_SOMEWHERE),
    Door("resumes at Home", "home.resumed", all_paused, home_button("resume"), REVIEWING_SOMEWHERE),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS, ids=[door.name for door in DOORS])
def test_only_those_pass_who_may(house: House, door: Door) -> None:
    subject = door.make(house)
    before = house.rows()
    for who in sorted(ALL_PEOPLE - door.may, key=lambda one: (one.id, one.team)):
        told = plain(door.act(house, who, subject))
        assert house.rows() == before, f"{who} changed something"
        assert not door.sees or door.sees not in told, f"{who} saw it: {told}"
        unheard = door.silent or (door.of_event and who in NAMESAKES)
        assert unheard or NOES.search(told) or house.hears_soon(NOES), f"{who} was told: {told!r}"
    for who in sorted(door.may, key=lambda one: one.id):
        subject = door.make(house)
        before = house.rows()
        told = plain(door.act(house, who, subject))
        if door.sees:
            assert door.sees in told, f"{who} was told: {told!r}"
        after = house.rows()
        changed = [name for name in after if after[name] != before[name]]
        assert bool(changed) is not bool(door.sees), f"{who} was told: {told!r}; changed: {changed}"


def plain(told: str) -> str:
    """An answer in JSON as its words."""
    try:
        return json.dumps(json.loads(told), ensure_ascii=False)
    except ValueError:
        return told


def test_each_listener_has_its_row(house: House) -> None:
    registered = {name_of(listener.ack_function) for listener in house.app._listeners}
    registered |= {name_of(take) for take in house.app.takes.values()}
    assert registered == {door.listener for door in DOORS} | set(SLACK_TELLS)


def name_of(listener: Callable[..., object]) -> str:
    """Room and function."""
    return f"{listener.__module__.rsplit('.', 1)[-1]}.{listener.__name__}"


def test_each_word_of_the_command_and_each_answer_has_its_row() -> None:
    words = {door.name.removeprefix("/goldloop ") for door in DOORS if door.name.startswith("/goldloop ")}
    assert words - {"nonsense"} == set(ANSWERS)
    voted = {door.act for door in DOORS if door.listener == "voting.vote_clicked"}
    assert len(voted) == len(ANSWER_WORDS) + 2, "each of them on an open item, one on a disputed one, one at Home"


def test_a_reaction_to_another_message_is_none_of_our_business(house: House) -> None:
    before = house.rows()
    assert house.react(CLEO_, "white_check_mark", "1.000001") == ""
    assert house.rows() == before
