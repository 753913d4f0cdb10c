"""A workspace with all kinds of people who may not act: an outsider of Slack Connect, a guest, a bot, a deactivated
person."""

from dataclasses import replace

from bot.sandbox.config import PersonConfig, SandboxConfig
from tests.people import workspace

OUTSIDER, GUEST, BOT, GONE = "U_OUTSIDER", "U_GUEST", "U_ROBOT", "U_GONE"
STRANGERS = {OUTSIDER: "external", GUEST: "guest", BOT: "bot", GONE: "deactivated"}


def open_place() -> SandboxConfig:
    place = workspace()
    strangers = tuple(PersonConfig(id=one, name=one.lower(), kind=kind) for one, kind in STRANGERS.items())  # type: ignore[arg-type]
    channels = tuple(replace(one, members=(*one.members, OUTSIDER, GUEST)) for one in place.channels)
    return replace(place, people=place.people + strangers, channels=channels)
