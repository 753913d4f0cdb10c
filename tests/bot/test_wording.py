"""Every code has its sentence, one of a newer release a neutral one, and what strangers gave stays without effect."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.slack.errors import KNOWN, leads_remedy, operator_remedy
from bot.slack.views import notice
from bot.slack.views.mrkdwn import MRKDWN, asking, moment, refusal
from bot.wording import answers, cards, disputes, flags, runs
from bot.wording.budget import budget_sentences, preview_sentences
from bot.wording.decisions import DECIDED, stays_live
from bot.wording.disputes import dispute_sentence, escalation_sentence
from bot.wording.flags import flag_sentence
from bot.wording.format import PLAIN
from bot.wording.gate import BASELINES, SHORT, gate_sentence
from bot.wording.golden import suspect
from bot.wording.item_history import item_step
from bot.wording.model_history import SOURCES
from bot.wording.numbers import percent, signed
from bot.wording.runs import run_problem, run_step
from bot.wording.shadow import shadow_state
from bot.wording.weighing import UNKNOWN_CHOICE, weighing
from core.errors import NotAllowed, NotFound
from core.intake.budget_preview import BudgetPreview
from core.learning.lifecycle.label_suspects import Suspicion
from core.learning.lifecycle.shadow import ShadowTimes
from core.people.permissions import why_inactive
from core.review.budget_reading import BudgetReading
from core.review.history import Answered, AskedAgain, Escalated, Settled
from core.vocabulary import (
    GOLDLOOP,
    OPERATOR,
    AnswerKind,
    Card,
    Coded,
    DecisionKind,
    Destination,
    DisputeReason,
    ErrorReason,
    GateBlock,
    GateWarning,
    InactiveReason,
    NoticeKind,
    QuestionAbout,
    Reason,
    RunProblem,
    RunStep,
    Source,
    SuspectReason,
    SweepReason,
    Trigger,
    WeightChoice,
)
from tests.bot.hostile import HOSTILE, live_marks
from tests.people import ANA, BEN, CLEO, DAN, EVA, LEADS, REVIEW

NEWER = "from_a_newer_release"
RIGHT = {"baseline": "live", "n": 20, "live": 18, "candidate": 9}

FLAGS = [
    (Reason.UNCERTAIN, {"confidence": 0.25, "threshold": 0.8}, "Asked because the model is below 80%."),
    (Reason.UNCERTAIN, {"confidence": 0.45, "second": 0.4}, "Asked because two labels are close (45% and 40%)."),
    (
        Reason.UNCERTAIN,
        {"confidence": 0.62, "budget": "60 a day"},
        "Asked because this is one of the model's least sure predictions (62%); the budget is 60 a day.",
    ),
    (Reason.AUDIT, {"share": 0.05}, "Asked as a random check (5% of all predictions)."),
    (
        Reason.HELD_BACK,
        {"share": 0.1},
        "Asked as a random check (10% of the flagged predictions); not used for training.",
    ),
    (Reason.PERSON, {}, "Flagged by <@U_BEN>."),
    (
        Reason.DISAGREEMENT,
        {"label": "refund", "model": "v3"},
        "Asked because another model, v3, says “refund”.",
    ),
    (
        Reason.DRIFT,
        {"label": "refund", "sign": "none_of_these"},
        "Asked because no label fits more and more texts that the model calls “refund”.",
    ),
    (
        Reason.DRIFT,
        {"label": "refund", "sign": "corrections"},
        "Asked because “refund” was corrected more often than usual lately.",
    ),
    (
        Reason.WEAK_SLICE,
        {"request": 3, "kind": "field", "name": "channel", "value": "fax", "other": ""},
        "Asked because the model is often wrong here: channel = “fax”.",
    ),
    (
        Reason.DISCOVERY,
        {"scan": 3, "label": "refund", "second": "delivery"},
        "Found by a scan: the model can't tell “refund” from “delivery” here.",
    ),
    (Reason.DISCOVERY, {"scan": 3, "wanted": "refund"}, "Found by a scan for texts about “refund”."),
    (Reason.DISCOVERY, {"scan": 3, "foreign": True}, "Found by a scan for texts of another kind than this queue's."),
]
DISPUTES = [
    (DisputeReason.CANNOT_JUDGE, {"count": 2}, "A lead decides because 2 reviewers can't judge it."),
    (DisputeReason.NO_AGREEMENT, {"count": 3}, "A lead decides because 3 votes didn't settle it."),
    (DisputeReason.NO_REVIEWER_LEFT, {}, "A lead decides because no other reviewer is available."),
]
ESCALATIONS = [
    (DisputeReason.CANNOT_JUDGE, {"count": 2}, "2 reviewers can't judge it, so a lead decides."),
    (DisputeReason.NO_AGREEMENT, {"count": 3}, "The votes disagree, so a lead decides."),
    (DisputeReason.NO_REVIEWER_LEFT, {}, "No other reviewer is available, so a lead decides."),
]
STEPS = [
    (RunStep.WAITING, {}, "waiting for a worker"),
    (RunStep.SHADOW, {"model": "v3"}, "waiting until the shadow of v3 has ended"),
    (RunStep.SNAPSHOT_TAKEN, {"rows": 1}, "snapshot of 1 row taken"),
    (RunStep.OTHER_RUN, {"run": 3}, "waiting until the service has answered training run 3"),
    (
        RunStep.SERVICE_ASKED,
        {"rows": 300, "golden": 120, "until": "2026-11-25T09:00:00+00:00"},
        "300 rows handed out to the service, its answers to 120 golden inputs are due by 2026-11-25 09:00 UTC",
    ),
    (
        RunStep.SERVICE_REFUSED,
        {"sentence": "2 answers are missing.", "until": "2026-11-25T09:00:00+00:00"},
        "the service's answers were refused, others are due by 2026-11-25 09:00 UTC. 2 answers are missing.",
    ),
    (RunStep.SERVICE_AWAY, {"sentence": "It is away."}, "waiting for the service to predict. It is away."),
    (RunStep.WEIGHING, {"part": 2, "parts": 12}, "measuring the weight of corrections, part 2 of 12"),
    (RunStep.ROWS_LEFT_OUT, {"rows": 2, "reads": ["text"]}, "leaving out 2 rows without text"),
    (RunStep.ENCODING, {"rows": 40}, "encoding 40 texts"),
    (RunStep.CALIBRATING, {"part": 1, "parts": 3}, "calibrating, part 1 of 3"),
    (RunStep.FITTING, {"rows": 300}, "fitting on 300 rows"),
    (RunStep.OTHER, {"phrase": "downloading"}, "downloading"),
    (RunStep.DONE, {}, "done"),
]
PROBLEMS = [
    (RunProblem.REFUSED, {"sentence": "There is nothing to learn."}, "There is nothing to learn."),
    (
        RunProblem.ROWS_ERASED,
        {"fits": 3},
        "Training rows were erased while a model learned from them, 3 times in a row. Retrain.",
    ),
    (RunProblem.WORKER_DIED, {"attempts": 5}, "Its worker stopped 5 times."),
    (RunProblem.FAILED_REPEATEDLY, {"attempts": 5}, "It failed 5 times. The log has the reason."),
]
BLOCKS = [
    (
        GateBlock.BEHIND_GUESS,
        {"n": 60, "guess": 40, "candidate": 31},
        "Right about 31 of 60 random golden examples; always guessing the most common label of its training rows is "
        "right about 40.",
    ),
    (
        GateBlock.WORSE,
        {"baseline": "live", "n": 130, "regressions": 9, "improvements": 1, "p_value": 0.0004},
        "Worse on 130 random golden examples: 9 newly wrong, 1 newly right. "
        "Two equally good models differ this much in fewer than 0.1% of comparisons.",
    ),
    (
        GateBlock.MORE_REGRESSIONS,
        {"baseline": "live", "n": 236, "past_errors": 100, "regressions": 16, "improvements": 8, "p_value": 0.076},
        "More golden examples are newly wrong (16) than newly right (8), of 236 that count. "
        "Two equally good models differ this much in 7.6% of comparisons.",
    ),
    (
        GateBlock.PIN_REGRESSED,
        {"baseline": "live", "examples": [4, 7]},
        "2 pinned past errors would be wrong again: #4, #7. Any retraining gets 3 to 10 of 100 wrong again, so this "
        "alone doesn't mean that the candidate is worse.",
    ),
    (
        GateBlock.LABEL_WORSE,
        RIGHT | {"label": "refund", "p_value": 0.011},
        "“refund” gets worse. Random golden examples right: live 18/20, candidate 9/20. "
        "Two equally good models differ this much in 1.1% of comparisons.",
    ),
    (
        GateBlock.ROWS_GONE,
        {"label": "refund", "live": 24, "candidate": 0},
        "“refund” has lost its training rows: the live model was trained on 24 of them, the candidate on none. Check "
        "the newest corrections. If you merged it into another label on purpose, overrule the gate.",
    ),
    (
        GateBlock.SILENT_LABEL,
        {"label": "refund", "texts": 3000, "live": 140, "candidate": 2, "p_value": 0.0001},
        "“refund” would hardly be used any more: of the last 3000 stored inputs, the live model gives it to 140, the "
        "candidate to 2. Check the training rows. If you merged it into another label on purpose, overrule the gate.",
    ),
    (
        GateBlock.LABELS_EXCHANGED,
        {"labels": ["login", "refund"], "texts": 3000, "live": [50, 44], "exchanged": [41, 38]},
        "“login” and “refund” have changed places: of the last 3000 stored inputs, the candidate calls 41 of 50 "
        "“login” texts “refund” and 38 of 44 “refund” texts “login”. Check the labels of the training rows.",
    ),
    (
        GateBlock.LABELS_SWAPPED,
        {"labels": ["login", "refund"]},
        "“login” and “refund” look swapped: the candidate mistakes most golden examples of each for the other. "
        "Check the labels of the training rows.",
    ),
    (
        GateBlock.LABEL_LOST,
        {"baseline": "recorded", "label": "refund", "n": 6, "live": 5},
        "“refund” is lost. Golden examples right: sender's model 5/6, candidate 0/6",
    ),
    (
        GateBlock.TRAINING_WORSE,
        {"n": 400, "regressions": 31, "improvements": 4, "p_value": 0.0000004},
        "Worse on held-out training rows: of 400 that the live model was trained on too, 31 are newly wrong and 4 "
        "newly right. Two equally good models differ this much in fewer than 0.1% of comparisons. The newest "
        "corrections may have wrong labels: check them. If the meaning of a label was changed on purpose, "
        "overrule the gate.",
    ),
]
WARNINGS = [
    (
        GateWarning.LIVE_UNUSABLE,
        {"sentence": "The stored model is damaged."},
        "The candidate wasn't compared with the live model, which can't be opened: The stored model is damaged.",
    ),
    (
        GateWarning.NOTHING_TESTED,
        {"past_errors": 0},
        "Nothing could be tested: there are no golden examples that count.",
    ),
    (
        GateWarning.NO_RANDOM_EXAMPLES,
        {"past_errors": 12},
        "There are no random golden examples: the candidate was tested on 12 past errors alone.",
    ),
    (
        GateWarning.FEW_EXAMPLES,
        {"n": 120, "detectable_drop": 0.069},
        "Only 120 random golden examples: by themselves they would not show a drop of less than 6.9 points.",
    ),
    (
        GateWarning.DROP_POSSIBLE,
        {"drop": 0.019, "measured": -0.01, "allowed": 0.01},
        "A drop of up to 1.9 points can't be ruled out (measured: \u22121.0; limit: 1.0 points).",
    ),
    (
        GateWarning.LABELS_UNTESTED,
        {"untested": 12, "labels": 12, "needed": 20},
        "Too few examples to test any label by itself",
    ),
    (
        GateWarning.UNREVIEWED_WORSE,
        {"live": 41, "live_n": 41, "candidate": 39, "candidate_n": 40},
        "Unreviewed answers right: live 41/41, candidate 39/40",
    ),
    (
        GateWarning.CONFIDENCE_WORSE,
        {"live": 0.03, "candidate": 0.18},
        "The candidate's confidence is off by 18.0 points on average, the live model's by 3.0 points. "
        "The review threshold would select other predictions.",
    ),
    (
        GateWarning.NO_HELD_OUT,
        {},
        "Held-out training rows can't be compared: a service doesn't say what it answers to them. The golden examples "
        "and the stored inputs decide alone.",
    ),
    (
        GateWarning.FEW_TRAINING_ROWS,
        {"rows": {"login": 0, "refund": 2}, "floor": 3},
        "Labels with fewer than 3 training rows: “login” (0), “refund” (2). The model can hardly learn them.",
    ),
    (
        GateWarning.FEW_TRAINING_ROWS,
        {"rows": dict.fromkeys("abcdefg", 1), "floor": 3},
        "Labels with fewer than 3 training rows: “a” (1), “b” (1), “c” (1), “d” (1), “e” (1) and 2 more. "
        "The model can hardly learn them.",
    ),
    (
        GateWarning.NO_MODEL_TO_COMPARE,
        {},
        "There was no model to compare with. A first model has no rival, so the numbers stand beside always guessing "
        "the most common label of its training rows.",
    ),
    (
        GateWarning.NOT_COMPARED,
        {"count": 2},
        "2 golden examples without a recorded prediction could not be compared.",
    ),
]
TRIALS = [{"weight": 1.0, "accuracy": 0.85, "seconds": 5.0}, {"weight": 2.0, "accuracy": 0.861, "seconds": 6.0}]
MEASURED = {"weight": 2.0, "rows": 300, "rows_before": 200, "learner": "text", "seconds": 11.2, "trials": TRIALS}
COMPARED = (
    "Rows that correct the model have weight 2. Accuracy on held-out rows: 85.0% with weight 1, 86.1% with weight 2."
)
WEIGHINGS: list[tuple[WeightChoice, dict[str, Any], str]] = [
    (WeightChoice.POLICY, {"weight": 2.5}, "Rows that correct the model have weight 2.5, as set in the policy."),
    (
        WeightChoice.MEASURED,
        MEASURED | {"why": SweepReason.ROWS_GREW},
        f"{COMPARED} Measured because training rows have grown from 200 to 300. It took 11 seconds.",
    ),
    (
        WeightChoice.MEASURED,
        MEASURED | {"why": SweepReason.FIRST, "seconds": 0.25},
        f"{COMPARED} Measured for the first time. It took 0.2 seconds.",
    ),
    (
        WeightChoice.MEASURED,
        MEASURED | {"why": SweepReason.LEARNER_CHANGED},
        f"{COMPARED} Measured because the learner has changed. It took 11 seconds.",
    ),
    (
        WeightChoice.KEPT,
        {"weight": 3.0, "run": 4, "rows": 230, "rows_before": 200},
        "Rows that correct the model have weight 3, as measured by training run 4 (200 rows then, 230 rows now).",
    ),
    (
        WeightChoice.EXTERNAL,
        {"weight": 2.0},
        "Rows that correct the model have weight 2. A service trains, so other weights were not compared.",
    ),
    (WeightChoice.NO_CORRECTIONS, {"weight": 2.0}, "No training row corrects the model."),
    (
        WeightChoice.TOO_FEW,
        {"weight": 2.0, "corrections": 12, "needed": 30},
        "Rows that correct the model have weight 2: 12 training rows correct it, and weights are compared from 30 on.",
    ),
    (
        WeightChoice.TOO_FEW,
        {"weight": 2.0, "corrections": 1, "needed": 30},
        "Rows that correct the model have weight 2: 1 training row corrects it, and weights are compared from 30 on.",
    ),
    (
        WeightChoice.REFUSED,
        {"weight": 2.0, "sentence": "There is nothing to learn."},
        "Rows that correct the model have weight 2. Other weights could not be compared: There is nothing to learn.",
    ),
]
SINCE = int(datetime(2026, 11, 24, 9, tzinfo=UTC).timestamp())
NINE = f"<!date^{SINCE}^{{date_short_pretty}} {{time}}|2026-11-24 09:00 UTC>"
CANARY = {"queue": "Support tickets", "name": "support", "model": "v3", "former": "v2", "n": 40, "regressions": 9,
          "improvements": 1}  # fmt: skip
PROMOTED = {"queue": "Support tickets", "name": "support", "model": "v3", "former": "v2", "leads": [CLEO],
            "reason": "worse on mondays", "gate_passed": True, "erased_rows": 0}  # fmt: skip
UNNAMED = PROMOTED | {"leads": [], "former": None}  # without marks of our own
FLAGGED = {"item": 7, "external_id": f"slack:C0HELP:{SINCE}.000100"}
NOTICES: list[tuple[NoticeKind, dict[str, Any], str]] = [
    (
        NoticeKind.NOT_A_LEAD,
        {"sentence": "Only leads of Support tickets can decide on models.", "ask": [CLEO]},
        "Only leads of Support tickets can decide on models. Ask <@U_CLEO>.",
    ),
    (NoticeKind.REACTION_REFUSED, {"sentence": "v1 is already live.", "ask": []}, "v1 is already live."),
    (
        NoticeKind.DISPUTES_WAITING,
        {"queue": "Support tickets", "items": [[7, [REVIEW, "1.000100"]]], "more": 0},
        "Support tickets: item 7 is disputed. Leads: decide on its card, or on my Home tab.",
    ),
    (
        NoticeKind.DISPUTES_WAITING,
        {"queue": "Support tickets", "items": [[7, None], [9, None]], "more": 4},
        "Support tickets: 6 items are disputed: item 7, item 9 and 4 more. Leads: decide on their cards, or on my Home "
        "tab.",
    ),
    (
        NoticeKind.SHADOW_OVER,
        {"queue": "Support tickets", "model": "v2", "n": 30, "agreed": 28, "report": [LEADS, "1.000100"]},
        "Support tickets: v2: its shadow is over, and it agreed with the stored answers on 28 of 30 predictions. "
        "Leads: read its report, then react to it with :white_check_mark: or :x:.",
    ),
    (
        NoticeKind.SHADOW_OVER,
        {"queue": "Support tickets", "model": "v2", "n": 0, "agreed": 0, "report": None},
        "Support tickets: v2: its shadow is over, and no predictions arrived meanwhile. Leads: read its report, then "
        "react to it with :white_check_mark: or :x:.",
    ),
    (
        NoticeKind.DECISION_PENDING,
        {"queue": "Support tickets", "model": "v1", "hours": 24.0},
        "Support tickets: v1 has been waiting 24 hours for a decision.",
    ),
    (
        NoticeKind.DECISION_EXPIRED,
        {"queue": "Support tickets", "model": "v1", "hours": 168.0},
        "Support tickets: v1: no decision within 168 hours, so it is not live. Leads: react to its report with "
        ":white_check_mark: or :x:. I'll ask again if no decision is made.",
    ),
    (
        NoticeKind.STAYS_LIVE,
        PROMOTED | {"kind": "overrule", "at": SINCE},
        f"Support tickets: v3 stays live, promoted against the gate by <@U_CLEO> {NINE}. Removing your check mark "
        "changed nothing. To bring v2 back, type `/goldloop rollback support` and say why.",
    ),
    (
        NoticeKind.STAYS_LIVE,
        PROMOTED | {"kind": "promote", "at": SINCE, "former": None},
        f"Support tickets: v3 stays live, promoted by <@U_CLEO> {NINE}. Removing your check mark changed nothing. "
        "There is no earlier model to go back to.",
    ),
    (
        NoticeKind.ROLLED_BACK,
        PROMOTED | {"model": "v2", "former": "v3"},
        "Support tickets: v2 is live again. v3 was rolled back by <@U_CLEO>: “worse on mondays”.",
    ),
    (
        NoticeKind.ROLLED_BACK,
        PROMOTED | {"model": "v2", "former": "v3", "leads": [OPERATOR], "reason": "", "erased_rows": 1},
        "Support tickets: v2 is live again. v3 was rolled back by the operator, who gave no reason. v2 learned from 1 "
        "row erased since.",
    ),
    (
        NoticeKind.OVERRULED,
        PROMOTED | {"gate_passed": False},
        "Support tickets: v3 is live, although the golden gate refused it. Promoted by <@U_CLEO>: “worse on mondays”. "
        "To bring v2 back, type `/goldloop rollback support` and say why.",
    ),
    (
        NoticeKind.OVERRULED,
        PROMOTED | {"gate_passed": False, "erased_rows": 2, "former": None},
        "Support tickets: v3 is live, although the golden gate refused it and it learned from 2 rows erased since. "
        "Promoted by <@U_CLEO>: “worse on mondays”.",
    ),
    (
        NoticeKind.CANARY_WORSE,
        CANARY,
        "Support tickets: v3 looks worse than v2. Of 40 settled items, 9 newly wrong and 1 newly right. Equally good "
        "models differ this much in 1.1% of comparisons. I propose to roll back. Leads: decide with the buttons on its "
        "report, or type `/goldloop rollback support`. Nothing happens without you.",
    ),
    (
        NoticeKind.CANARY_NOT_YET,
        CANARY | {"n": 12},
        "Support tickets: v3: its canary is over, but too few items are settled to compare it with v2. "
        "Not yet: 12 of 30 settled items that a comparison needs. It goes on until there are enough, or a lead ends it "
        "with the button on its report.",
    ),
    (
        NoticeKind.CANARY_PASSED,
        CANARY | {"regressions": 0},
        "Support tickets: v3 answers all requests now: not worse than v2. Of 40 settled items, 0 newly wrong and 1 "
        "newly right. Equally good models differ this much in 100.0% of comparisons.",
    ),
    (
        NoticeKind.COMPARISON_FAILED,
        {"queue": "support", "model": "v1", "problem": {"code": "worker_died", "values": {"attempts": 5}}},
        "support: v1 could not be compared with the live model. Its worker stopped 5 times. "
        "Use `/goldloop retrain` to make a new candidate.",
    ),
    (
        NoticeKind.FLAGGED_SETTLED,
        FLAGGED | {"label": "refund", "model_label": "billing error", "by_lead": False},
        f"You flagged a message from {NINE} in <#C0HELP> for review (item 7). The reviewers decided: refund. The model "
        "had said billing error.",
    ),
    (
        NoticeKind.FLAGGED_SETTLED,
        FLAGGED | {"label": "refund", "model_label": "refund", "by_lead": True},
        f"You flagged a message from {NINE} in <#C0HELP> for review (item 7). A lead decided: refund. "
        "The model had said the same.",
    ),
    (
        NoticeKind.FLAGGED_SETTLED,
        FLAGGED | {"external_id": "T-17", "label": None, "model_label": None, "by_lead": True},
        "You flagged T-17 for review (item 7). A lead decided: none of the labels fits.",
    ),
    (
        NoticeKind.FLAGGED_ERASED,
        FLAGGED,
        f"You flagged a message from {NINE} in <#C0HELP> for review (item 7). Its text was erased before anything was "
        "decided, so the item is closed.",
    ),
    (
        NoticeKind.CHANNEL_BLOCKED,
        {"channel": REVIEW, "error": "is_archived", "waiting": 1},
        "I can't post in <#C_REVIEW>. The channel is archived. Unarchive the channel, or name another one in the "
        "policy. 1 message is waiting.",
    ),
    (
        NoticeKind.MESSAGES_REFUSED,
        {"channel": LEADS, "error": "invalid_blocks", "count": 3, "cards": [["review_item", 7], ["run", 2]]},
        "I can't post 3 messages in <#C_LEADS> (item 7, run 2, …): invalid_blocks. Other messages still "
        "arrive. `goldloop doctor` says what to do; `goldloop retry-deliveries` sends them again.",
    ),
    (
        NoticeKind.INCIDENT_RESOLVED,
        {"channel": "", "since": SINCE},
        f"Resolved: I can post again, after failing since <!date^{SINCE}^{{date_short_pretty}} {{time}}|"
        "2026-11-24 09:00 UTC>. Waiting messages follow now.",
    ),
]


@pytest.mark.parametrize(("code", "values", "sentence"), FLAGS)
def test_each_reason_to_flag_has_its_sentence(code: str, values: dict[str, Any], sentence: str) -> None:
    assert flag_sentence(Coded(code, values), BEN, MRKDWN) == sentence


@pytest.mark.parametrize(("code", "values", "sentence"), DISPUTES)
def test_each_reason_for_a_dispute_has_its_sentence(code: str, values: dict[str, Any], sentence: str) -> None:
    assert dispute_sentence(Coded(code, values)) == sentence


@pytest.mark.parametrize(("code", "values", "sentence"), ESCALATIONS)
def test_each_reason_for_a_dispute_has_its_sentence_in_a_receipt(
    code: str, values: dict[str, Any], sentence: str
) -> None:
    assert escalation_sentence(Coded(code, values)) == sentence


@pytest.mark.parametrize(("code", "values", "words"), STEPS)
def test_each_step_of_a_run_has_its_words(code: str, values: dict[str, Any], words: str) -> None:
    assert run_step(Coded(code, values), PLAIN) == words


@pytest.mark.parametrize(("code", "values", "sentence"), PROBLEMS)
def test_each_problem_of_a_run_has_its_sentence(code: str, values: dict[str, Any], sentence: str) -> None:
    assert run_problem(Coded(code, values), PLAIN) == sentence


@pytest.mark.parametrize(("code", "values", "sentence"), [*BLOCKS, *WARNINGS])
def test_each_finding_of_the_gate_has_its_sentence(code: str, values: dict[str, Any], sentence: str) -> None:
    assert gate_sentence(Coded(code, values), PLAIN) == sentence


@pytest.mark.parametrize(("code", "values", "sentences"), WEIGHINGS)
def test_each_choice_of_a_weight_has_its_sentences(code: str, values: dict[str, Any], sentences: str) -> None:
    assert weighing(Coded(code, values), PLAIN) == sentences


@pytest.mark.parametrize(("kind", "values", "sentence"), NOTICES)
def test_each_notice_has_its_sentence(kind: str, values: dict[str, Any], sentence: str) -> None:
    assert notice.render(kind, values) == sentence


def test_the_notice_of_a_dispute_leads_to_its_card() -> None:
    values = {"queue": "Support tickets", "items": [[7, [REVIEW, "1.000100"]], [9, None]], "more": 0}
    said = notice.render(NoticeKind.DISPUTES_WAITING, values, "https://acme.example/")
    assert f"<https://acme.example/archives/{REVIEW}/p1000100|item 7> and item 9." in said


def test_the_notice_of_a_shadow_that_is_over_leads_to_the_report() -> None:
    values = {"queue": "Support tickets", "model": "v2", "n": 0, "agreed": 0, "report": [LEADS, "1.000100"]}
    said = notice.render(NoticeKind.SHADOW_OVER, values, "https://acme.example/")
    assert f"read <https://acme.example/archives/{LEADS}/p1000100|its report>, then" in said


@pytest.mark.parametrize(
    ("vocabulary", "told"),
    [
        (Reason, [code for code, *_rest in FLAGS]),
        (DisputeReason, [code for code, *_rest in DISPUTES]),
        (DisputeReason, [code for code, *_rest in ESCALATIONS]),
        (RunStep, [code for code, *_rest in STEPS]),
        (RunProblem, [code for code, *_rest in PROBLEMS]),
        (WeightChoice, [code for code, *_rest in WEIGHINGS]),
        (SweepReason, [values["why"] for _code, values, _words in WEIGHINGS if "why" in values]),
        (GateBlock, [code for code, *_rest in BLOCKS]),
        (GateWarning, [code for code, *_rest in WARNINGS]),
        (NoticeKind, [kind for kind, *_rest in NOTICES]),
        (ErrorReason, list(answers.REASONS)),
        (Destination, list(answers.DESTINATIONS)),
        (DecisionKind, list(DECIDED)),
        (Source, list(SOURCES)),
        (Trigger, list(runs.TRIGGERS)),
    ],
)
def test_no_code_is_forgotten(vocabulary: Any, told: list[str]) -> None:
    assert set(told) == set(vocabulary)


def test_a_code_of_a_newer_release_has_a_neutral_sentence() -> None:
    newer = Coded(NEWER, {"what": "ever"})
    assert flag_sentence(newer, None, PLAIN) == flags.UNKNOWN
    assert dispute_sentence(newer) == escalation_sentence(newer) == disputes.UNKNOWN
    assert run_step(newer, PLAIN) == runs.UNKNOWN_STEP
    assert run_problem(newer, PLAIN) == runs.UNKNOWN_PROBLEM
    assert weighing(newer, PLAIN) == UNKNOWN_CHOICE
    assert "newer version" in gate_sentence(newer, PLAIN)
    assert notice.render(NEWER, {}) == notice.UNKNOWN
    assert cards.card_name(NEWER, 7) == "message 7"
    assert why_inactive(NEWER) == "this account can't act here"


def test_every_card_and_every_reason_to_be_inactive_has_a_name() -> None:
    assert len({cards.card_name(card, 7) for card in Card}) == len(Card)
    assert len({why_inactive(reason) for reason in InactiveReason}) == len(InactiveReason)
    assert set(BASELINES) == set(SHORT)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_gave_has_no_effect_inside_a_sentence(text: str) -> None:
    said = [
        run_step(Coded(RunStep.OTHER, {"phrase": text}), MRKDWN),
        run_problem(Coded(RunProblem.REFUSED, {"sentence": text}), MRKDWN),
        gate_sentence(Coded(GateBlock.LABELS_SWAPPED, {"labels": [text, text]}), MRKDWN),
        gate_sentence(Coded(GateWarning.FEW_TRAINING_ROWS, {"rows": {text: 1}, "floor": 3}), MRKDWN),
        flag_sentence(
            Coded(Reason.WEAK_SLICE, {"kind": "field", "name": text, "value": text, "other": text}), None, MRKDWN
        ),
        weighing(Coded(WeightChoice.REFUSED, {"weight": 2.0, "sentence": text}), MRKDWN),
        gate_sentence(Coded(GateBlock.LABEL_LOST, RIGHT | {"label": text}), MRKDWN),
        gate_sentence(Coded(GateWarning.LIVE_UNUSABLE, {"sentence": text}), MRKDWN),
        gate_sentence(Coded(text), MRKDWN),
        flag_sentence(Coded(Reason.DISAGREEMENT, {"label": text, "model": text}), None, MRKDWN),
        flag_sentence(Coded(Reason.DRIFT, {"label": text, "sign": "corrections"}), None, MRKDWN),
        flag_sentence(Coded(Reason.DRIFT, {"label": text, "sign": "none_of_these"}), None, MRKDWN),
        notice.render(NoticeKind.REACTION_REFUSED, {"sentence": text, "ask": []}),
        notice.render(NoticeKind.DISPUTES_WAITING, {"queue": text, "items": [[7, None]], "more": 0}),
        notice.render(NoticeKind.DISPUTES_WAITING, {"queue": text, "items": [[7, None]], "more": 2}),
        notice.render(NoticeKind.SHADOW_OVER, {"queue": text, "model": "v1", "n": 1, "agreed": 1, "report": None}),
        notice.render(NoticeKind.DECISION_PENDING, {"queue": text, "model": "v1", "hours": 1}),
        notice.render(NoticeKind.ROLLED_BACK, UNNAMED | {"queue": text, "reason": text}),
        notice.render(
            NoticeKind.FLAGGED_SETTLED,
            {"item": 7, "external_id": text, "label": text, "model_label": text, "by_lead": True},
        ),
        notice.render(
            NoticeKind.FLAGGED_SETTLED,
            {"item": 7, "external_id": text, "label": text, "model_label": "x", "by_lead": True},
        ),
        stays_live(UNNAMED | {"queue": text, "kind": "promote"}, "", MRKDWN),
        notice.render(NoticeKind.OVERRULED, UNNAMED | {"queue": text, "reason": text}),
        notice.render(NoticeKind.MESSAGES_REFUSED, {"channel": "", "error": text, "count": 1, "cards": []}),
        notice.render(NoticeKind.CHANNEL_BLOCKED, {"channel": "", "error": text, "waiting": 1}),
        flag_sentence(Coded(Reason.DISCOVERY, {"label": text, "second": text}), None, MRKDWN),
        flag_sentence(Coded(Reason.DISCOVERY, {"wanted": text}), None, MRKDWN),
    ]
    assert [mark for sentence in said for mark in live_marks(sentence.replace("<#>", ""))] == []


def test_a_refusal_names_the_people_who_can_help_by_mention() -> None:
    refused = NotAllowed("Only reviewers of Support tickets can vote.", ask=(CLEO,))
    assert refusal(refused) == "Only reviewers of Support tickets can vote. Ask <@U_CLEO>."
    assert asking("No.", ["S_LEADS", DAN]) == "No. Ask <!subteam^S_LEADS> or <@U_DAN>."
    assert asking("No.", [ANA, BEN, CLEO, EVA]) == "No. Ask <@U_ANA>, <@U_BEN> or <@U_CLEO>."
    assert refusal(NotFound("<gone>")) == "&lt;gone&gt;"


def test_the_terminal_says_whether_a_shadow_still_runs() -> None:
    ends = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert shadow_state(ShadowTimes(ends, None)) == "The shadow is running until 2026-11-24 09:00 UTC. So far:"
    assert shadow_state(ShadowTimes(ends, ends)) == "The shadow was over at 2026-11-24 09:00 UTC."


def test_a_time_in_a_refusal_is_shown_in_the_readers_zone() -> None:
    values = {"sentence": "v2 is in shadow until 2026-11-24 09:00 UTC. Wait.", "ask": []}
    assert notice.render(NoticeKind.REACTION_REFUSED, values) == f"v2 is in shadow until {NINE}. Wait."
    assert asking("2026-99-24 09:00 UTC", []) == "2026-99-24 09:00 UTC"


def test_people_are_mentioned_in_slack_and_named_by_id_in_the_terminal() -> None:
    assert (MRKDWN.person(BEN), PLAIN.person(BEN)) == ("<@U_BEN>", BEN)
    assert MRKDWN.person(OPERATOR) == PLAIN.person(OPERATOR) == "the operator"


def test_a_history_says_what_came_after_an_answer() -> None:
    def said(kind: AnswerKind, replaced: bool) -> str:
        label = "refund" if kind is AnswerKind.LABEL else None
        return item_step(Answered(ANA, kind, label, None, "", 1, replaced), PLAIN)

    assert said(AnswerKind.LABEL, replaced=False) == f"{ANA} chose refund under guideline 1."
    assert said(AnswerKind.LABEL, replaced=True) == f"{ANA} chose refund under guideline 1. Changed later."
    assert said(AnswerKind.WITHDRAWN, replaced=False) == f"{ANA} withdrew their answer."
    assert said(AnswerKind.WITHDRAWN, replaced=True) == f"{ANA} withdrew their answer, and answered again later."


def test_a_history_says_when_an_item_went_to_a_lead_and_what_the_lead_decided() -> None:
    split = Coded(DisputeReason.NO_AGREEMENT, {"count": 3})
    sent = "Sent to a lead because 3 votes didn't settle it"
    tally, names = {"refund": 2, "delivery": 1}, {"refund": (ANA, BEN), "delivery": (EVA,)}
    assert item_step(Escalated(split, {}, {}), MRKDWN) == f"{sent}."
    assert item_step(Escalated(split, tally, {}), MRKDWN) == f"{sent} (2 × refund, 1 × delivery)."
    assert item_step(Escalated(split, tally, names), MRKDWN) == (
        f"{sent} (refund: <@{ANA}>, <@{BEN}>; delivery: <@{EVA}>)."
    )
    about, goes = QuestionAbout.GOLDEN, Destination.GOLDEN
    decided = Settled("refund", tally, True, CLEO, about, None, goes, "b7", ErrorReason.AMBIGUOUS, "rule 4")
    assert item_step(decided, MRKDWN) == (
        f"Decided by <@{CLEO}>: refund (votes: 2 × refund, 1 × delivery); added to the golden set, never used for "
        "training (policy b7). Reason: ambiguous: several labels fit. Note: “rule 4”."
    )


def test_who_asked_without_a_person_is_named_and_not_mentioned() -> None:
    step = AskedAgain(QuestionAbout.GOLDEN, "golden example 1", GOLDLOOP)
    for form in (PLAIN, MRKDWN):
        assert item_step(step, form) == "Goldloop asked for a second look at the golden label of golden example 1."


def test_a_suspect_is_named_with_both_labels() -> None:
    golden = Suspicion((QuestionAbout.GOLDEN, "", 7), SuspectReason.OUT_OF_FOLD, "refund", "billing", 0.814)
    assert suspect(golden, PLAIN) == "golden example 7: refund; models that were trained without it say billing (+0.81)"
    row = Suspicion((QuestionAbout.TRAINING_ROW, "seed", 3), SuspectReason.SEED_CONFLICT, "refund", "billing", 1)
    assert suspect(row, PLAIN) == "seed 3: refund; the seed data says billing (+1.00)"


def test_times_are_in_the_readers_zone_with_utc_for_what_cannot_show_it() -> None:
    at = datetime(2026, 11, 24, 9, 5, 59, tzinfo=UTC)
    assert moment(at) == "<!date^1795511159^{date_short_pretty} {time}|2026-11-24 09:05 UTC>"


def test_numbers_have_one_sign_for_minus_and_no_needless_digits() -> None:
    assert (signed(-0.0123), signed(0.0123), signed(0)) == ("\u22121.2", "+1.2", "+0.0")
    assert (percent(0.8), percent(0.995), percent(0)) == ("80%", "99.5%", "0%")


def test_slacks_errors_have_a_remedy_for_the_operator_and_one_for_leads() -> None:
    assert "Invite me there" in leads_remedy("not_in_channel")
    assert "(Slack says odd_word.)" in leads_remedy("odd_word")
    assert operator_remedy("odd_word") == ""
    assert "`goldloop manifest`," in operator_remedy("missing_scope")
    assert "`goldloop manifest --groups`," in operator_remedy("missing_scope", groups=True)
    assert all(leads_remedy(word) for word in KNOWN)


def test_todays_budget_is_said_in_whole_sentences() -> None:
    assert budget_sentences(BudgetReading("20%", 60, 41, 12, 3)) == (
        "The budget is 20%. Today it allows 60 items, of which 41 were opened. 12 predictions wait for room. "
        "In the last 7 days, 3 lapsed without a review, after a week on the waiting list."
    )
    allowed = "Today it allows 60 items, as a lead has agreed for the promise, of which 41 were opened."
    assert allowed in budget_sentences(BudgetReading("20%", 60, 41, 12, 3), agreed=60)
    assert "agreed" not in budget_sentences(BudgetReading("20%", 60, 41, 12, 3), agreed=40), "the budget allows more"
    young = budget_sentences(BudgetReading("20%", None, 4, 1, 0), agreed=60)
    assert (
        "How many items it allows is known when a whole day has passed; 4 were opened today. 1 prediction waits"
        in young
    )


def test_the_preview_of_a_budget_says_what_it_would_have_come_to_and_how_to_make_it_count() -> None:
    said = preview_sentences(BudgetPreview(28, 8400, 1680, 420, 2210, 15, 12), "60 a day")
    assert said == (
        "8,400 predictions came in the last 28 days. With a budget of 60 a day, 1,680 items would have been opened "
        "(60 a day), 420 of them as random checks; 2,210 were. Of 15 wrong answers that random checks found, it would "
        "have flagged 12. "
        'To use it, set `flagging.budget = "60 a day"` in the policy file and run `goldloop policy reload`.'
    )
    assert "what it would miss is not known" in preview_sentences(BudgetPreview(28, 8400, 1, 1, 2210, 0, 0), "1 a day")
    nothing = preview_sentences(BudgetPreview(0, 0, 0, 0, 0, 0, 0), "60 a day")
    assert "There are no predictions" in nothing
    assert "Only whole days before today count: if the first predictions came today, ask again tomorrow." in nothing
