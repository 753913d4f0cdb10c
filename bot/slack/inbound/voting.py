"""Clicks about a review item: votes, forms, undo. Votes are handed to the collector, which casts many in one
transaction; their requests are answered when it is committed (requests.py). The replies are handed over; they must not
delay the acknowledgement.
"""

import re
from functools import partial

from slack_bolt import Ack

from bot.runtime.services import Services
from bot.slack.blocks import Message, View
from bot.slack.directory.colleagues import require_colleague
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import publish_home, show_my_work
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Click, Vote
from bot.slack.inbound.pending import Pending
from bot.slack.inbound.replies import show_view, tell_in_channel
from bot.slack.inbound.requests import TimedApp
from bot.slack.inbound.vote_collector import VoteCollector
from bot.slack.views import forms, receipts
from core.review.cards import form_card, item_card, labels_for
from core.review.history import item_history
from core.review.items import item_meant
from core.review.votes import NewAnswer, Receipt
from core.vocabulary import AnswerKind


def register(app: TimedApp, services: Services, after_ack: AfterAck, votes: VoteCollector) -> None:
    in_force = services.in_force.read

    def vote_clicked(parsed: Payload) -> Pending:
        click = payloads.vote_click(parsed)
        receipt = votes.cast(click.item, click.person, click.said)
        return Pending(receipt, partial(voted, parsed, click.person), partial(refused, parsed, click.person))

    def voted(parsed: Payload, person: str, receipt: Receipt) -> None:
        said = receipts.render(receipt)
        if not receipt.repeated:
            after_ack.tell(parsed.response_url, said)
        if parsed.is_from_home:
            after_ack.run(publish_home, services, person, said.text)

    def undo_clicked(parsed: Payload) -> Pending:
        click = payloads.click(parsed)
        undoing = NewAnswer(AnswerKind.WITHDRAWN, click.clicked_at)
        receipt = votes.cast(click.subject, click.person, undoing)
        return Pending(receipt, partial(undone, parsed, click.person), partial(refused, parsed, click.person))

    def undone(parsed: Payload, person: str, receipt: Receipt) -> None:
        said = receipts.render(receipt)
        is_in_list = payloads.is_in_list(parsed)
        if not receipt.repeated and not is_in_list:
            after_ack.tell(parsed.response_url, said)
        if parsed.is_from_home or is_in_list:
            after_ack.run(show_my_work, services, after_ack.tell, person, parsed, said.text)

    def refused(parsed: Payload, person: str, told: Message) -> None:
        """A list with the button is drawn again: it may show what is no longer so. On the Home tab, a modal has said
        why."""
        if parsed.is_from_home:
            after_ack.run(publish_home, services, person)
        elif payloads.is_in_list(parsed):
            after_ack.run(show_my_work, services, after_ack.tell, person, parsed, told.text)
        else:
            after_ack.tell(parsed.response_url, told)

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

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def form_submitted(parsed: Payload) -> Pending:
        sent = payloads.form_submission(parsed)
        return Pending(votes.cast(sent.item, sent.person, sent.said), partial(sent_form, parsed, sent))

    def sent_form(parsed: Payload, sent: Vote, receipt: Receipt) -> None:
        said = receipts.render(receipt)
        if not receipt.repeated and parsed.response_url:
            after_ack.tell(parsed.response_url, said)
        elif not receipt.repeated:
            after_ack.run(tell_in_channel, services, sent.item.id, sent.person, said)
        if receipt.adjudicated:  # perhaps from the Home tab, where it is still listed
            after_ack.run(publish_home, services, sent.person, said.text)

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

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

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

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def suggest_labels(ack: Ack, parsed: Payload) -> None:
        item, typed = payloads.suggestion(parsed)
        with services.database.reading() as session:
            labels = labels_for(session, item_meant(session, item), payloads.person(parsed), in_force(session))
        ack(options=forms.matching_labels(labels, typed))

    app.take_votes({"button": vote_clicked, "undo": undo_clicked, "form": form_submitted})
    app.action(re.compile("^form:"))(form_clicked)
    app.action("how_decided")(history_clicked)
    app.action("read_all")(text_clicked)
    app.options("label")(suggest_labels)
