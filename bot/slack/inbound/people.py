"""What Slack says when people, channels or user groups change: those of the policy are asked about anew."""

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.directory.refresh import refresh_people
from bot.slack.inbound.payloads import Body
from core.people.members import is_known

CHANGES = ("member_joined_channel", "member_left_channel", "user_change", "subteam_members_changed", "subteam_updated")


def register(app: App, services: Services) -> None:
    def something_changed(ack: Ack) -> None:
        ack()

    def refresh(event: Body) -> None:
        if _concerns_us(services, event):
            refresh_people(services)

    for name in CHANGES:
        app.event(name)(ack=something_changed, lazy=[refresh])


def _concerns_us(services: Services, event: Body) -> bool:
    """A large company changes all day: only what is about our channels, our groups and our people is looked into."""
    kind = event.get("type")
    if kind == "user_change":
        with services.database.reading() as session:
            return is_known(session, str((event.get("user") or {}).get("id", "")))
    if kind in ("subteam_members_changed", "subteam_updated"):
        return (event.get("subteam_id") or (event.get("subteam") or {}).get("id")) in services.policy.groups
    return event.get("channel") in services.policy.channels
