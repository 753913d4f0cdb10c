"""Flag reasons: thresholds for all labels and per label, the margin, the audit."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.reasons.base import FlagReason, Scored
from core.intake.reasons.table import REASONS, flag_probability, reasons_to_review
from core.policy import QueuePolicy
from core.vocabulary import DriftSign, Reason
from tests.people import support_policy

NEVER_DRAWN = 0.999
probabilities = st.floats(0, 1)


def rules(**sections: Any) -> QueuePolicy:
    flagging = {"confidence": 0.8, "margin": 0.1, "audit_share": 0.05} | sections.pop("flagging", {})
    return support_policy(flagging=flagging, **sections).queues[0]


STRICT = rules(
    labels=[
        "refund",
        {"name": "billing error", "confidence": 0.95},
        {"name": "delivery", "confidence": 0},
        {"name": "praise", "confidence": 0, "margin": 0.3},
    ]
)

UNCERTAIN, AUDIT = (Reason.UNCERTAIN,), (Reason.AUDIT,)
CASES: list[tuple[str, str, float, float | None, float, tuple[Reason, ...]]] = [
    # what it is                                      label, confidence, second, draw -> why
    ("below the threshold", "refund", 0.79, 0.01, NEVER_DRAWN, UNCERTAIN),
    ("at the threshold", "refund", 0.8, 0.2, NEVER_DRAWN, ()),
    ("above the threshold", "refund", 0.81, 0.01, NEVER_DRAWN, ()),
    ("no confidence at all", "refund", 0.0, None, NEVER_DRAWN, UNCERTAIN),
    ("certain", "refund", 1.0, 0.0, NEVER_DRAWN, ()),
    ("no second probability, so no margin", "refund", 0.8, None, NEVER_DRAWN, ()),
    (
        "sure enough for the others, but not for a strict label",
        "billing error",
        0.94,
        0.01,
        NEVER_DRAWN,
        UNCERTAIN,
    ),
    ("at the strict label's threshold", "billing error", 0.95, 0.01, NEVER_DRAWN, ()),
    ("a label that is never uncertain", "delivery", 0.3, 0.1, NEVER_DRAWN, ()),
    ("never uncertain, but closer than the margin", "delivery", 0.3, 0.25, NEVER_DRAWN, UNCERTAIN),
    ("exactly the margin apart", "delivery", 0.5, 0.4, NEVER_DRAWN, ()),
    ("closer than a label's own margin", "praise", 0.5, 0.21, NEVER_DRAWN, UNCERTAIN),
    ("exactly a label's own margin apart", "praise", 0.5, 0.2, NEVER_DRAWN, ()),
    ("a label that the policy does not know", "gone", 0.79, None, NEVER_DRAWN, UNCERTAIN),
    ("sure, and drawn by the audit", "refund", 0.9, 0.05, 0.0499, AUDIT),
    ("sure, and just not drawn", "refund", 0.9, 0.05, 0.05, ()),
    ("uncertain and drawn: the lot does not ask the rules", "refund", 0.5, 0.4, 0.0, (*AUDIT, *UNCERTAIN)),
]


@pytest.mark.parametrize(
    ("label", "confidence", "second", "draw", "why"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_prediction_is_flagged_for_the_reason_that_the_policy_gives(
    label: str, confidence: float, second: float | None, draw: float, why: tuple[Reason, ...]
) -> None:
    found = reasons_to_review(Scored(label, confidence, second, draw), STRICT)
    assert tuple(one.reason for one in found) == why


def test_every_reason_has_its_line_in_the_table() -> None:
    assert set(REASONS) == set(Reason)


def test_each_reason_says_its_numbers_and_how_likely_it_was() -> None:
    policy = rules()
    lot = FlagReason(Reason.AUDIT, {"share": 0.05}, 0.05)
    unsure = FlagReason(Reason.UNCERTAIN, {"confidence": 0.5, "threshold": 0.8}, 1.0)
    assert reasons_to_review(Scored("refund", 0.5, 0.4, 0.0), policy) == (lot, unsure)
    close = rules(flagging={"confidence": 0.0})
    assert reasons_to_review(Scored("refund", 0.45, 0.4, NEVER_DRAWN), close) == (
        FlagReason(Reason.UNCERTAIN, {"confidence": 0.45, "second": 0.4}, 1.0),
    )
    assert reasons_to_review(Scored("refund", 0.9, 0.05, 0.01), policy) == (lot,)
    budgeted, doubted = (
        rules(flagging={"budget": "20%"}),
        Scored("refund", 0.9, 0.05, NEVER_DRAWN, cut=0.5, suspicion=0.8),
    )
    [found] = reasons_to_review(doubted, budgeted)
    assert found.values == {"confidence": 0.9, "budget": "20%", "cut": 0.5, "score": 0.8}, "the score is the suspicion"


@settings(deadline=None)
@given(confidence=probabilities, draw=st.floats(0, 1, exclude_max=True))
def test_the_odds_of_being_flagged_depend_on_the_rules_and_not_on_the_lot(confidence: float, draw: float) -> None:
    policy = rules()
    drawn, passed = (reasons_to_review(Scored("refund", confidence, None, lot), policy) for lot in (draw, NEVER_DRAWN))
    assert flag_probability(drawn, policy) == flag_probability(passed, policy)
    assert flag_probability(passed, policy) == (1.0 if passed else 0.05)


@settings(deadline=None)
@given(confidence=probabilities, second=probabilities, draw=st.floats(0, 1, exclude_max=True))
def test_an_audit_of_everything_leaves_nothing_out_and_of_nothing_takes_nothing(
    confidence: float, second: float, draw: float
) -> None:
    everything, nothing = rules(flagging={"audit_share": 1.0}), rules(flagging={"audit_share": 0.0})
    scored = Scored("refund", confidence, second, draw)
    assert reasons_to_review(scored, everything)[0].reason is Reason.AUDIT
    assert all(left.reason is Reason.UNCERTAIN for left in reasons_to_review(scored, nothing))


@settings(deadline=None)
@given(confidence=probabilities, lower=probabilities, draw=st.floats(0, 1, exclude_max=True))
def test_who_is_less_sure_is_never_less_uncertain(confidence: float, lower: float, draw: float) -> None:
    policy = rules()

    def uncertain(value: float) -> bool:
        found = reasons_to_review(Scored("refund", value, None, draw), policy)
        return Reason.UNCERTAIN in {one.reason for one in found}

    assert uncertain(min(confidence, lower)) or not uncertain(max(confidence, lower))


def test_a_label_that_an_alarm_is_about_waits_under_a_budget_alone() -> None:
    """And only where its score alone does not flag it. A text that fits no label is not one of the model's surest."""
    budget = rules(flagging={"budget": "60 a day", "audit_share": 0.0})

    def reasons(
        cut: float | None, policy: QueuePolicy = budget, sign: DriftSign | None = DriftSign.CORRECTIONS,
        sure: float = 0.9,
    ) -> Any:  # fmt: skip
        scored = Scored("refund", sure, 0.05, NEVER_DRAWN, cut=cut, drift=sign)
        return [one.reason for one in reasons_to_review(scored, policy)]

    assert reasons(0.5) == reasons(0.5, sign=DriftSign.NONE_OF_THESE) == reasons(0.5, sure=0.96) == [Reason.DRIFT]
    assert reasons(0.1) == [Reason.UNCERTAIN]
    assert reasons(0.5, sign=DriftSign.NONE_OF_THESE, sure=0.96) == [], "its score is below a tenth of the cut"
    assert reasons(0.3, sign=None) == reasons(None) == reasons(None, rules()) == []
    assert reasons(0.3, rules(flagging={"budget": "60 a day", "drift": False})) == []


def test_the_order_of_the_reasons_is_the_one_of_the_days_work() -> None:
    first = list(REASONS)
    order = [Reason.AUDIT, Reason.HELD_BACK, Reason.PERSON, Reason.UNCERTAIN, Reason.DISAGREEMENT, Reason.DRIFT]
    assert first[: len(order)] == order


def test_a_label_may_have_a_margin_of_its_own() -> None:
    policy = rules(
        flagging={"confidence": 0.0, "audit_share": 0.0},
        labels=[{"name": "refund", "margin": 0.3}, {"name": "delivery"}],
    )
    assert reasons_to_review(Scored("refund", 0.55, 0.35, NEVER_DRAWN), policy)
    assert not reasons_to_review(Scored("delivery", 0.55, 0.35, NEVER_DRAWN), policy)
