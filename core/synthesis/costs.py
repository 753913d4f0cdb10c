"""The cost of a batch in calls, tokens and money: an upper bound, estimated before the first call."""

import math
from dataclasses import dataclass

from core.policy.synthetic import SyntheticPolicy
from core.synthesis.prompt import MOST_ANSWER_TOKENS, PER_CALL

SPARE = 2  # texts requested for each that may be kept, because the guards drop about half


@dataclass(frozen=True)
class Cost:
    """The highest possible cost. money: None: the policy has no prices."""

    calls: int
    tokens: int
    money: float | None


def planned_cost(wanted: int, prompt_tokens: int, policy: SyntheticPolicy) -> Cost:
    """The cost of a batch of which so many texts may be kept, with as many calls as it needs and the caps allow. 0
    calls: not even one is allowed."""
    calls = min(policy.calls, math.ceil(SPARE * wanted / PER_CALL))
    while calls and not fits(_cost(calls, prompt_tokens, policy), policy):
        calls -= 1
    return _cost(calls, prompt_tokens, policy)


def fits(cost: Cost, policy: SyntheticPolicy) -> bool:
    """Whether the cost stays within the policy's caps."""
    within = cost.calls <= policy.calls and cost.tokens <= policy.tokens
    return within and (cost.money is None or cost.money <= policy.money)


def money_of(tokens_in: int, tokens_out: int, policy: SyntheticPolicy) -> float | None:
    """The price of these tokens. None: the policy has no prices."""
    if not policy.has_prices:
        return None
    return (tokens_in * policy.price_in + tokens_out * policy.price_out) / 1_000_000


def _cost(calls: int, prompt_tokens: int, policy: SyntheticPolicy) -> Cost:
    sent, written = calls * prompt_tokens, calls * MOST_ANSWER_TOKENS
    return Cost(calls, sent + written, money_of(sent, written, policy))
