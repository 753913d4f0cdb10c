"""Roles by user group: people who join one may act at once, people who leave may not; a failed call changes no role."""

from dataclasses import replace

import pytest

from bot.sandbox.client import Person
from bot.sandbox.config import GroupConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.slack.directory.refresh import ONE_AT_A_TIME, refresh_people
from bot.slack.manifest import manifest
from core.people.members import holds, members
from core.queues import queue_named
from core.vocabulary import Role
from tests.flows.conftest import StartLoop, loop, start_loop
from tests.loop import Loop
from tests.people import ANA, BEN, CLEO, DAN, EVA, REVIEW, support_policy, workspace

__all__ = ["loop", "start_loop"]  # a running Goldloop

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sqlite_only")]

GUS = "U_GUS"
STARTED = 4  # times that Slack is asked who we are: before anything runs, by us, by Bolt, by the worker's first refresh
SPLIT = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


def with_groups(*groups: GroupConfig) -> SandboxConfig:
    base = workspace()
    app = app_from_manifest(manifest(groups=True), id="A_GOLDLOOP", name="goldloop")
    guest = PersonConfig(GUS, "gus", kind="guest")
    channels = tuple(replace(one, members=(*one.members, GUS)) for one in base.channels)
    return replace(base, people=(*base.people, guest), channels=channels, apps=(app,), groups=groups)


@pytest.fixture
def grouped(start_loop: StartLoop) -> Loop:
    """Reviewers are Ana and a user group of Ben and a guest; Cleo leads, and a user group of Eva administers."""
    experts = GroupConfig("S_EXPERTS", "experts", members=(BEN, GUS))
    admins = GroupConfig("S_ADMINS", "admins", members=(EVA,))
    policy = support_policy(reviewers=[ANA, "S_EXPERTS"], admins=["S_ADMINS"])
    return start_loop(policy, with_groups(experts, admins))


def may(loop: Loop, person: str, role: Role) -> bool:
    with loop.database.reading() as session:
        return holds(session, queue_named(session, "support").id, role, person)


def test_who_joins_a_group_may_vote_at_once_and_who_leaves_may_not(grouped: Loop) -> None:
    grouped.predict("T-1", "the sofa came late", SPLIT)
    card = grouped.card("the sofa came late")
    grouped.dan.click(card, "refund")
    grouped.told(grouped.dan, "Only reviewers of Support tickets can vote")
    grouped.box.change_group("S_EXPERTS", members=[DAN, GUS])
    grouped.box.wait_for(lambda: may(grouped, DAN, Role.REVIEWER) and not may(grouped, BEN, Role.REVIEWER))
    grouped.dan.click(card, "refund")
    grouped.told(grouped.dan, "Item 1:")
    grouped.ben.click(card, "refund")
    grouped.told(grouped.ben, "Only reviewers of Support tickets can vote")
    assert grouped.votes() == [DAN]


def test_a_guest_in_the_group_is_refused_like_any_other(grouped: Loop) -> None:
    grouped.predict("T-1", "the sofa came late", SPLIT)
    guest: Person = grouped.box.person(GUS)
    guest.click(grouped.card("the sofa came late"), "refund")
    grouped.told(guest, "You can't vote: guests can't act here.")


def test_who_is_deactivated_loses_what_the_group_gave_them(grouped: Loop) -> None:
    grouped.box.deactivate(BEN)
    grouped.box.wait_for(lambda: not may(grouped, BEN, Role.REVIEWER))


def test_a_failed_call_takes_no_role_away(grouped: Loop) -> None:
    started(grouped)
    for method in ("usergroups.list", "usergroups.users.list"):
        for fault in ("ratelimited", "server_error", "missing_scope", "token_revoked"):
            grouped.box.fault(method, fault, times=2)
            refresh_people(grouped.services)
            grouped.box.clear_faults()
            assert not grouped.box.calls(method)[-1]["ok"], f"{method} did not fail"
            assert may(grouped, BEN, Role.REVIEWER), f"after {fault} of {method}"
            assert may(grouped, EVA, Role.ADMIN), f"after {fault} of {method}"


def test_a_group_that_is_disabled_gives_no_role(grouped: Loop) -> None:
    grouped.box.change_group("S_ADMINS", disabled=True)
    grouped.box.wait_for(lambda: not may(grouped, EVA, Role.ADMIN) and not may(grouped, EVA, Role.LEAD))
    assert may(grouped, CLEO, Role.LEAD)


def test_an_event_about_people_without_a_role_asks_slack_nothing(start_loop: StartLoop) -> None:
    loop = start_loop(None, with_groups(GroupConfig("S_EXPERTS", "experts", members=(DAN,))))
    started(loop)
    loop.box.change_group("S_EXPERTS", members=[EVA])  # two events, about a group that the policy does not name
    loop.box.change_person(DAN, real_name="Dan Oh")  # nor him
    loop.box.wait_for(lambda: acknowledged(loop) == 3)
    refresh_people(loop.services)  # one refresh at a time: any of the events' would have come first
    assert len(loop.box.calls("auth.test")) == STARTED + 1
    assert loop.box.calls("usergroups.list") == loop.box.calls("usergroups.users.list") == []


def started(loop: Loop) -> None:
    """The worker's first refresh, which asks Slack too, is done."""
    loop.box.wait_for(lambda: len(loop.box.calls("auth.test")) == STARTED)
    with ONE_AT_A_TIME:
        return


def acknowledged(loop: Loop) -> int:
    return sum(entry["kind"] == "ack" for entry in loop.box.inspector())


def test_a_disputed_item_calls_the_leads_group(start_loop: StartLoop) -> None:
    leads = GroupConfig("S_LEADS", "leads", members=(CLEO,))
    loop = start_loop(support_policy(leads=["S_LEADS"], consensus={"votes": 2}), with_groups(leads))
    loop.predict("T-1", "the sofa came late", SPLIT)
    card = loop.card("the sofa came late")
    loop.ana.click(card, "refund")
    loop.ben.click(card, "delivery")
    assert "<!subteam^S_LEADS>, which label is right?" in loop.card("A lead decides", channel=REVIEW).plain
    loop.cleo.click(card, "refund")
    loop.card(f"decided by <@{CLEO}>")


def test_a_large_group_is_looked_up_within_slacks_rates(start_loop: StartLoop) -> None:
    crowd = tuple(PersonConfig(f"U_{number:03}", f"p{number}") for number in range(150))
    config = with_groups(GroupConfig("S_ALL", "all", members=(*(one.id for one in crowd), GUS)))
    config = replace(config, people=config.people + crowd, rates=True)
    loop = start_loop(support_policy(reviewers=["S_ALL", "U_FOREIGN"]), config)
    with loop.database.reading() as session:
        assert len(members(session, queue_named(session, "support").id, Role.REVIEWER)) == len(crowd)
    assert {one["args"]["user"] for one in loop.box.calls("users.info")} == {"U_FOREIGN"}
