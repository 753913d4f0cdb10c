"""`goldloop doctor` against a workspace in which one thing is broken: exactly that is found, with what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.checks.finding import Outcome
from bot.runtime.clock import utc_now
from bot.sandbox.config import ChannelConfig, GroupConfig, PersonConfig, SandboxConfig
from tests.operations.conftest import Place, SetUp
from tests.people import ANA, BEN, CLEO, DAN, LEADS, REVIEW, workspace

pytestmark = pytest.mark.usefixtures("sqlite_only")

Broken = Callable[[Place], object]


def with_app(**changed: Any) -> SandboxConfig:
    base = workspace()
    return replace(base, apps=(replace(base.apps[0], **changed),))


def with_channel(name: str, **changed: Any) -> SandboxConfig:
    base = workspace()
    changed_ones = (replace(one, **changed) if one.id == name else one for one in base.channels)
    return replace(base, channels=tuple(changed_ones))


def test_a_whole_place_is_well(place: Place) -> None:
    findings = place.findings()
    assert [finding for finding in findings if finding.outcome is Outcome.BAD] == []
    subjects = [finding.subject for finding in findings]
    for subject in ("policy", "schema", "bot token", "scopes", "app token", f"channel {REVIEW}", "leads of support"):
        assert subject in subjects


@pytest.mark.parametrize(
    ("change", "subject", "words", "remedy"),
    [
        (lambda p: p.values.update(SLACK_BOT_TOKEN=""), "bot token", "is not set", "goldloop docs slack"),
        (lambda p: p.values.update(SLACK_BOT_TOKEN="xoxb-no"), "bot token", "invalid_auth", "OAuth & Permissions"),
        (lambda p: p.values.update(SLACK_BOT_TOKEN=p.values["SLACK_APP_TOKEN"]), "bot token", "not_allowed", "xoxb-"),
        (lambda p: p.values.update(SLACK_APP_TOKEN="xapp-no"), "app token", "invalid_auth", "connections:write"),
        (lambda p: p.values.update(SLACK_APP_TOKEN=""), "connection", "Neither SLACK_APP_TOKEN", "Set one of them"),
        (lambda p: p.box.fault("auth.test", "token_revoked"), "bot token", "token_revoked", "Install the app again"),
        (lambda p: p.box.fault("auth.test", "ratelimited"), "bot token", "ratelimited", "in a minute"),
        (lambda p: p.box.fault("auth.test", "server_error"), "bot token", "error “internal_error”", "Look up"),
        (lambda p: p.box.archive(LEADS), f"channel {LEADS}", "is archived", "Unarchive it"),
        (lambda p: p.box.kick("U_A_GOLDLOOP", REVIEW), f"channel {REVIEW}", "bot is not in", "/invite @goldloop"),
        (lambda p: p.write(leads_channel="C_NONE"), "channel C_NONE", "does not exist", "Check the channel id"),
        (lambda p: p.write(channel="support-review"), "channel support-review", "is a channel name", f"id {REVIEW}"),
        (lambda p: p.write(reviewers=[ANA, BEN, "U_NEW"]), "reviewers of support", "U_NEW can't", "from the list"),
        (lambda p: p.box.deactivate(BEN), "reviewers of support", "is deactivated", "from the list"),
        (lambda p: p.box.change_person(ANA, kind="guest"), "reviewers of support", "guests can't", "from the list"),
        (lambda p: p.write(leads=[CLEO, "U_A_GOLDLOOP"]), "leads of support", "bots can't act", "from the list"),
    ],
)  # fmt: skip
def test_what_is_broken_is_found_and_nothing_else(
    place: Place, change: Broken, subject: str, words: str, remedy: str
) -> None:
    change(place)
    [found] = place.bad()
    assert found.subject == subject
    assert words in found.words
    assert remedy in found.remedy


def test_an_unreachable_slack_is_said_of_both_tokens(place: Place) -> None:
    place.values["SLACK_API_URL"] = "http://127.0.0.1:9/api"
    bad = place.bad()
    assert [finding.subject for finding in bad] == ["bot token", "app token"]
    assert all("cannot be reached" in finding.words and "SLACK_API_URL" in finding.remedy for finding in bad)


@pytest.mark.parametrize("lead_gone", [True, False])
def test_a_queue_without_active_people_is_found(place: Place, lead_gone: bool) -> None:
    place.write(leads=[CLEO], reviewers=[BEN])
    place.box.deactivate(CLEO if lead_gone else BEN)
    assert "No active people." in [finding.words for finding in place.bad()]


def test_one_reviewer_is_too_few_for_a_decision(place: Place) -> None:
    place.write(reviewers=[ANA])
    assert place.bad() == []
    assert "1 active, but a decision needs 2." in [finding.words for finding in place.findings()]


def test_members_of_the_channel_who_may_not_act_are_nothing_unusual(place: Place) -> None:
    place.box.change_person(DAN, kind="guest")
    place.write(reviewers=[])
    assert place.bad() == []


def test_a_missing_scope_is_named(set_up: SetUp) -> None:
    scopes = tuple(scope for scope in workspace().apps[0].scopes or () if scope != "reactions:read")
    [found] = set_up(with_app(scopes=scopes)).bad()
    assert (found.subject, found.words) == ("scopes", "Missing: reactions:read.")
    assert "goldloop manifest" in found.remedy


def test_what_a_missing_scope_hides_says_so(set_up: SetUp) -> None:
    scopes = tuple(scope for scope in workspace().apps[0].scopes or () if scope != "users:read")
    bad = set_up(with_app(scopes=scopes)).bad()
    assert {finding.words for finding in bad} == {
        "Missing: users:read.",
        "Slack answered with the error “missing_scope”.",
    }
    assert all("goldloop manifest" in finding.remedy for finding in bad)


def test_more_scopes_than_needed_are_a_note(set_up: SetUp) -> None:
    place = set_up(with_app(scopes=(*(workspace().apps[0].scopes or ()), "chat:write.public")))
    assert place.bad() == []
    assert "Not needed: chat:write.public." in [finding.words for finding in place.findings()]


def test_a_channel_shared_with_outsiders_is_found(set_up: SetUp) -> None:
    [found] = set_up(with_channel(REVIEW, ext_shared=True)).bad()
    assert "shared with another company" in found.words


def test_a_private_channel_without_the_bot_is_as_good_as_none(set_up: SetUp) -> None:
    place = set_up(with_channel(LEADS, private=True, members=(CLEO,)))
    [found] = place.bad()
    assert "it is private and the bot is not a member" in found.words


def test_people_of_another_workspace_may_not_lead(set_up: SetUp) -> None:
    base = workspace()
    outsider = PersonConfig("U_FAY", "fay", kind="external")
    place = set_up(replace(base, people=(*base.people, outsider), channels=(*base.channels, ChannelConfig("C_X", "x"))))
    place.write(leads=[CLEO, "U_FAY"])
    [found] = place.bad()
    assert "people from other workspaces can't act here" in found.words


def test_a_clock_that_is_wrong_is_found_beside_slacks(place: Place) -> None:
    found = place.bad(clock=lambda: utc_now() + timedelta(minutes=6))
    assert [finding.subject for finding in found] == ["clock"]
    assert "Slack's" in found[0].words


def with_groups(*groups: GroupConfig, scopes: tuple[str, ...] = ("usergroups:read",)) -> SandboxConfig:
    base = workspace()
    stranger = PersonConfig("U_GUS", "gus", kind="guest")
    app = replace(base.apps[0], scopes=(*(base.apps[0].scopes or ()), *scopes))
    return replace(base, people=(*base.people, stranger), apps=(app,), groups=groups)


def test_a_user_group_with_a_guest_in_it_is_nothing_unusual(set_up: SetUp) -> None:
    place = set_up(with_groups(GroupConfig("S_LEADS", "leads", members=(CLEO, DAN, "U_GUS"))))
    place.write(leads=["S_LEADS"], admins=[CLEO])
    assert place.bad() == []
    said = {finding.subject: finding.words for finding in place.findings()}
    assert (said["leads of support"], said["admins of support"]) == ("2 active", "1 active")


@pytest.mark.parametrize(
    ("scopes", "disabled", "fault", "subject", "words", "remedy"),
    [
        ((), False, "", "user groups", "missing_scope", "goldloop manifest --groups"),
        (("usergroups:read",), True, "", "user group S_LEADS", "does not exist or is disabled", "S…, not the"),
        (("usergroups:read",), False, "usergroups.list", "user groups", "plan_upgrade_required", "name people by id"),
        (("usergroups:read",), False, "usergroups.users.list", "user group S_LEADS", "plan_upgrade", "name people by"),
    ],
)
def test_a_user_group_that_cannot_be_read_is_found(
    set_up: SetUp, scopes: tuple[str, ...], disabled: bool, fault: str, subject: str, words: str, remedy: str
) -> None:
    group = GroupConfig("S_LEADS", "leads", members=(DAN,), disabled=disabled)
    place = set_up(with_groups(group, scopes=scopes))
    place.write(leads=[CLEO, "S_LEADS"])
    if fault:
        place.box.fault(fault, "plan_upgrade_required")
    found = [finding for finding in place.bad() if finding.subject != "scopes"]
    assert [finding.subject for finding in found] == [subject]
    assert words in found[0].words
    assert remedy in found[0].remedy
