"""The buttons of a canary on a model's report: roll back, or let the new model answer all callers."""

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from core.learning.lifecycle.canary_decisions import end_canary, roll_canary_back


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    in_force = services.in_force.read

    def rollback_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            name = roll_canary_back(session, click.subject, click.person, services.clock(), in_force(session))
        ack()
        after_ack.tell(parsed.response_url, Message(f"{name} is live again."))

    def keep_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            name = end_canary(session, click.subject, click.person, services.clock(), in_force(session))
        ack()
        after_ack.tell(parsed.response_url, Message(f"{name} answers all requests now."))

    app.action("canary_rollback")(rollback_clicked)
    app.action("canary_keep")(keep_clicked)
