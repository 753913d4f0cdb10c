"""Leads' reactions to a candidate's report, and the button that overrules the gate."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from bot.slack.blocks import Message, View
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import publish_home
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Click, Reaction
from bot.slack.inbound.replies import show_view
from bot.slack.views import forms
from core.delivery import notices, outbox
from core.errors import DatabaseUnavailable, NotAllowed, Outdated, Refusal
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.decisions import (
    approve,
    candidate_meant,
    overrule,
    reject,
    require_overruler,
    withdraw_approval,
)
from core.learning.lifecycle.late_withdrawal import tell_stays_live
from core.storage.database import Database
from core.vocabulary import Card, NoticeKind


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    decisions = _Decisions(services, after_ack)
    app.action("promote")(decisions.promote_clicked)
    app.action("reject")(decisions.reject_clicked)
    app.action("take_back")(decisions.take_back_clicked)
    app.event("reaction_added")(decisions.reacted)
    app.event("reaction_removed")(decisions.unreacted)
    app.action("overrule")(decisions.overrule_clicked)
    app.view("overrule_form")(decisions.overrule_submitted)


@dataclass(frozen=True)
class _Decisions:
    services: Services
    after_ack: AfterAck

    def reacted(self, parsed: Payload) -> None:
        reaction = payloads.reaction(parsed)
        if not (reaction.approves or reaction.rejects):
            return
        now = self.services.clock()
        try:
            with self.services.database.transaction() as session:
                _decide(session, reaction, now, self.services)
        except DatabaseUnavailable:
            raise  # not acknowledged: Slack delivers the event again
        except Refusal as refusal:
            _tell_once(self.services.database, reaction, refusal, now)

    def unreacted(self, parsed: Payload) -> None:
        reaction = payloads.reaction(parsed)
        if not reaction.approves:
            return
        services = self.services
        with suppress(Outdated), services.database.transaction() as session:  # ignored if it was added again since
            _withdraw(session, reaction, services.clock(), services)

    def overrule_clicked(self, ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        self.after_ack.run(self._open_overrule_form, click, parsed.response_url)

    def _open_overrule_form(self, click: Click, response_url: str) -> None:
        def draw() -> View:
            with self.services.database.reading() as session:
                policy = self.services.in_force.read(session)
                require_overruler(session, click.subject, click.person, policy)
                card = candidate_card(session, click.subject.id, policy)
            return forms.overrule_form(card)

        view = forms.for_those_who_may(draw)
        show_view(self.services.slack, self.after_ack.tell, click.trigger_id, view, response_url)

    def overrule_submitted(self, ack: Ack, parsed: Payload) -> None:
        said, services = payloads.overrule_submission(parsed), self.services
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            overrule(session, said.model, said.seen, said.person, said.reason, services.clock(), policy)
        ack()
        self.after_ack.tell(parsed.response_url, Message("It's live now."))
        self.after_ack.run(publish_home, services, said.person)  # where it is perhaps still listed

    def promote_clicked(self, ack: Ack, parsed: Payload) -> None:
        click, services = payloads.click(parsed), self.services
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            model_id, name = candidate_meant(session, click.subject, payloads.seen(click), click.person, policy)
            is_live = approve(session, model_id, click.person, click.clicked_at, services.clock(), policy)
        ack()
        noted = f"Your yes to {name} is noted. It goes live when enough leads have said yes."
        self._show_home(click, f"{name} is live now." if is_live else noted)

    def reject_clicked(self, ack: Ack, parsed: Payload) -> None:
        click, services = payloads.click(parsed), self.services
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            model_id, name = candidate_meant(session, click.subject, payloads.seen(click), click.person, policy)
            reject(session, model_id, click.person, services.clock(), policy)
        ack()
        self._show_home(click, f"{name} is rejected.")

    def take_back_clicked(self, ack: Ack, parsed: Payload) -> None:
        click, services = payloads.click(parsed), self.services
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            model_id, name = candidate_meant(session, click.subject, payloads.seen(click), click.person, policy)
            withdraw_approval(session, model_id, click.person, click.clicked_at, services.clock())
        ack()
        self._show_home(click, f"Your yes to {name} is taken back.")

    def _show_home(self, click: Click, said: str) -> None:
        self.after_ack.run(publish_home, self.services, click.person, said)


def _decide(session: Session, reaction: Reaction, now: datetime, services: Services) -> None:
    model_id = outbox.subject_at(session, reaction.channel, reaction.ts, Card.CANDIDATE)
    if model_id is None:
        return  # a reaction to any other message is none of our business
    if reaction.approves:
        approve(session, model_id, reaction.person, reaction.at, now, services.in_force.read(session))
    else:
        reject(session, model_id, reaction.person, now, services.in_force.read(session))


def _withdraw(session: Session, reaction: Reaction, now: datetime, services: Services) -> None:
    model_id = outbox.subject_at(session, reaction.channel, reaction.ts, Card.CANDIDATE)
    if model_id is None:
        return
    withdraw_approval(session, model_id, reaction.person, reaction.at, now)
    tell_stays_live(
        session, model_id, reaction.person, reaction.at, reaction.channel, now, services.in_force.read(session)
    )


def _short(words: str) -> str:
    return sha256(words.encode()).hexdigest()[:12]


def _tell_once(database: Database, reaction: Reaction, refusal: Refusal, now: datetime) -> None:
    """Answer a refused reaction. A reaction has no `response_url`, so the sentence goes through the outbox, once per
    card and person, so that emoji cannot be used to make noise. An old reaction that arrives late is ignored."""
    if isinstance(refusal, Outdated):
        return
    kind = NoticeKind.NOT_A_LEAD if isinstance(refusal, NotAllowed) else NoticeKind.REACTION_REFUSED
    key = f"{kind}:{reaction.channel}:{reaction.ts}:{reaction.person}:{_short(str(refusal))}"
    values = {"sentence": str(refusal), "ask": refusal.ask if isinstance(refusal, NotAllowed) else ()}
    with database.transaction() as session:
        notices.notify(session, kind, key, reaction.channel, reaction.person, values, now)
