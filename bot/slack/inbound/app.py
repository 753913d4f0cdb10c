"""The Slack app: every listener registered.

Slack receives 200 only after our commit (`process_before_response`). Without it Bolt acknowledges events before the
listener runs, and a lead's approval could vanish.
"""

import re
from dataclasses import replace

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message
from bot.slack.inbound import (
    approval,
    canary,
    commands,
    drift,
    flagging,
    home,
    offers,
    people,
    received_events,
    slices,
    voting,
    workspace_check,
)
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import STALE
from bot.slack.inbound.refusals import refuser
from bot.slack.inbound.requests import TimedApp
from bot.slack.inbound.vote_collector import VoteCollector
from bot.slack.views import forms


def build_app(services: Services) -> TimedApp:
    """The app; it is to be closed after the last request. Asks Slack for the bot's name and workspace now, so that no
    click has to. Raises SlackApiError if the token is not valid.

    The app does not verify that requests come from Slack: the HTTP server has done so before anything was parsed
    (bot/server/app.py), and a socket comes from Slack.
    """
    us = services.slack.auth_test()
    services = replace(services, workspace=str(us.get("url") or ""))
    after_ack = AfterAck()
    votes = VoteCollector(services.database, services.in_force.of, services.clock)
    refuse = refuser(after_ack, services.slack)
    app = TimedApp(services.slack, after_ack, votes, refuse, us.get("team_id"))
    workspace_check.register(app, refuse)
    received_events.register(app, services, after_ack)
    voting.register(app, services, after_ack, votes)
    for room in (approval, canary, commands, drift, flagging, home, offers, people, slices):
        room.register(app, services, after_ack)
    app.error(lambda error, parsed: refuse(error, parsed))  # Bolt gives arguments by their names, and knows no other
    _register_fallbacks(app, after_ack)
    return app


def _register_fallbacks(app: App, after_ack: AfterAck) -> None:
    """Register listeners for everything else; to be called last. A control of an older version, or a form that is gone,
    gets an answer in words; events that Goldloop does not use are acknowledged."""

    def stale(ack: Ack, parsed: Payload) -> None:
        ack()
        after_ack.tell(parsed.response_url, Message(STALE))

    def stale_form(ack: Ack) -> None:
        ack(response_action="update", view=forms.sentence("Out of date", STALE).body)

    def no_options(ack: Ack) -> None:
        ack(options=[])

    def quiet(ack: Ack) -> None:
        ack()

    anything = re.compile(".*", re.DOTALL)
    app.action(anything)(stale)
    app.shortcut(anything)(stale)
    app.view_submission(anything)(stale_form)
    app.view_closed(anything)(quiet)
    app.options(anything)(no_options)
    app.event(anything)(quiet)
