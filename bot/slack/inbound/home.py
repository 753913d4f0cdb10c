"""The Home tab: drawn when a person opens it, and again after each of their actions there."""

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import Message
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.response_url import Tell
from bot.slack.views import home
from core.errors import DatabaseUnavailable
from core.intake.slice_cards import led_slices
from core.offers.table import OfferedSlice, offered_slices
from core.people.availability import pause, resume
from core.people.members import queues_of
from core.review.lead_work import LeadWork, lead_work
from core.review.my_work import MyWorkCard, my_work_card
from core.review.stats import StatsCard, stats_card
from core.vocabulary import Role


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    def opened(parsed: Payload) -> None:
        person = payloads.home_opened(parsed)
        if person:
            after_ack.run(publish_home, services, person)

    def paused(ack: Ack, parsed: Payload) -> None:
        person = payloads.person(parsed)
        with services.database.transaction() as session:
            pause(session, person, services.clock())
        ack()
        after_ack.run(show_my_work, services, after_ack.tell, person, parsed)

    def resumed(ack: Ack, parsed: Payload) -> None:
        person = payloads.person(parsed)
        with services.database.transaction() as session:
            resume(session, person)
        ack()
        after_ack.run(show_my_work, services, after_ack.tell, person, parsed)

    app.event("app_home_opened")(opened)
    app.action("pause")(paused)
    app.action("resume")(resumed)


def load_my_work(services: Services, person: str) -> MyWorkCard:
    with services.database.reading() as session:
        names = {row.name for row in queues_of(session, person, Role.REVIEWER)}
        policy = services.in_force.read(session)
        queues = [queue for queue in policy.queues if queue.name in names]
        return my_work_card(session, person, queues, services.clock(), policy)


def load_stats(services: Services, person: str) -> list[StatsCard]:
    """The statistics of the queues in which the person reviews or leads, and of no others."""
    with services.database.reading() as session:
        names = {row.name for role in Role for row in queues_of(session, person, role)}
        queues = services.in_force.read(session).queues
        return [stats_card(session, queue, services.clock()) for queue in queues if queue.name in names]


def show_my_work(services: Services, tell: Tell, person: str, parsed: Payload, said: str = "") -> None:
    """After a click in the Home tab, draw it again. After one in the answer to `/goldloop mine`, replace that by the
    list as it is now, under what is `said`. Does nothing where the click was elsewhere."""
    if parsed.view and parsed.view.type == "home":
        publish_home(services, person, said)
    elif payloads.is_in_list(parsed) and parsed.response_url:
        try:
            drawn = home.render_my_work(load_my_work(services, person), services.workspace, said)
        except DatabaseUnavailable:
            tell(parsed.response_url, Message(said or "Done."))
            return
        tell(parsed.response_url, drawn, in_place=True)


def load_lead_work(services: Services, person: str) -> LeadWork | None:
    with services.database.reading() as session:
        return lead_work(session, person, services.in_force.read(session))


def load_led_slices(services: Services, person: str) -> list[OfferedSlice]:
    with services.database.reading() as session:
        policy, now = services.in_force.read(session), services.clock()
        return offered_slices(session, led_slices(session, person, policy, now), policy, now)


def publish_home(services: Services, person: str, said: str = "") -> None:
    """said: what the person's action there has done; no answer but this one can reach them. Does nothing while the
    database is unavailable: the old tab is shown until it is opened again."""
    try:
        mine, led = load_my_work(services, person), load_lead_work(services, person)
        weak = load_led_slices(services, person) if led is not None else []
        view = home.render(mine, load_stats(services, person), services.workspace, led, said, weak)
    except DatabaseUnavailable:
        return
    services.slack.views_publish(user_id=person, view=view.body)
