"""A person's page: the Home tab, and its short form for `/goldloop mine`."""

from collections.abc import Sequence

from bot.slack import blocks
from bot.slack.blocks import Block, Message, View
from bot.slack.controls import IN_LIST
from bot.slack.views import lead_home, stats
from bot.slack.views.mrkdwn import card_link
from core.offers.table import OfferedSlice
from core.review.lead_work import LeadWork
from core.review.my_work import MyAnswer, MyQueue, MyWorkCard
from core.review.stats import QueueLine

NO_QUEUE = (
    "You're not a reviewer in any queue. To become one, ask the person who runs Goldloop: they add you to `reviewers` "
    "in `goldloop.toml`."
)


def render(
    mine: MyWorkCard,
    queues: Sequence[QueueLine],
    workspace: str = "",
    led: LeadWork | None = None,
    said: str = "",
    weak: Sequence[OfferedSlice] = (),
) -> View:
    """The Home tab. workspace: the workspace's address, for links to the cards; empty: no links. led: the work that
    waits for the person as a lead; None: they lead no queue. said: the outcome of the action that was just taken here.
    weak: the weak slices of their queues' models."""
    drawn: list[Block] = [blocks.context(said)] if said else []
    if led is not None:
        drawn += lead_home.render(led, mine.person)
        drawn += lead_home.weak_slices(weak)
    if mine.queues or led is None:
        drawn += [blocks.header("My reviews"), *_mine(mine, workspace)]
    if queues:
        drawn += [blocks.divider(), blocks.header("The queues")]
        for card in queues:
            drawn += stats.short(card)
    return blocks.home(drawn)


def render_my_work(mine: MyWorkCard, workspace: str = "", said: str = "") -> Message:
    """The list for `/goldloop mine`. workspace: as above. said: the outcome of the click for which the list is drawn
    again."""
    spoken = "; ".join(
        f"{blocks.escape(queue.title)}: {queue.open} open, {queue.done_today} done today" for queue in mine.queues
    )
    drawn = [blocks.section(said)] if said else []
    words = spoken or "You're not a reviewer in any queue."
    return blocks.message(f"{said} {words}".strip(), [*drawn, *_mine(mine, workspace, f"|{IN_LIST}")])


def _mine(mine: MyWorkCard, workspace: str, of_list: str = "") -> list[Block]:
    """The blocks of a person's work. of_list: the suffix of the buttons' values."""
    if not mine.queues:
        return [blocks.section(NO_QUEUE)]
    drawn: list[Block] = []
    for queue in mine.queues:
        drawn += _queue(queue, workspace)
    drawn += blocks.actions(
        blocks.button("Resume", "resume", f"0{of_list}", style="primary")
        if mine.paused
        else blocks.button("Pause", "pause", f"0{of_list}")
    )
    if mine.paused:
        drawn.append(blocks.context("You're paused. Items won't wait for you."))
    if mine.answers:
        drawn.append(blocks.section("*My recent answers*"))
        for answer in mine.answers:
            drawn.append(_answer(answer, workspace, of_list))
    return drawn


def _queue(queue: MyQueue, workspace: str) -> list[Block]:
    numbers = f"{queue.open} open for me · {queue.done_today} done today (limit {queue.daily_cap})"
    drawn = [blocks.section(f"*{blocks.literal(queue.title)}* – {numbers}")]
    if queue.waiting:
        lines = (
            f"• {card_link(one.item_id, one.place, workspace)}: {blocks.literal(one.excerpt)}" for one in queue.waiting
        )
        more = queue.open - len(queue.waiting)
        drawn.append(blocks.context("\n".join([*lines, *([f"And {more} more."] if more > 0 else [])])))
    return drawn


def _answer(answer: MyAnswer, workspace: str, of_list: str) -> Block:
    undo = blocks.button("Undo", "undo", f"{answer.subject}{of_list}") if answer.may_undo else None
    item = card_link(answer.subject.id, answer.place, workspace, "Item")
    return blocks.section(f"{item}: *{blocks.literal(answer.words)}* – {blocks.literal(answer.excerpt)}", undo)
