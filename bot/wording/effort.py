"""Sentences about the cost of a model, in items and votes, and its gain."""

from bot.wording.numbers import count, signed
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.effort import Effort


def effort_sentence(effort: Effort, scorecard: Scorecard, since: str | None) -> str:
    """The cost and the gain. since: the live model's name; None: from the beginning. The gain is that on random golden
    examples; none is given over always guessing the most common label. Empty if nothing was settled since the
    beginning."""
    if since is None and not effort.items:
        return ""
    cost = f"{given(effort)} since {since}" if since else given(effort)
    if not scorecard.random.n or scorecard.baseline == "majority":
        return f"{cost}."
    return f"{cost}: {gain(scorecard.random.difference)}."


def gain(difference: Interval) -> str:
    """The gain with its 95 % interval: "+12.4 points (+4.9 to +19.6)"."""
    return f"{signed(difference.estimate)} points ({signed(difference.low)} to {signed(difference.high)})"


def given(effort: Effort) -> str:
    """The effort: "80 items, 175 votes"."""
    return f"{count(effort.items, 'item')}, {count(effort.votes, 'vote')}"
