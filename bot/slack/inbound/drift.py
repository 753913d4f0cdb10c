"""The buttons of an alarm's card: its items, a training run, how a label is added."""

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message, View
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Click
from bot.slack.inbound.replies import show_view
from bot.slack.views import drift, forms
from core.errors import Refusal
from core.intake.drift_card import alarm_examples, led_alarm
from core.learning.lifecycle.runs import request_run
from core.records.queues import Queue
from core.vocabulary import Trigger


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    in_force = services.in_force.read

    def items_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(open_items, click, parsed.response_url)

    def open_items(click: Click, response_url: str) -> None:
        def draw() -> View:
            with services.database.reading() as session:
                found = alarm_examples(session, click.subject, click.person, in_force(session))
            return drift.items(*found, services.workspace)

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def label_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(open_label, click, parsed.response_url)

    def open_label(click: Click, response_url: str) -> None:
        def draw() -> View:
            with services.database.reading() as session:
                card, _items = alarm_examples(session, click.subject, click.person, in_force(session))
            return drift.new_label(card)

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def retrain_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            policy = in_force(session)
            alarm = led_alarm(session, click.subject, click.person, "retrain", policy)
            queue = session.get_one(Queue, alarm.queue_id)
            rules = policy.queue(queue.name)
            run_id = request_run(session, queue, Trigger.COMMAND, click.person, services.clock(), rules)
        if run_id is None:
            raise Refusal(f"A training run of {rules.shown_title} is already waiting.")
        ack()
        said = f"Training run {run_id} is on its way. Its report will appear in the leads' channel."
        after_ack.tell(parsed.response_url, Message(said))

    app.action("drift_items")(items_clicked)
    app.action("drift_new_label")(label_clicked)
    app.action("drift_retrain")(retrain_clicked)
