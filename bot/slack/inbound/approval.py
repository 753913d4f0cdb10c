"""Leads' reactions to a candidate's report, and the button that overrules the gate."""

from contextlib import suppress
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
    def reacted(parsed: Payload) -> None:
        reaction = payloads.reaction(parsed)
        if not (reaction.approves or reaction.rejects):
            return
        now = services.clock()
        try:
            with services.database.transaction() as session:
                _decide(session, reaction, now, services)
        except DatabaseUnavailable:
            raise  # not acknowledged: Slack delivers the event again
        except Refusal as refusal:
            _tell_once(services.database, reaction, refusal, now)

    def unreacted(parsed: Payload) -> None:
        reaction = payloads.reaction(parsed)
        if not reaction.approves:
            return
        with suppress(Outdated), services.database.transaction() as session:  # ignored if it was added again since
            _withdraw(session, reaction, services.clock(), services)

    def overrule_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        ack()
        after_ack.run(open_overrule_form, click, parsed.response_url)

    def open_overrule_form(click: Click, response_url: str) -> None:
        def draw() -> View:
            with services.database.reading() as session:
                policy = services.in_force.read(session)
                require_overruler(session, click.subject, click.person, policy)
                card = candidate_card(session, click.subject.id, policy)
            return forms.overrule_form(card)

        show_view(services.slack, after_ack.tell, click.trigger_id, forms.for_those_who_may(draw), response_url)

    def overrule_submitted(ack: Ack, parsed: Payload) -> None:
        said = payloads.overrule_submission(parsed)
        with services.database.transaction() as session:
            policy = services.in_force.read(session)
            overrule(session, said.model, said.seen, said.person, said.reason, services.clock(), policy)
        ack()
        after_ack.tell(parsed.response_url, Message("It's live now."))
        after_ack.run(publish_home, services, said.person)  # where it is perhaps still listed

    def meant(session: Session, click: Click) -> tuple[int, str]:
        return candidate_meant(
            session, click.subject, payloads.seen(click), click.person, services.in_force.read(session)
        )

    def promote_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            model_id, name = meant(session, click)
            is_live = approve(
                session, model_id, click.person, click.clicked_at, services.clock(), services.in_force.read(session)
            )
        ack()
        noted = f"Your yes to {name} is noted. It goes live when enough leads have said yes."
        said = f"{name} is live now." if is_live else noted
        after_ack.run(publish_home, services, click.person, said)

    def reject_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            model_id, name = meant(session, click)
            reject(session, model_id, click.person, services.clock(), services.in_force.read(session))
        ack()
        after_ack.run(publish_home, services, click.person, f"{name} is rejected.")

    def take_back_clicked(ack: Ack, parsed: Payload) -> None:
        click = payloads.click(parsed)
        with services.database.transaction() as session:
            model_id, name = meant(session, click)
            withdraw_approval(session, model_id, click.person, click.clicked_at, services.clock())
        ack()
        after_ack.run(publish_home, services, click.person, f"Your yes to {name} is taken back.")

    app.action("promote")(promote_clicked)
    app.action("reject")(reject_clicked)
    app.action("take_back")(take_back_clicked)
    app.event("reaction_added")(reacted)
    app.event("reaction_removed")(unreacted)
    app.action("overrule")(overrule_clicked)
    app.view("overrule_form")(overrule_submitted)


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
    """Reactions bring no address for an answer: the sentence goes through the outbox, once per card and person, so that
    emoji cannot be used to make noise. An old reaction that arrives late is ignored."""
    if isinstance(refusal, Outdated):
        return
    kind = NoticeKind.NOT_A_LEAD if isinstance(refusal, NotAllowed) else NoticeKind.REACTION_REFUSED
    key = f"{kind}:{reaction.channel}:{reaction.ts}:{reaction.person}:{_short(str(refusal))}"
    values = {"sentence": str(refusal), "ask": refusal.ask if isinstance(refusal, NotAllowed) else ()}
    with database.transaction() as session:
        notices.notify(session, kind, key, reaction.channel, reaction.person, values, now)
