"""Clicks about a review item: votes, forms, undo. Votes are handed to the collector, which casts many in one
transaction; a request is answered when its vote is committed (requests.py). Replies to the person are sent after the
acknowledgement, which they must not delay."""

import re
from collections.abc import Callable
from dataclasses import dataclass
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
    voting, reading = _Voting(services, after_ack, votes), _Reading(services, after_ack)
    app.take_votes({"button": voting.vote_clicked, "undo": voting.undo_clicked, "form": voting.form_submitted})
    app.action(re.compile("^form:"))(reading.form_clicked)
    app.action("how_decided")(reading.history_clicked)
    app.action("read_all")(reading.text_clicked)
    app.options("label")(reading.suggest_labels)


@dataclass(frozen=True)
class _Voting:
    """Listeners that record an answer. Each vote is handed to the collector, with what follows its receipt or its
    refusal."""

    services: Services
    after_ack: AfterAck
    votes: VoteCollector

    def vote_clicked(self, parsed: Payload) -> Pending:
        click = payloads.vote_click(parsed)
        receipt = self.votes.cast(click.item, click.person, click.answer)
        return Pending(
            receipt, partial(self._voted, parsed, click.person), partial(self._refused, parsed, click.person)
        )

    def undo_clicked(self, parsed: Payload) -> Pending:
        click = payloads.click(parsed)
        undoing = NewAnswer(AnswerKind.WITHDRAWN, click.clicked_at)
        receipt = self.votes.cast(click.subject, click.person, undoing)
        return Pending(
            receipt, partial(self._undone, parsed, click.person), partial(self._refused, parsed, click.person)
        )

    def form_submitted(self, parsed: Payload) -> Pending:
        sent = payloads.form_submission(parsed)
        return Pending(self.votes.cast(sent.item, sent.person, sent.answer), partial(self._sent_form, parsed, sent))

    def _voted(self, parsed: Payload, person: str, receipt: Receipt) -> None:
        message = receipts.render(receipt)
        if not receipt.repeated:
            self.after_ack.tell(parsed.response_url, message)
        if parsed.is_from_home:
            self._show_home(person, message.text)

    def _undone(self, parsed: Payload, person: str, receipt: Receipt) -> None:
        message = receipts.render(receipt)
        is_in_list = payloads.is_in_list(parsed)
        if not receipt.repeated and not is_in_list:
            self.after_ack.tell(parsed.response_url, message)
        if parsed.is_from_home or is_in_list:
            self._show_list(parsed, person, message.text)

    def _sent_form(self, parsed: Payload, sent: Vote, receipt: Receipt) -> None:
        message = receipts.render(receipt)
        if not receipt.repeated and parsed.response_url:
            self.after_ack.tell(parsed.response_url, message)
        elif not receipt.repeated:
            self.after_ack.run(tell_in_channel, self.services, sent.item.id, sent.person, message)
        if receipt.adjudicated:  # perhaps from the Home tab, where it is still listed
            self._show_home(sent.person, message.text)

    def _refused(self, parsed: Payload, person: str, message: Message) -> None:
        """Send the refusal. A list with the button is drawn again, since it may be out of date. On the Home tab, a
        modal has shown the refusal already."""
        if parsed.is_from_home:
            self._show_home(person)
        elif payloads.is_in_list(parsed):
            self._show_list(parsed, person, message.text)
        else:
            self.after_ack.tell(parsed.response_url, message)

    def _show_home(self, person: str, said: str = "") -> None:
        self.after_ack.run(publish_home, self.services, person, said)

    def _show_list(self, parsed: Payload, person: str, said: str) -> None:
        self.after_ack.run(show_my_work, self.services, self.after_ack.tell, person, parsed, said)


@dataclass(frozen=True)
class _Reading:
    """Listeners that show something of an item: the form for an answer, how the item was decided, its whole text."""

    services: Services
    after_ack: AfterAck

    def form_clicked(self, ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        self.after_ack.run(self._open_form, click, parsed.response_url)

    def _open_form(self, click: Click, response_url: str) -> None:
        def draw() -> View:
            with self.services.database.reading() as session:
                policy = self.services.in_force.read(session)
                card = form_card(session, item_meant(session, click.subject), click.person, policy)
            gone = f"Item {click.subject.id} is already decided."
            return forms.answer_form(card, click.clicked_at) if card else forms.sentence("Too late", gone)

        self._show(draw, click, response_url)

    def history_clicked(self, ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        self.after_ack.run(self._show_history, click, parsed.response_url)

    def _show_history(self, click: Click, response_url: str) -> None:
        def draw() -> View:
            require_colleague(self.services, click.person, "see how this was decided")
            with self.services.database.reading() as session:
                policy = self.services.in_force.read(session)
                story = item_history(session, item_meant(session, click.subject), click.person, policy)
            return forms.how_decided(click.subject.id, story)

        self._show(draw, click, response_url)

    def text_clicked(self, ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        self.after_ack.run(self._show_text, click, parsed.response_url)

    def _show_text(self, click: Click, response_url: str) -> None:
        def draw() -> View:
            require_colleague(self.services, click.person, "read this")
            with self.services.database.reading() as session:
                policy = self.services.in_force.read(session)
                text = item_card(session, item_meant(session, click.subject), policy).text
            return forms.whole_text(click.subject.id, text)

        self._show(draw, click, response_url)

    def _show(self, draw: Callable[[], View], click: Click, response_url: str) -> None:
        drawn = forms.for_those_who_may(draw)
        show_view(self.services.slack, self.after_ack.tell, click.trigger_id, drawn, response_url)

    def suggest_labels(self, ack: Ack, parsed: Payload) -> None:
        item, typed = payloads.suggestion(parsed)
        with self.services.database.reading() as session:
            policy = self.services.in_force.read(session)
            labels = labels_for(session, item_meant(session, item), payloads.person(parsed), policy)
        ack(options=forms.matching_labels(labels, typed))
