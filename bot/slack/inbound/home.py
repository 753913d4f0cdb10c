"""The Home tab: drawn when a person opens it, and again after each of their actions there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

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
from core.policy import Policy, QueuePolicy
from core.review.lead_work import LeadWork, lead_work
from core.review.my_work import MyWorkCard, my_work_card
from core.review.stats import QueueLine, StatsCard, queue_line, stats_card
from core.vocabulary import Role

MOST_QUEUES = 5  # whose statistics fit into one answer


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


@dataclass(frozen=True)
class Home:
    """The content of a person's Home tab. led: what waits for them as a lead; None: they lead no queue. weak: the
    slices in which the models of their queues are weak."""

    mine: MyWorkCard
    queues: Sequence[QueueLine]
    led: LeadWork | None
    weak: Sequence[OfferedSlice]


def load_home(services: Services, person: str) -> Home:
    """The content for the queues in which the person reviews or leads, read in one transaction."""
    with services.database.reading() as session:
        policy, now, theirs = services.in_force.read(session), services.clock(), queues_of(session, person)
        led = lead_work(session, person, policy) if theirs[Role.LEAD] else None
        weak = led_slices(session, person, policy, now) if led is not None else []
        return Home(
            mine=my_work_card(session, person, _among(policy, theirs[Role.REVIEWER]), now, policy),
            queues=[queue_line(session, queue, now) for queue in _among(policy, chain(*theirs.values()))],
            led=led,
            weak=offered_slices(session, weak, policy, now),
        )


def load_my_work(services: Services, person: str) -> MyWorkCard:
    with services.database.reading() as session:
        policy = services.in_force.read(session)
        reviewed = _among(policy, queues_of(session, person)[Role.REVIEWER])
        return my_work_card(session, person, reviewed, services.clock(), policy)


def load_stats(services: Services, person: str, wanted: str | None = None) -> list[StatsCard]:
    """The statistics of the first queues in which the person reviews or leads. wanted: only of the queue of this
    name."""
    with services.database.reading() as session:
        theirs = _among(services.in_force.read(session), chain(*queues_of(session, person).values()))
        shown = [queue for queue in theirs if wanted in (None, queue.name)]
        return [stats_card(session, queue, services.clock()) for queue in shown[:MOST_QUEUES]]


def _among(policy: Policy, names: Iterable[str]) -> list[QueuePolicy]:
    """The policy's queues with these names, in the order of the policy."""
    wanted = set(names)
    return [queue for queue in policy.queues if queue.name in wanted]


def show_my_work(services: Services, tell: Tell, person: str, parsed: Payload, said: str = "") -> None:
    """Draw the person's work again where they clicked: the Home tab, or the answer to `/goldloop mine`, which is
    replaced by the present list with `said` above it. Does nothing if they clicked elsewhere."""
    if parsed.view and parsed.view.type == "home":
        publish_home(services, person, said)
    elif payloads.is_in_list(parsed) and parsed.response_url:
        try:
            drawn = home.render_my_work(load_my_work(services, person), services.workspace, said)
        except DatabaseUnavailable:
            tell(parsed.response_url, Message(said or "Done."))
            return
        tell(parsed.response_url, drawn, in_place=True)


def publish_home(services: Services, person: str, said: str = "") -> None:
    """Draw the person's Home tab. said: the result of their action there, which cannot be shown to them in any other
    way. Does nothing while the database is unavailable: the old tab stays until it is opened again."""
    try:
        found = load_home(services, person)
    except DatabaseUnavailable:
        return
    view = home.render(found.mine, found.queues, services.workspace, found.led, said, found.weak)
    services.slack.views_publish(user_id=person, view=view.body)
