"""Sentences about a canary."""

from typing import assert_never

from bot.wording.numbers import count, percent
from core.learning.evaluation.canary import MINIMUM, Paired
from core.learning.lifecycle.canary import CanaryLine, StillAnswering
from core.vocabulary import CanaryState


def canary_sentence(line: CanaryLine, model: str) -> str:
    """The state of the canary, without the findings."""
    match line.state:
        case CanaryState.RUNNING:
            return f"{model} answers {percent(line.share)} of the requests, {line.former} the rest."
        case CanaryState.PROPOSED:
            return (
                f"{model} looks worse than {line.former}, so a rollback is proposed. Until a lead decides, {model} "
                f"answers {percent(line.share)} of the requests."
            )
        case CanaryState.PASSED:
            return f"{model} was not worse than {line.former} in its canary, and answers all requests."
        case CanaryState.KEPT:
            return f"A lead ended its canary: {model} answers all requests."
        case CanaryState.ENDED:
            return "Its canary ended early: it was rolled back, another model went live, or the policy was changed."
        case _:
            assert_never(line.state)


def still_answers_sentence(line: StillAnswering, model: str) -> str:
    return (
        f"*{model} still answers {percent(line.share)} of the requests*, until the canary of {line.new} is over. "
        f"{line.new} answers the rest."
    )


def paired_sentence(paired: Paired) -> str:
    """The sentence on the settled items that both models answered."""
    if paired.n < MINIMUM:
        return f"Not yet: {paired.n} of {MINIMUM} settled items that a comparison needs."
    share = "fewer than 0.1%" if paired.p_value < 0.001 else f"{paired.p_value:.1%}"
    return (
        f"Of {count(paired.n, 'settled item')}, {paired.regressions} newly wrong and {paired.improvements} newly "
        f"right. Equally good models differ this much in {share} of comparisons."
    )
