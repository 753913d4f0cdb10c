"""Sentences about scans of unlabelled texts: for the card, the terminal and the slash command."""

from bot.wording.format import Format
from bot.wording.numbers import count, percent
from bot.wording.runs import run_problem
from core.discovery.cards import ScanCard
from core.discovery.results import Cluster
from core.vocabulary import ScanState

BAR = 12  # the length of the largest cluster's bar
BLOCK = "\N{FULL BLOCK}"
SHOWN_PROBLEMS = 3
ABOVE_CLUSTERS = "What the top-ranked texts are about:"


def scan_title(card: ScanCard, form: Format) -> str:
    """The subject and the source of a scan, beginning with a small letter."""
    if card.foreign:
        what = "texts of another kind than the queue's"
    elif card.label is not None:
        what = f"texts about “{form.text(card.label)}”"
    else:
        what = "texts that the model is unsure of"
    return f"scan {card.scan_id} of {form.text(card.source)} for {what}"


def scan_state(card: ScanCard, form: Format) -> str:
    """The progress of a scan, or its end, as a sentence."""
    match card.state:
        case ScanState.REQUESTED:
            return "Waiting for a worker."
        case ScanState.RUNNING:
            return progress_words(card.done, card.rows, card.seconds, card.left)
        case ScanState.CANCELLED:
            return "Cancelled. Nothing was kept."
        case ScanState.FAILED:
            return f"Failed. {run_problem(card.problem, form)}" if card.problem else "Failed."
        case ScanState.DONE:
            return _counted(card, form)


def progress_words(done: float | None, rows: int, seconds: float, left: float | None) -> str:
    rate = f", {rows / seconds:,.0f} a second" if seconds >= 1 and rows else ""
    ends = f", {_duration(left)} left" if left is not None else ""
    return f"{percent(round(done or 0.0, 3))} read: {rows:,} rows{rate}{ends}."


def unread_words(card: ScanCard, form: Format) -> list[str]:
    """The parts of the source that could not be read, with the reasons. Empty: all were read."""
    if not card.unread:
        return []
    unread = (
        f"{len(card.unread)} of {count(card.counts.shards, 'part')}" if card.counts else count(len(card.unread), "part")
    )
    lines = [f"{unread} of the source could not be read."]
    lines += [form.text(problem) for problem in card.unread[:SHOWN_PROBLEMS]]
    left = len(card.unread) - SHOWN_PROBLEMS
    return [*lines, f"… and {left} more."] if left > 0 else lines


def cluster_lines(clusters: tuple[Cluster, ...]) -> list[str]:
    """A bar chart of the topics of top-ranked texts: a bar for each cluster, with its distinguishing words."""
    largest = max((one.texts for one in clusters), default=1)
    width = len(f"{largest:,}")
    return [
        f"{BLOCK * max(1, round(BAR * one.texts / largest)):<{BAR}} {one.texts:>{width},}  {', '.join(one.words)}"
        for one in clusters
        if one.words
    ]


def _counted(card: ScanCard, form: Format) -> str:
    if card.counts is None:
        return "Done."
    one = card.counts
    parts = [
        f"{one.read:,} rows read", f"{one.foreign:,} {_unranked(card, form)}", f"{one.known:,} already known",
        f"{one.near_duplicates:,} near-duplicates", f"{one.ranked:,} ranked", f"{card.finds.opened:,} opened",
        f"{card.finds.waiting:,} waiting",
    ]  # fmt: skip
    gone = f", {card.finds.dropped:,} dropped" if card.finds.dropped else ""
    return f"{', '.join(parts)}{gone}."


def _unranked(card: ScanCard, form: Format) -> str:
    """The kind of the texts that were not ranked, in words."""
    if card.foreign:
        return "of the queue's kind"
    return "of another kind" if card.label is None else f"not about “{form.text(card.label)}”"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return count(round(seconds), "second")
    if seconds < 90 * 60:
        return count(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"
