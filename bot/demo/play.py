"""`goldloop demo`: the whole loop on this machine, without a Slack account."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.demo import past, pictures, place, spoilt, story
from bot.demo.data import LATE_LABELS, Shares, Ticket, expectation, file_tickets, own_tickets, sampled, share_out
from bot.demo.folder import FOLDER, begin, taken_folder
from bot.demo.progress import progress
from bot.demo.simulated import Crowd, texts, ticket_id
from bot.demo.simulated import pictures as pictured
from bot.demo.truth import LiveAnswers, live_answers, truth_rows
from bot.runtime.policy_in_force import reload_policy
from bot.runtime.rate_limits import Budget
from bot.runtime.services import Services, assemble, slack_client
from bot.sandbox.client import Message, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.server.listener import port_problem
from bot.server.policy_watch import watched_policy
from bot.server.run import prepare
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode
from bot.wording.format import PLAIN
from bot.wording.runs import run_problem
from bot.worker.scheduler import worker
from core.errors import Refusal
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction
from core.learning.data.seeds import Seeded, add_seeds, checked_picture_seeds, store_seeds
from core.learning.lifecycle.runs import request_run
from core.policy import QueuePolicy
from core.policy.file import load_policy
from core.queues import queue_named
from core.records.learning import TrainingRun
from core.records.reviews import ReviewItem
from core.storage.database import PATIENT, Database
from core.vocabulary import Coded, ItemState, ModelState, RunState, Trigger

MOST_OPEN = 8  # open cards at once, so that a newcomer is not flooded
CORRECTIONS = 10  # corrections that start a training run in the interactive demo
ACCURACIES = {place.ANA: 0.95, place.BEN: 0.92, place.EVA: 0.90}
STREAM_SECONDS = 0.25  # between two tickets
WATCH_SECONDS, REPORT_SECONDS = 1.0, 5.0  # between two lines about the progress, interactive and automatic
LONGEST_WAIT = 400.0  # seconds to wait for any event; the last retry of an event comes after 361

Found = TypeVar("Found")


@dataclass(frozen=True)
class Options:
    """cards: number of tickets that the automatic demo reviews; Slack's rate limits allow 80 in two minutes. keep: the
    automatic demo stays open after its summary."""

    auto: bool
    seed: int
    spoil: bool
    data: Path | None
    size: int
    cards: int
    port: int
    keep: bool = False
    queue: str = place.QUEUE  # "scans": pictures
    past: bool = False  # begin with three past weeks, with a weak slice and a change
    pace: float = 1.0  # speed as a multiple of Slack's rate limits, for tests; above 1, the workspace has no limits

    @property
    def subject(self) -> place.Subject:
        if self.has_pictures:
            return place.own_pictures(self.data) if self.data else place.DIGITS
        return place.own_texts(self.data) if self.data else place.TICKETS

    @property
    def has_pictures(self) -> bool:
        return self.queue == place.SCANS or (self.data is not None and pictures.holds_pictures(self.data))


@dataclass
class Stage:
    """A running demo."""

    options: Options
    console: Console
    services: Services
    box: SandboxClient
    url: str
    shares: Shares
    stop: threading.Event
    started: float = field(default_factory=time.monotonic)

    @property
    def queue(self) -> QueuePolicy:
        return self.services.policy.queues[0]

    def say(self, words: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self.started:5.0f} s[/]  {words}", highlight=False)

    def count(self, *states: ItemState) -> int:
        with self.services.database.reading() as session:
            found = select(func.count()).select_from(ReviewItem).where(ReviewItem.state.in_(states))
            return session.scalar(found) or 0


def play(options: Options, console: Console, stop: threading.Event | None = None) -> None:
    """Start everything, train a first model, then wait for people or let simulated ones act. stop: ends a demo that
    waits, as Ctrl-C does."""
    rng = np.random.default_rng(options.seed)
    tickets = _tickets(options, rng)
    shares = share_out(tickets, LATE_LABELS if options.subject is place.TICKETS else (), rng)
    with staged(options, console, shares, stop) as stage:
        if options.subject is not place.TICKETS:
            stage.say(expectation(tickets, options.size, options.subject.one))
        with _progress_shown(stage):
            first_model(stage)
        if options.auto:
            with _progress_shown(stage):
                answers = _play_itself(stage, rng)
            _summarise(stage, answers)
        else:
            if options.past:
                _plant_past(stage, rng)
            _let_people_play(stage)


def _plant_past(stage: Stage, rng: np.random.Generator) -> None:
    answers = past.plant(stage.services, stage.shares, rng)
    stage.say(f"Stored {answers.rows:,} tickets of three past weeks")
    for name, words in truth_rows(answers):
        stage.say(f"{name}: {words}" if name else words)
    stage.say(
        "As Cleo, see the alarm in #support-leads, goldloop's Home tab, and what /goldloop slices, stats, budget and "
        "promise say"
    )


def _tickets(options: Options, rng: np.random.Generator) -> list[Ticket]:
    """The demo's tickets. Raises Refusal if the options conflict, and Invalid if there are too few tickets."""
    if options.past and (options.auto or options.subject is not place.TICKETS):
        raise Refusal("--past is for the demo's own tickets and for people. Run it without --auto, --data and --queue.")
    if options.has_pictures:
        if options.spoil:
            raise Refusal("--spoil swaps the labels of texts. Run it without --queue scans.")
        found = pictures.own_pictures(options.data, options.size) if options.data else pictures.digits()
        return sampled(found, options.size, rng)
    return file_tickets(options.data, options.size, rng) if options.data else own_tickets()


@contextmanager
def staged(
    options: Options, console: Console, shares: Shares, stop: threading.Event | None = None
) -> Iterator[Stage]:  # fmt: skip
    """Start the workspace and Goldloop. Raises Refusal if another demo runs in the folder, or if the port is taken;
    then nothing is deleted."""
    rules = place.Rules(corrections=0 if options.auto or options.past else CORRECTIONS)
    if options.past:
        rules = replace(rules, budget=past.BUDGET, promise=past.PROMISE)
    config = replace(place.workspace(options.subject, options.auto), rates=options.pace <= 1)
    app = config.apps[0]
    with ExitStack() as stack:
        folder = stack.enter_context(taken_folder())
        url = _served(stack, config, options.port)
        begin(folder, url)
        file = place.write_policy(folder, shares.labels, rules, options.subject)
        policy = load_policy(file)
        box = stack.enter_context(SandboxClient(url))
        database = Database(f"sqlite:///{folder / 'goldloop.sqlite'}")
        stack.callback(database.close)
        budget = Budget(lambda: time.monotonic() * options.pace)
        services = assemble(database, slack_client(app.bot_token, f"{url}/api/"), policy, budget, spoilt.LEARNERS)
        prepare(services, file)
        stack.enter_context(watched_policy(services, file, "the demo", works=True))
        slack = stack.enter_context(closing(build_app(services)))
        stack.enter_context(socket_mode(slack, app.app_token))
        stack.enter_context(worker(services))
        _fill_helpdesk(box, shares.helpdesk)
        yield Stage(options, console, services, box, url, shares, stop or threading.Event())


def _served(stack: ExitStack, config: SandboxConfig, port: int) -> str:
    try:
        return stack.enter_context(serve(config, port=port))
    except OSError as error:
        raise Refusal(f"{port_problem(port, error, '--port')} With --port 0, any free port is used.") from error


def _fill_helpdesk(box: SandboxClient, messages: Sequence[Ticket]) -> None:
    for number, message in enumerate(message for message in messages if message.text):
        box.person(place.EVERYONE[-1 - number % len(place.EVERYONE)]).post(place.HELPDESK, message.text)


def _spoil(stage: Stage) -> None:
    """Select the learner with swapped labels as an operator would: change the policy file, and reload it."""
    stage.say("--spoil: the policy now names a learner that swaps two labels in its training rows")
    rules, services = place.Rules(corrections=0, learner=spoilt.NAME), stage.services
    file = place.write_policy(FOLDER, stage.shares.labels, rules, stage.options.subject)
    reload_policy(services.database, file, "the demo", services.clock(), services.extra_learners)


def first_model(stage: Stage) -> None:
    """Import seed rows, train, and let Cleo approve: not even the first model goes live without approval."""
    with stage.services.database.transaction(wait=PATIENT) as session:
        stored = _seeded(session, stage)
        queue = queue_named(session, stage.queue.name)
        request_run(session, queue, Trigger.COMMAND, None, stage.services.clock(), stage.queue)
    labels = len(stage.shares.labels)
    one = stage.options.subject.one
    stage.say(f"Imported {stored.training} labelled {one}s and {stored.golden} golden ones with {labels} labels")
    lead = stage.box.person(place.CLEO)
    report = _wait(stage, lambda: report_to_approve(stage, "v1"), "the first model's report")
    lead.react(report, "white_check_mark")
    _wait(stage, lambda: stage.services.serving.live(stage.queue), "the first model to go live")
    stage.say("Cleo approved the first model: v1 is live")


def _seeded(session: Session, stage: Stage) -> Seeded:
    seed, now = stage.shares.seed, stage.services.clock()
    if not stage.options.has_pictures:
        return add_seeds(session, [(ticket.text, ticket.label or "") for ticket in seed], now, stage.queue)
    pairs = [(ticket.picture, ticket.label or "") for ticket in seed if ticket.picture is not None]
    checked = checked_picture_seeds(pairs, stage.queue)
    return store_seeds(session, checked, now, stage.queue, [picture for picture, _label in pairs])


def stream(stage: Stage, most_open: int, most_flagged: int | None) -> None:
    """Send new tickets to the live model one by one; those with a low confidence become cards."""
    for number, ticket in enumerate(stage.shares.stream, 1):
        while stage.count(ItemState.OPEN, ItemState.DISPUTED) >= most_open:
            if stage.stop.wait(0.5):
                return
        if stage.stop.wait(STREAM_SECONDS / stage.options.pace):
            return
        if most_flagged is not None and stage.count(*ItemState) >= most_flagged:
            return
        arrives(stage, number, ticket)


def arrives(stage: Stage, number: int, ticket: Ticket) -> None:
    live = stage.services.serving.live(stage.queue)
    assert live is not None
    fields = {stage.options.subject.name: f"#{1000 + number}"} | (
        {"Language": ticket.language} if ticket.language else {}
    )
    seen = ticket.input
    asked = NewPrediction(ticket_id(number), live.name, seen.text, seen.image_url, fields)
    prediction = asked.answered(live.name, live.answers([seen])[0])
    sent = [ticket.picture] if ticket.picture is not None else []
    with stage.services.database.transaction(wait=PATIENT) as session:
        record_predictions(session, [prediction], stage.services.clock(), stage.queue, sent)


def _when_trained(stage: Stage) -> str:
    corrections = stage.queue.retraining.corrections
    return (
        f"After {corrections} corrections a new model is trained."
        if corrections
        else "A new model is trained when Cleo asks for it."
    )


def _let_people_play(stage: Stage) -> None:
    stage.console.print(
        f"\n  Open [bold]{stage.url}[/] to review as Ana, Ben or Eva and to decide as Cleo. "
        f"{_when_trained(stage)}\n  #helpdesk has messages that anyone may flag for "
        "review.\n  Press Ctrl-C to end the demo.\n"
    )
    streamer = threading.Thread(target=stream, args=(stage, MOST_OPEN, None), daemon=True)
    streamer.start()
    try:
        _watch(stage, stage.stop, WATCH_SECONDS)
    finally:
        stage.stop.set()
        streamer.join()


@contextmanager
def _progress_shown(stage: Stage) -> Iterator[None]:
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(stage, stop, REPORT_SECONDS / stage.options.pace), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(stage: Stage, stop: threading.Event, seconds: float) -> None:
    """Print the progress if it has changed, at most once in so many seconds."""
    last = ""
    while not stop.wait(seconds):
        with stage.services.database.reading() as session:
            now = progress(session, stage.services.serving.live(stage.queue))
        if now != last:
            stage.say(now)
            last = now


def _play_itself(stage: Stage, rng: np.random.Generator) -> LiveAnswers:
    """Play the automatic demo. Returns the first model's answers at the time when all items about them were settled."""
    stage.say(f"Watch at {stage.url}")
    truth = pictured(stage.shares.stream) if stage.options.has_pictures else texts(stage.shares.stream)
    pace = stage.options.pace
    crowd = Crowd(stage.box, truth, stage.shares.labels, ACCURACIES, rng, stage.say, pace)
    thread = threading.Thread(target=crowd.run, daemon=True)
    thread.start()
    one = stage.options.subject.one
    try:
        stream(stage, stage.options.cards, stage.options.cards)
        stage.say(f"{stage.count(*ItemState)} {one}s flagged; waiting for the reviewers")
        _wait(stage, lambda: not stage.count(ItemState.OPEN, ItemState.DISPUTED), "all items to be settled")
        answers = _answers(stage)
        stage.say(f"All {one}s are settled; Cleo requests a new model")
        if stage.options.spoil:
            _spoil(stage)
        crowd.waiting_for = "v2"
        stage.box.person(place.CLEO).command("/goldloop retrain", channel=place.LEADS)
        _wait(stage, lambda: crowd.outcome, "the lead's decision")
        _wait(stage, lambda: _decided(stage), "the decision to be stored")
    finally:
        crowd.stop.set()
        thread.join()
    return answers


def _answers(stage: Stage) -> LiveAnswers:
    truth = {ticket_id(number): ticket for number, ticket in enumerate(stage.shares.stream, 1)}
    with stage.services.database.reading() as session:
        return live_answers(session, truth, stage.queue, stage.services.clock())


def _summarise(stage: Stage, answers: LiveAnswers) -> None:
    names = {stage.box.person(person).name: share for person, share in ACCURACIES.items()}
    seconds = time.monotonic() - stage.started
    with stage.services.database.reading() as session:
        stage.console.print(story.tell(session, stage.services.policy, stage.shares, names, seconds, answers))
    if stage.options.keep:
        stage.console.print(f"\n  The workspace stays open at [bold]{stage.url}[/]. Press Ctrl-C to end the demo.\n")
        stage.stop.wait()
    else:
        stage.console.print("  The workspace is closed. Add --keep to look around in it after the summary.")


def report_to_approve(stage: Stage, name: str) -> Message | None:
    """The card of this model, once it can be approved."""
    for message in stage.box.person(place.CLEO).messages(place.LEADS):
        if f": {name} compared with" in message.plain and "The golden gate passes it" in message.plain:
            return message
    return None


def _decided(stage: Stage) -> bool:
    with stage.services.database.reading() as session:
        return story.newest_model(session).state is not ModelState.CANDIDATE


def _wait(stage: Stage, condition: Callable[[], Found | None], what: str) -> Found:
    """Wait for the condition. Raises Refusal after `LONGEST_WAIT`, or if a training run has failed."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Refusal(f"The demo timed out after {LONGEST_WAIT:.0f} s, waiting for {what}.")
        with stage.services.database.reading() as session:
            failed = session.scalar(select(TrainingRun).where(TrainingRun.state == RunState.FAILED).limit(1))
        if failed:
            problem = run_problem(Coded(failed.problem, failed.problem_values), PLAIN)
            raise Refusal(f"The training run failed. {problem}")
        time.sleep(0.2)
    return found
