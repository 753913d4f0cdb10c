"""Cards as they are drawn in the tests: each with every field, and any of them changed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place
from core.learning.data.inputs import Input
from core.learning.data.synthetic import WrittenRows
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.cards import CandidateCard, PendingCandidate
from core.learning.lifecycle.effort import Effort
from core.learning.lifecycle.open_items import OpenItems
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate
from core.review.budget_reading import BudgetReading
from core.review.cards import FlagLine, GivenReason, ItemCard, Outcome
from core.review.lead_work import Dispute
from core.review.my_work import MyAnswer, MyQueue, MyWorkCard, Waiting
from core.review.promise_reading import PromiseReading
from core.review.stats import QueueLine, StatsCard
from core.vocabulary import (
    Coded,
    DisputeReason,
    ErrorReason,
    GateBlock,
    GateWarning,
    ItemState,
    ModelState,
    Origin,
    PromiseStatus,
    Reason,
    Stratum,
    WeightChoice,
)
from tests.people import ANA, CLEO, LABELS, support_policy

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
WORKSPACE = "https://acme.slack.com/"
SHARE = Interval(0.91, 0.88, 0.94)
BUDGET = BudgetReading("60 a day", 60, 41, 12, 3)
PROMISE = PromiseReading(0.02, 0.9, PromiseStatus.NOT_YET, 41, 99, 6, None, None, None)


def item(**more: Any) -> ItemCard:
    card = ItemCard(
        subject=CardRef(7),
        queue_title="Support tickets",
        external_id="T-7",
        link=None,
        asked_again=False,
        written_for=None,
        state=ItemState.OPEN,
        dispute=None,
        blind=False,
        text="charged twice",
        image_url=None,
        pictures=(),
        fields={"Customer": "gold"},
        predicted_label="billing error",
        confidence=0.5,
        newer=None,
        sure=False,
        why_flagged=(FlagLine(Coded(Reason.UNCERTAIN, {"confidence": 0.5, "threshold": 0.8})),),
        labels=("billing error", "refund", "delivery"),
        most_buttons=12,
        outcome=None,
        leads=(CLEO,),
    )
    return replace(card, **more)


def outcome(text: str = "both fit", **more: Any) -> Outcome:
    found = Outcome(
        label="refund",
        tally={"refund": 2, "None of these": 1},
        lead=None,
        reasons=(
            GivenReason("refund", ErrorReason.AMBIGUOUS, text, None),
            GivenReason("None of these", None, text, ANA),
        ),
        model_was_right=False,
        names={},
    )
    return replace(found, **more)


BLIND = {"blind": True, "predicted_label": None, "confidence": None, "why_flagged": ()}
DISPUTED = {"state": ItemState.DISPUTED, "dispute": Coded(DisputeReason.NO_AGREEMENT, {"count": 3})}
SETTLED = {"state": ItemState.SETTLED}


def findings(text: str) -> tuple[Coded, ...]:
    """Those of the gate that quote a stranger, and one of a newer release."""
    label = text[:60]
    right = {"baseline": "live", "label": label, "n": 20, "live": 9, "candidate": 1}
    return (
        Coded(GateBlock.LABEL_WORSE, right | {"p_value": 0.01}),
        Coded(GateBlock.ROWS_GONE, right),
        Coded(GateBlock.SILENT_LABEL, right | {"texts": 3000, "p_value": 0.001}),
        Coded(GateBlock.LABELS_EXCHANGED, {"labels": [label] * 2, "texts": 30, "live": [9, 9], "exchanged": [8, 7]}),
        Coded(GateBlock.LABELS_SWAPPED, {"labels": [label, label]}),
        Coded(GateBlock.LABEL_LOST, right),
        Coded(GateWarning.LIVE_UNUSABLE, {"sentence": text}),
        Coded(text),
    )


def mine(text: str = "charged twice", **more: Any) -> MyWorkCard:
    place = Place("C_REVIEW", "1764000000.000100")
    queue = MyQueue(text[:80], 2, 3, 120, (Waiting(7, text[:80], place), Waiting(8, text[:80], None)) * 5)
    answers = tuple(
        MyAnswer(CardRef(number), place, "Support", text[:80], text[:60], number % 2 == 0) for number in range(10)
    )
    return replace(MyWorkCard(ANA, False, (queue,), answers), **more)


def numbers(text: str = "Support tickets", **more: Any) -> StatsCard:
    errors = tuple((f"{number} {text[:50]}", 100 - number) for number in range(50))
    labels = tuple(LabelEstimate(f"{number} {text[:50]}", right, 7) for number in range(20) for right in (SHARE, None))
    production = ProductionEstimate("v3", SHARE, 62, 1200, 264, labels)
    card = StatsCard(text[:80], 3, 1, 2, 9, 0.81, 2.3, errors, production, BUDGET, PROMISE, "v3")
    return replace(card, **more)


def line(text: str = "Support tickets", **more: Any) -> QueueLine:
    return replace(QueueLine(text[:80], 3, 1, 2, numbers(text).production, "v3"), **more)


def dispute(text: str = "charged twice", **more: Any) -> Dispute:
    why = Coded(DisputeReason.NO_AGREEMENT, {"count": 5})
    return replace(Dispute(CardRef(7), "Support tickets", why, text, ("billing error", "refund", "delivery")), **more)


def scorecard(labels: int = 3, text: str = "") -> Scorecard:
    names = [f"{number} {text}"[:60] for number in range(labels)] if text else list(LABELS)
    golden = [GoldenRow(n, Input("text"), name, Stratum.RANDOM) for n, name in enumerate(names * 4)]
    golden += [GoldenRow(1000 + n, Input("text"), name, Stratum.PAST_ERROR) for n, name in enumerate(names)]
    right, wrong = [row.label for row in golden], names[-1]
    live = Predicted(tuple(label if n % 3 else wrong for n, label in enumerate(right)))
    new = Predicted(tuple(label if n % 4 else wrong for n, label in enumerate(right)))
    return compare(golden, live, new, support_policy().queues[0], "live")


def report(text: str = "", **more: Any) -> CandidateCard:
    card = CandidateCard(
        subject=CardRef(3),
        name="v3",
        queue_title=text[:80] or "Support tickets",
        state=ModelState.CANDIDATE,
        live_name="v2",
        scorecard=scorecard(text=text),
        effort=Effort(80, 175),
        passed=True,
        outdated=False,
        blocks=(),
        warnings=findings(text) * 2 if text else (),
        rows=40,
        corrections=10,
        written=WrittenRows(84, (2, 5, 7)),
        left_out=2,
        graduated=3,
        random_origins={Origin.SEED: 60, Origin.AUDITED: 20},
        graduates_left_out=1,
        erased=(),
        weighing=Coded(WeightChoice.POLICY, {"weight": 3.0}),
        approvals=(),
        approvals_needed=1,
        evaluation_id=5,
        decisions=(),
        superseded_by=None,
        open_items=OpenItems("ask", 0, 0),
        shadow=None,
        canary=None,
    )
    return replace(card, **more)


def pending(text: str = "", **more: Any) -> PendingCandidate:
    title = text[:80] or "Support tickets"
    card = PendingCandidate(CardRef(3), "v3", title, "v2", False, True, False, False, (), 1, 5)
    return replace(card, **more)
