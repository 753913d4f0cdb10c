"""Slack events about changed people, channels and user groups: those that the policy names are refreshed."""

from slack_bolt import App

from bot.runtime.services import Services
from bot.slack.directory.refresh import refresh_people
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import PeopleChange
from core.people.members import is_known

CHANGES = ("member_joined_channel", "member_left_channel", "user_change", "subteam_members_changed", "subteam_updated")


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    def something_changed(parsed: Payload) -> None:
        after_ack.run(_refresh, services, payloads.people_change(parsed))

    for name in CHANGES:
        app.event(name)(something_changed)


def _refresh(services: Services, change: PeopleChange) -> None:
    if _concerns_us(services, change):
        refresh_people(services)


def _concerns_us(services: Services, change: PeopleChange) -> bool:
    """Whether the change is about our channels, groups or people. In a large company something changes all day, so
    other changes are not looked into."""
    if change.person:
        with services.database.reading() as session:
            return is_known(session, change.person)
    policy = services.policy
    return change.group in policy.groups or change.channel in policy.channels
