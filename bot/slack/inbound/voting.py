"""Clicks about a review item: votes, forms, undo. Each listener parses, calls one verb in one transaction,
acknowledges, and hands over the replies, which must not delay the acknowledgement.
"""

import re

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import View
from bot.slack.directory.colleagues import require_colleague
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import publish_home, show_my_work
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Click
from bot.slack.inbound.replies import show_view, tell, tell_after_form
from bot.slack.views import forms, receipts
from core.records.reviews import ReviewItem
from core.review.cards import form_card, item_card, labels_for
from core.review.history import item_history
from core.review.items import item_meant
from core.review.votes import cast_vote, withdraw_vote


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    in_force = services.in_force.read

    def vote_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.vote_click(parsed)
        with services.database.transaction() as session:
            receipt = cast_vote(session, click.item, click.person, click.said, services.clock(), in_force(session))
        ack()
        if not receipt.repeated:
            after_ack.run(tell, parsed.response_url, receipts.render(receipt))
        if parsed.is_from_home:
            after_ack.run(publish_home, services, click.person, receipts.render(receipt).text)

    def undo_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            receipt = withdraw_vote(
                session, click.subject, click.person, click.clicked_at, services.clock(), in_force(session)
            )
        ack()
        said = receipts.render(receipt)
        if not receipt.repeated and not payloads.is_in_list(parsed):
            after_ack.run(tell, parsed.response_url, said)
        after_ack.run(show_my_work, services, click.person, parsed, said.text)

    def form_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(open_form, click, parsed.response_url)

    def open_form(click: Click, response_url: str) -> None:
        def draw() -> View:
            with services.database.reading() as session:
                card = form_card(session, item_meant(session, click.subject), click.person, in_force(session))
            gone = f"Item {click.subject.id} is already decided."
            return forms.answer_form(card, click.clicked_at) if card else forms.sentence("Too late", gone)

        show_view(services.slack, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def form_submitted(ack: Ack, parsed: Payload) -> None:
        now = services.clock()
        submission = payloads.form_submission(parsed)
        with services.database.transaction() as session:
            receipt = cast_vote(session, submission.item, submission.person, submission.said, now, in_force(session))
            channel = session.get_one(ReviewItem, submission.item.id).queue.channel
        ack()
        if not receipt.repeated:
            said = receipts.render(receipt)
            after_ack.run(tell_after_form, parsed.response_url, said, services.slack, channel, submission.person)
        if receipt.adjudicated:  # perhaps from the Home tab, where it is still listed
            after_ack.run(publish_home, services, submission.person)

    def history_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(show_history, click, parsed.response_url)

    def show_history(click: Click, response_url: str) -> None:
        def draw() -> View:
            require_colleague(services, click.person, "see how this was decided")
            with services.database.reading() as session:
                story = item_history(session, item_meant(session, click.subject), click.person, in_force(session))
            return forms.how_decided(click.subject.id, story)

        show_view(services.slack, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def text_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(show_text, click, parsed.response_url)

    def show_text(click: Click, response_url: str) -> None:
        def draw() -> View:
            require_colleague(services, click.person, "read this")
            with services.database.reading() as session:
                text = item_card(session, item_meant(session, click.subject), in_force(session)).text
            return forms.whole_text(click.subject.id, text)

        show_view(services.slack, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def suggest_labels(ack: Ack, parsed: Payload) -> None:
        item, typed = payloads.suggestion(parsed)
        with services.database.reading() as session:
            labels = labels_for(session, item_meant(session, item), payloads.person(parsed), in_force(session))
        ack(options=forms.matching_labels(labels, typed))

    app.action(re.compile("^vote:"))(vote_clicked)
    app.action("undo")(undo_clicked)
    app.action(re.compile("^form:"))(form_clicked)
    app.view("answer_form")(form_submitted)
    app.action("how_decided")(history_clicked)
    app.action("read_all")(text_clicked)
    app.options("label")(suggest_labels)
