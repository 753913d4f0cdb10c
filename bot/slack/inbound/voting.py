"""Clicks about a review item: votes, forms, undo. Each listener parses, calls one verb in one transaction, and acks.

What only the person may read (receipts, refusals) is noted in `context` and said afterwards by `tell`, a lazy listener,
so that it never delays the acknowledgement.
"""

import re

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from bot.runtime.services import Services
from bot.slack.blocks import View
from bot.slack.directory.colleagues import require_colleague
from bot.slack.inbound import payloads
from bot.slack.inbound.home import publish_home
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.replies import note, show_view, tell
from bot.slack.views import forms, receipts
from core.records.reviews import ReviewItem
from core.review.cards import form_card, item_card, labels_for
from core.review.history import item_history
from core.review.items import item_meant
from core.review.votes import cast_vote, withdraw_vote


def register(app: App, services: Services) -> None:
    def vote_clicked(ack: Ack, parsed: Payload, context: BoltContext) -> None:
        click = payloads.vote_click(parsed)
        with services.database.transaction() as session:
            receipt = cast_vote(session, click.item, click.person, click.said, services.clock(), services.policy)
        ack()
        note(context, receipts.render(receipt))

    def undo_clicked(ack: Ack, parsed: Payload, context: BoltContext) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            receipt = withdraw_vote(
                session, click.subject, click.person, click.clicked_at, services.clock(), services.policy
            )
        ack()
        note(context, receipts.render(receipt))

    def draw_home_again(parsed: Payload, client: WebClient) -> None:
        if parsed.view and parsed.view.type == "home":
            publish_home(services, client, payloads.person(parsed))

    def form_opened(ack: Ack) -> None:
        ack()

    def open_form(parsed: Payload, client: WebClient, respond: Respond) -> None:
        click = payloads.click(parsed)

        def draw() -> View:
            with services.database.reading() as session:
                card = form_card(session, item_meant(session, click.subject), click.person, services.policy)
            gone = f"Item {click.subject.id} is already decided."
            return forms.answer_form(card, click.clicked_at) if card else forms.sentence("Too late", gone)

        show_view(client, click.trigger_id, forms.for_those_who_may(draw), respond)

    def form_submitted(ack: Ack, parsed: Payload, context: BoltContext) -> None:
        now = services.clock()
        submission = payloads.form_submission(parsed)
        with services.database.transaction() as session:
            receipt = cast_vote(session, submission.item, submission.person, submission.said, now, services.policy)
            channel = session.get_one(ReviewItem, submission.item.id).queue.channel
        ack()
        note(context, receipts.render(receipt), channel)

    def show_story(parsed: Payload, client: WebClient, respond: Respond) -> None:
        click = payloads.click(parsed)

        def draw() -> View:
            require_colleague(services, click.person, "see how this was decided")
            with services.database.reading() as session:
                story = item_history(session, item_meant(session, click.subject), click.person, services.policy)
            return forms.how_decided(click.subject.id, story)

        show_view(client, click.trigger_id, forms.for_those_who_may(draw), respond)

    def show_text(parsed: Payload, client: WebClient, respond: Respond) -> None:
        click = payloads.click(parsed)

        def draw() -> View:
            require_colleague(services, click.person, "read this")
            with services.database.reading() as session:
                text = item_card(session, item_meant(session, click.subject), services.policy).text
            return forms.whole_text(click.subject.id, text)

        show_view(client, click.trigger_id, forms.for_those_who_may(draw), respond)

    def suggest_labels(ack: Ack, parsed: Payload) -> None:
        item, typed = payloads.suggestion(parsed)
        with services.database.reading() as session:
            labels = labels_for(session, item_meant(session, item), payloads.person(parsed), services.policy)
        ack(options=forms.matching_labels(labels, typed))

    app.action(re.compile("^vote:"))(ack=vote_clicked, lazy=[tell])
    app.action("undo")(ack=undo_clicked, lazy=[tell, draw_home_again])
    app.action(re.compile("^form:"))(ack=form_opened, lazy=[open_form])
    app.view("answer_form")(ack=form_submitted, lazy=[tell])
    app.action("how_decided")(ack=form_opened, lazy=[show_story])
    app.action("read_all")(ack=form_opened, lazy=[show_text])
    app.options("label")(suggest_labels)
