"""The buttons of what a lead is offered for a weak slice or an alarm. Their value is "SUBJECT|ABOUT|CHOICE"."""

import re

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import publish_home
from bot.slack.inbound.payload_schema import Payload
from bot.wording.offers import taken_sentence
from core.offers.table import take_offer
from core.offers.targets import target_meant


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    def offer_clicked(ack: Ack, parsed: Payload) -> None:
        click, offer = payloads.click(parsed), payloads.offer(parsed)
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            target = target_meant(session, offer.about, click.subject, policy)
            began = take_offer(session, offer.kind, target, offer.choice, click.person, services.clock(), policy)
        ack()
        said = taken_sentence(offer.kind, began, offer.choice)
        if parsed.is_from_home:
            after_ack.run(publish_home, services, click.person, said)
        else:
            after_ack.tell(parsed.response_url, Message(said))

    app.action(re.compile("^offer:"))(offer_clicked)
