"""Settled labels in words: whether suggestions sway votes, and labels settled under an older guideline."""

from bot.wording.format import Format
from bot.wording.numbers import count
from core.review.anchoring import FEWEST_ITEMS, Agreement, Anchoring
from core.review.settled_labels import StaleLabel, StaleLabels
from core.vocabulary import shown_answer

DIFFERENT = (
    "The two are different items: what a rule flags mostly shows the suggestion, and random checks never do. So the "
    "difference is not the suggestion's influence alone."
)


def anchoring_lines(found: Anchoring) -> list[str]:
    """How often votes agree with the settled label, with and without the suggestion in sight."""
    lines = [
        f"Votes with the model's suggestion in sight that agree with the settled label: {_agreement(found.guided)}.",
        f"Votes without it that agree: {_agreement(found.blind)}.",
    ]
    return [*lines, DIFFERENT] if found.guided.share and found.blind.share else lines


def stale_lines(found: StaleLabels, queue: str, form: Format) -> list[str]:
    """The labels that were settled under an older guideline. queue: the queue's name, for a command."""
    if not found.total:
        return ["No label was settled under an older version of the guideline."]
    head = (
        f"{count(found.total, 'label')} settled under an older version of the guideline than the present one (version "
        f"{found.guideline}):"
    )
    more = found.total - len(found.labels)
    lines = [head, *(_label(one, form) for one in found.labels), *([f"And {more:,} more."] if more else [])]
    example = next((one for one in found.labels if one.golden_id or one.correction_id), None)
    return [*lines, f"To ask people again, an operator types `{_command(example, queue)}`."] if example else lines


def _agreement(found: Agreement) -> str:
    if found.share is None:
        return f"not known yet ({found.items} of {FEWEST_ITEMS} items)"
    share = found.share
    return f"{share.estimate:.0%} ({share.low * 100:.0f} to {share.high * 100:.0f}), {count(found.items, 'item')}"


def _label(one: StaleLabel, form: Format) -> str:
    use = f", golden example {one.golden_id}" if one.golden_id else ""
    use = f", correction {one.correction_id}" if one.correction_id else use
    said = form.text(shown_answer(one.label))
    return f"Item {one.item_id}: “{said}” (version {one.guideline}, {one.settled_at:%Y-%m-%d}{use})"


def _command(one: StaleLabel, queue: str) -> str:
    subject = f"--golden {one.golden_id}" if one.golden_id else f"--correction {one.correction_id}"
    return f"goldloop ask-again --queue {queue} {subject}"
