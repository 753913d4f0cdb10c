"""`/goldloop …`. An answer is sent with the acknowledgement, or after it if it takes longer, and is visible only to the
person who typed the command."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.home import load_my_work, load_stats
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import Command
from bot.slack.inbound.response_url import Tell
from bot.slack.views import home, slices, stats
from bot.slack.views.mrkdwn import MRKDWN, refusal
from bot.wording.budget import budget_sentences, preview_sentences
from bot.wording.promise import promise_sentences
from bot.wording.scans import scan_state, scan_title
from bot.wording.settled_labels import anchoring_lines, stale_lines
from core.discovery.cards import newest_scans
from core.discovery.scans import Wanted, request_scan
from core.discovery.sources import Columns
from core.errors import Invalid, NotAllowed, Refusal
from core.intake.budget_preview import budget_preview
from core.intake.promises import agree
from core.intake.slice_cards import MOST_SLICES, slice_cards
from core.intake.weak_slices import store_slices
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.runs import request_run
from core.offers.table import offered_slices
from core.people.availability import pause, resume
from core.people.members import queues_of
from core.people.permissions import require
from core.policy import QueuePolicy
from core.policy.flagging import Budget
from core.quality.slices import weak_slices, whys_by_label
from core.queues import queue_named
from core.records.queues import Queue
from core.review.anchoring import anchoring
from core.review.budget_reading import budget_reading
from core.review.known_rows import known_rows, present_version
from core.review.promise_reading import promise_reading
from core.review.settled_labels import judged_votes, stale_labels
from core.vocabulary import Role, Trigger

HELP = """*Commands*
• `/goldloop stats [queue]` – open and settled items, agreement, model errors caught, live model
• `/goldloop mine` – items open for you, your votes today, your recent answers with undo
• `/goldloop pause` and `/goldloop resume` – take a break: items won't wait for you
• `/goldloop budget [queue] [60 a day | 20%]` – leads: today's budget, or what another one would have meant
• `/goldloop promise [queue] [yes 85]` – leads: whether the queue's promise holds; `yes 85` allows it 85 items a day
• `/goldloop discover [queue] [source]` – leads: the newest scans of unlabelled texts, or scan a source in the policy
• `/goldloop slices [queue]` – leads: where the live model is wrong more often than elsewhere
• `/goldloop labels [queue]` – leads: whether suggestions sway votes, and labels settled under an older guideline
• `/goldloop retrain [queue]` – leads: train a new candidate now
• `/goldloop rollback [queue] [why]` – leads: bring the previous model back
• `/goldloop help` – this list
To vote, use the cards in the queue's channel. Leads decide on models by reacting to their reports."""

MOST_ITEMS = 999_999  # the same limit as in a budget


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    def typed(ack: Ack, parsed: Payload) -> None:
        command = payloads.command(parsed)
        word = command.words[0].lower() if command.words else "help"
        answer = ANSWERS.get(word, _unknown)(command, services)
        ack(text=answer.text, blocks=answer.blocks or None, response_type="ephemeral")
        if word in LATER:
            after_ack.run(_tell_later, LATER[word], command, services, after_ack.tell, parsed.response_url)

    app.command("/goldloop")(typed)


def _tell_later(
    answer: Callable[[Command, Services], Message], command: Command, services: Services, tell: Tell, response_url: str
) -> None:
    try:
        tell(response_url, answer(command, services))
    except Refusal as refused:
        tell(response_url, Message(refusal(refused)))


def _help(_command: Command, _services: Services) -> Message:
    return Message(HELP, [blocks.section(HELP)])


def _unknown(command: Command, _services: Services) -> Message:
    words = f"“{blocks.literal(blocks.shorten(command.words[0], 40))}” is not a command.\n{HELP}"
    return Message(words, [blocks.section(words)])


def _stats(command: Command, services: Services) -> Message:
    wanted = services.policy.queue(command.words[1]).name if len(command.words) > 1 else None
    cards = load_stats(services, command.person, wanted)
    if not cards:
        raise NotAllowed("Only reviewers and leads of this queue can see its numbers.")
    drawn = [stats.render(card) for card in cards]
    return blocks.message(
        "\n".join(one.text for one in drawn), [block for one in drawn for block in one.blocks]
    )  # fmt: skip


def _mine(command: Command, services: Services) -> Message:
    return home.render_my_work(load_my_work(services, command.person), services.workspace)


def _pause(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        pause(session, command.person, services.clock())
    return Message("You're paused. Items won't wait for you. Type `/goldloop resume` when you're back.")


def _resume(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        resume(session, command.person)
    return Message("Welcome back.")


def _retrain(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        queue, policy = _led_queue(session, command, services)
        run_id = request_run(session, queue, Trigger.COMMAND, command.person, services.clock(), policy)
    if run_id is None:
        raise Refusal(f"A training run of {policy.shown_title} is already waiting.")
    return Message(f"Training run {run_id} is on its way. Its report will appear in the leads' channel.")


def _rollback(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        queue, policy = _led_queue(session, command, services)
        reason = " ".join(word for word in command.words[1:] if word != policy.name)
        name = rollback(session, queue, command.person, reason, services.clock(), policy)
    return Message(f"{name} of {policy.shown_title} is live again.")


def _budget(command: Command, services: Services) -> Message:
    with services.database.reading() as session:
        queue, policy = _led_queue(session, command, services)
        words = " ".join(word for word in command.words[1:] if word != policy.name)
        if not words:
            return Message(_present_budget(session, queue.id, policy, services.clock()))
        budget = Budget.parse(words)
        if budget is None:
            raise Invalid("A budget is a number of items or a share, such as `60 a day` or `20%`.")
        return Message(preview_sentences(budget_preview(session, policy, budget, services.clock()), words))


def _promise(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        queue, policy = _led_queue(session, command, services)
        words = [word for word in command.words[1:] if word != policy.name]
        if words:
            agree(session, policy, _items_agreed(words), command.person, services.clock())
            return Message(f"Noted: to keep its promise, {policy.shown_title} may have up to {words[1]} items a day.")
        reading = promise_reading(session, queue.id, policy, services.clock())
    if reading is None:
        return Message(
            'This queue makes no promise. To make one, set for example `flagging.promise = "2%"` beside its budget.'
        )
    return Message(promise_sentences(reading, policy.name))


def _items_agreed(words: Sequence[str]) -> int:
    if len(words) != 2 or words[0].lower() != "yes" or not words[1].isascii() or not words[1].isdigit():
        raise Invalid(
            "To allow a promise more items a day than the budget, type `yes` and the number, such as `yes 85`."
        )
    return min(int(words[1]), MOST_ITEMS)


def _discover(command: Command, services: Services) -> Message:
    with services.database.transaction() as session:
        queue, policy = _led_queue(session, command, services)
        name = next((word for word in command.words[1:] if word != policy.name), None)
        if name is not None:
            return _scanned(session, policy, name, command.person, services)
        scans = newest_scans(session, services.in_force.read(session), queue.name)
    lines = [f"• {scan_title(one, MRKDWN)}: {scan_state(one, MRKDWN)}" for one in scans[:SHOWN_SCANS]]
    names = (
        ", ".join(f"`{one.name}`" for one in policy.discovery.sources)
        or "none; list them in the policy under `discovery.sources`"
    )
    words = "\n".join([*(lines or ["No scans yet."]), f"Sources: {names}."])
    return blocks.message(words, [blocks.section(words)])


def _scanned(session: Session, policy: QueuePolicy, name: str, person: str, services: Services) -> Message:
    source = next((one for one in policy.discovery.sources if one.name == name), None)
    if source is None:
        raise Invalid(f"The policy lists no source “{blocks.shorten(name, 40)}” for {policy.shown_title}.")
    wanted = Wanted(source.address, Columns(source.text, source.id or None))
    scan_id = request_scan(session, policy, wanted, person, services.clock())
    return Message(f"Scan {scan_id} of {name} is requested. Its progress will appear in the leads' channel.")


def _slices(command: Command, services: Services) -> Message:
    with services.database.reading() as session:
        _queue, policy = _led_queue(session, command, services)
    return Message(f"Searching the settled answers of {MRKDWN.text(policy.shown_title)} for weak slices…")


def _found_slices(command: Command, services: Services) -> Message:
    """Look for weak slices anew and store the findings, since their buttons refer to rows. With long texts this takes
    longer than Slack waits for a command."""
    with services.database.reading() as session:
        queue, policy = _led_queue(session, command, services)
        queue_id, model, rows = queue.id, present_version(session, queue.id), known_rows(session, queue.id)
    found, now = weak_slices(rows), services.clock()
    with services.database.transaction() as session:
        if model is not None:
            store_slices(session, queue_id, model, found, rows, now)
        cards = slice_cards(session, queue_id, policy, now)[:MOST_SLICES]
        offered = offered_slices(session, cards, services.in_force.read(session), now)
    return slices.render(offered, policy.shown_title, len(rows), whys_by_label(rows))


def _labels(command: Command, services: Services) -> Message:
    with services.database.reading() as session:
        queue, policy = _led_queue(session, command, services)
        votes, stale = judged_votes(session, queue.id), stale_labels(session, queue.name, SHOWN_LABELS)
    found = anchoring_lines(anchoring(votes, np.random.default_rng(0)))
    lines = [*found, *stale_lines(stale, policy.name, MRKDWN)]
    return Message("\n".join([f"*{MRKDWN.text(policy.shown_title)}*", *(f"• {line}" for line in lines)]))


def _present_budget(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> str:
    reading, promise = budget_reading(session, queue_id, policy, now), promise_reading(session, queue_id, policy, now)
    if reading is None:
        return "This queue has no budget: `flagging.confidence` and `flagging.margin` decide what is flagged."
    return budget_sentences(reading, promise.agreed if promise is not None else None)


def _led_queue(session: Session, command: Command, services: Services) -> tuple[Queue, QueuePolicy]:
    """The queue named in the command, or the only one that the person leads. Raises Invalid if neither is clear, and
    NotAllowed."""
    in_force = services.in_force.read(session)
    names = [queue.name for queue in in_force.queues]
    named = command.words[1] if len(command.words) > 1 and command.words[1] in names else None
    led = queues_of(session, command.person)[Role.LEAD]
    if named is None and len(led) > 1:
        raise Invalid(f"Which queue? {', '.join(led)}.")
    queue = queue_named(session, named or next(iter(led), names[0]))
    policy = in_force.queue(queue.name)
    require(session, queue, Role.LEAD, command.person, COMMANDS[command.words[0].lower()], policy)
    return queue, policy


COMMANDS = {  # completes "Only leads can ___"
    "budget": "see the budget",
    "discover": "search unlabelled texts",
    "promise": "see or allow its promise",
    "slices": "see its weak slices",
    "labels": "see how its labels were settled",
    "retrain": "retrain",
    "rollback": "roll back",
}
SHOWN_SCANS = 5
SHOWN_LABELS = 10
ANSWERS: dict[str, Callable[[Command, Services], Message]] = {
    "help": _help,
    "stats": _stats,
    "mine": _mine,
    "pause": _pause,
    "resume": _resume,
    "budget": _budget,
    "promise": _promise,
    "discover": _discover,
    "slices": _slices,
    "labels": _labels,
    "retrain": _retrain,
    "rollback": _rollback,
}
LATER = {"slices": _found_slices}  # further answers, sent after the first one
