"""Weak slices: the buttons of their cards, and the answer to `/goldloop slices`."""

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message, View
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import publish_home
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Click
from bot.slack.inbound.replies import show_view
from bot.slack.views import forms, slices
from core.intake.slice_cards import slice_examples
from core.intake.weak_slices import stop_asking

STOPPED = "No further items are opened for these. Those that are open stay."


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    in_force = services.in_force.read

    def examples_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(open_examples, click, parsed.response_url)

    def open_examples(click: Click, response_url: str) -> None:
        def draw() -> View:
            with services.database.reading() as session:
                found = slice_examples(session, click.subject, click.person, services.clock(), in_force(session))
            return slices.examples_of_slice(*found, services.workspace)

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def stop_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            stop_asking(session, click.subject, click.person, services.clock(), in_force(session))
        ack()
        if parsed.is_from_home:
            after_ack.run(publish_home, services, click.person, STOPPED)
        else:
            after_ack.tell(parsed.response_url, Message(STOPPED))

    app.action("slice_examples")(examples_clicked)
    app.action("stop_asking")(stop_clicked)
