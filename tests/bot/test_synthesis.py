"""Batches of written texts in words, and their card."""

from typing import Any

import pytest

from bot.slack.views import synthetic
from bot.wording.format import PLAIN
from bot.wording.synthesis import CALLS, GUARDS, batch_state, guard_words, plan_words, spent_words
from core.synthesis.cards import BatchCard, Spent
from core.synthesis.costs import Cost
from core.synthesis.requests import Plan
from core.vocabulary import OPERATOR, BatchProblem, CallProblem, Coded, Guard, SyntheticState
from tests.bot.drawn import check
from tests.people import CLEO

COUNTS = {"written": 40, "kept": 20, "asked": 10, "settled": 4, "confirmed": 3, "form": 12, "repeat": 8}
PROBLEMS: list[tuple[BatchProblem, dict[str, Any], str]] = [
    (BatchProblem.SENTENCE, {"sentence": "It refused the key."}, "It refused the key."),
    (BatchProblem.WORKER, {"attempts": 5}, "It failed 5 times. The log has the reason."),
    (BatchProblem.NOTHING_LEFT, {"written": 40}, "The guards left none of 40 texts."),
    (BatchProblem.GOLDEN_LEAK, {"leaks": 2, "written": 40}, "2 of 40 texts are near a golden example"),
    (BatchProblem.NOT_CONFIRMED, {"confirmed": 1, "asked": 3}, "People confirmed 1 of the 3 that they decided"),
    (BatchProblem.ERASED, {}, "One of the texts that it was written from was erased"),
    (BatchProblem.WITHDRAWN, {}, "It trains no further model."),
]


def batch(state: SyntheticState = SyntheticState.SAMPLED, text: str = "", **more: Any) -> BatchCard:
    values: dict[str, Any] = {
        "batch_id": 3, "queue_title": text[:80] or "Support tickets", "label": text[:60] or "refund",
        "mistaken_for": text[:60] or None, "target": text, "language": "", "model": text[:200] or "large",
        "address": "https://llm.example/v1", "state": state, "requested_by": CLEO, "retired_by": None,
        "spent": Spent(4, 4, 1840, 0, 0.0015, {}, 8), "counts": COUNTS, "problem": None,
    }  # fmt: skip
    return BatchCard(**values | more)


@pytest.mark.parametrize(("code", "values", "words"), PROBLEMS)
def test_each_end_has_its_sentence(code: BatchProblem, values: dict[str, Any], words: str) -> None:
    assert words in batch_state(batch(SyntheticState.REFUSED, problem=Coded(code, values)), PLAIN)


def test_no_code_is_forgotten() -> None:
    assert {code for code, *_rest in PROBLEMS} == set(BatchProblem)
    assert set(GUARDS) == set(Guard)
    assert set(CALLS) == set(CallProblem)
    assert set(synthetic.MARKS) == set(SyntheticState)
    newer = batch(SyntheticState.FAILED, problem=Coded("of a newer release"))
    assert "The log has the reason." in batch_state(newer, PLAIN)


@pytest.mark.parametrize("state", list(SyntheticState))
@pytest.mark.parametrize("text", ["", "*<!channel>* `&` “x” " * 40])
def test_slack_takes_the_card_in_each_state(state: SyntheticState, text: str) -> None:
    problem = Coded(BatchProblem.WITHDRAWN) if state is SyntheticState.RETIRED else None
    for counts in ({}, COUNTS) if state is SyntheticState.REQUESTED else (COUNTS,):
        said = check(synthetic.render(batch(state, text, counts=counts, problem=problem, retired_by=CLEO)))
        assert "<!channel>" not in said


def test_the_card_says_what_was_dropped_what_it_cost_and_what_left_the_house() -> None:
    said = check(synthetic.render(batch()))
    assert "Reviewers are asked about 10 of them: 4 decided, 3 confirmed. The batch needs 9." in said
    assert "40 texts written, 20 kept. Left out: 12 not like a message, 8 already there word for word." in said
    assert "4 calls, 1,840 tokens, 0.0015 by the policy's prices. 8 masked texts sent to" in said
    assert "13 texts may train" in batch_state(batch(SyntheticState.ADMITTED), PLAIN)
    assert guard_words({"written": 1, "kept": 1}) == "1 text written, 1 kept."
    assert f"asked for by <@{CLEO}>" in said
    assert "asked for" not in check(synthetic.render(batch(requested_by=OPERATOR)))


def test_what_is_not_known_is_said() -> None:
    def spent(silent: int, **more: Any) -> str:
        return spent_words(batch(spent=Spent(4, 4, 900, silent, None, {}, 8, **more)), PLAIN)

    assert spent(4).startswith("4 calls, tokens unknown. ")
    assert spent(1).startswith("4 calls, 900 tokens (unknown for 1 call). ")
    problems = batch(spent=Spent(4, 4, 900, 0, None, {"cut": 2, "newer": 1}, 8))
    assert spent_words(problems, PLAIN).endswith("Problems with answers: 2 cut off.")


def test_the_cost_is_said_before_it_is_asked() -> None:
    plan = Plan((), [], 20, Cost(4, 6100, None))
    words = " ".join(plan_words(plan, "https://llm.example/v1", "large", PLAIN))
    assert "0 corrected texts would be sent, masked." in words
    assert "Cost: 4 calls, at most 6,100 tokens, an unknown price (the policy states none in" in words
    assert "At most 20 texts are kept, and reviewers are asked about 10 of them." in words
    priced = plan_words(Plan((), [], 20, Cost(4, 6100, 0.5)), "a", "b", PLAIN)
    assert "at most 0.5000 by the policy's prices" in priced[1]
