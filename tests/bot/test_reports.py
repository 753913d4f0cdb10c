"""A candidate's report in each of its states: Slack takes it, and it says where things stand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.slack.views import candidate
from core.learning.data.erased_rows import RowSource
from core.learning.data.synthetic import WrittenRows
from core.learning.evaluation.canary import Paired
from core.learning.evaluation.compare import Predicted, compare
from core.learning.evaluation.scorecard import PinScore
from core.learning.evaluation.stored_texts import TextScore
from core.learning.lifecycle.canary import CanaryLine, StillAnswering
from core.learning.lifecycle.cards import CandidateCard, DecisionLine
from core.learning.lifecycle.open_items import OpenItems
from core.learning.lifecycle.shadow import ShadowLine, report_of
from core.vocabulary import (
    OPERATOR,
    CanaryState,
    DecisionKind,
    ModelState,
    Source,
)
from tests.bot.cards import AT, findings, report, scorecard
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.people import CLEO, support_policy


def decision(kind: DecisionKind, *leads: str, reason: str = "") -> DecisionLine:
    return DecisionLine(AT, kind, leads, reason, "a" * 64, "b" * 16)


def canary(state: CanaryState, n: int = 40) -> CanaryLine:
    return CanaryLine(state, "v2", 0.2, AT, 1, 4, Paired(n, 9, 1))


REPORTS: dict[str, tuple[Callable[[str], CandidateCard], str]] = {
    "what it stands for": (report, "Random golden examples: 60 from seed data, 20 from audited traffic."),
    "by a service": (
        lambda t: report(t, service_version=t[:80] or "mine-7"),
        "Trained by a service, as its version “mine-7”, on 40 rows, including 10 corrections.",
    ),
    "graduates": (report, "3 past errors moved from the golden set to training."),
    "a graduate left out": (report, "golden examples, including 1 past error that had left the golden set."),
    "graduates left out": (
        lambda t: report(t, left_out=9, graduates_left_out=2),
        "golden examples, including 2 past errors that had left the golden set.",
    ),
    "passed": (report, "react with :white_check_mark: to promote it"),
    "one of two": (lambda t: report(t, approvals=(CLEO,), approvals_needed=2), f"1 of 2 leads (<@{CLEO}>)."),
    "refused": (lambda t: report(t, passed=False, blocks=findings(t) * 8), "A check mark won't promote it."),
    "outdated": (lambda t: report(t, outdated=True), "The live model has changed."),
    "soon in shadow": (lambda t: report(t, shadow=ShadowLine(None, None)), "It is in shadow from now on:"),
    "in shadow": (lambda t: report(t, shadow=ShadowLine(AT, None)), "To reject it now, react with :x:."),
    "after its shadow": (
        lambda t: report(t, shadow=ShadowLine(AT, report_of([(t[:60] or "refund", "delivery", 3), ("a", "a", 7)]))),
        "In shadow, it agreed with the stored answers on 7 of 10 predictions (70.0%).",
    ),
    "after a shadow without traffic": (
        lambda t: report(t, shadow=ShadowLine(AT, report_of([]))),
        "No predictions arrived during its shadow",
    ),
    "in its canary": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.RUNNING, n=12)),
        "v3 answers 20% of the requests, v2 the rest.* Not yet: 12 of 30 settled items",
    ),
    "proposed for rollback": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.PROPOSED)),
        "Of 40 settled items, 9 newly wrong and 1 newly right.",
    ),
    "live in part": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.RUNNING, n=12)),
        "v3 is live for 20% of the requests.",
    ),
    "beside a canary": (
        lambda t: report(t, state=ModelState.RETIRED, still_answers=StillAnswering("v4", 0.9)),
        "v3 still answers 90% of the requests*, until the canary of v4 is over. v4 answers the rest.",
    ),
    "after its canary": (
        lambda t: report(t, state=ModelState.RETIRED, canary=canary(CanaryState.PASSED)),
        "v3 was not worse than v2 in its canary",
    ),
    "what it does to open items": (report, "If it goes live, open items stay open and show its suggestion."),
    "what it closes": (
        lambda t: report(t, open_items=OpenItems("close", 0, 0)),
        "If it goes live, unanswered items that were flagged only because a model was unsure are closed.",
    ),
    "what it did to open items": (
        lambda t: report(t, state=ModelState.LIVE, open_items=OpenItems("close", 1, 3)),
        "Its suggestion was added to 1 open item. 3 unanswered items closed when it went live.",
    ),
    "live": (
        lambda t: report(t, state=ModelState.LIVE, decisions=(decision(DecisionKind.OVERRULE, CLEO, reason=t),)),
        f"promoted against the gate by <@{CLEO}>",
    ),
    "retired": (
        lambda t: report(t, state=ModelState.RETIRED, decisions=(decision(DecisionKind.ROLL_BACK, OPERATOR),) * 20),
        "brought back by the operator",
    ),
    "rejected": (
        lambda t: report(t, state=ModelState.REJECTED, decisions=(decision(DecisionKind.REJECT, CLEO),)),
        "*Rejected.*",
    ),
    "superseded": (lambda t: report(t, state=ModelState.SUPERSEDED, superseded_by="v4"), "*Superseded by v4.*"),
}


@pytest.mark.parametrize("state", REPORTS)
def test_slack_takes_a_report_in_each_state_and_it_says_where_things_stand(state: str) -> None:
    make, words = REPORTS[state]
    assert words in check(candidate.render(make("")))
    for text in HOSTILE[1:]:
        check(candidate.render(make(text[:3000])))


def test_a_report_says_its_numbers_in_words_too() -> None:
    drawn = candidate.render(report())
    check(drawn)
    assert "Random golden examples: 8 of 12 right before, " in drawn.text
    assert "Past errors: " in drawn.text


def test_a_report_opens_with_what_it_means_and_says_what_its_counts_mean() -> None:
    drawn = candidate.render(report())
    said = check(drawn)
    assert [block["type"] for block in drawn.blocks[:3]] == ["header", "section", "section"]
    assert drawn.blocks[1]["text"]["text"] == "*No measurable difference.*"
    assert "No measurable difference. *The golden gate passes it.*" in drawn.text
    counts = "Of 15 golden examples that count, 1 is newly wrong and 3 newly right. "
    assert counts in said
    assert counts in drawn.text
    assert "What counts: 12 random examples and 3 past errors." in said
    refused = candidate.render(report(passed=False, blocks=findings("refund")[:2]))
    assert "Worse: refused, because “refund” gets worse, and for 1 more reason." in check(refused)


def test_a_report_about_a_model_that_is_no_longer_live_does_not_say_what_it_means() -> None:
    drawn = candidate.render(report(outdated=True))
    assert "No measurable difference" not in check(drawn) + drawn.text


@pytest.mark.parametrize(
    ("passed", "why"),
    [(False, "the golden gate refused it"), (True, "it had learned from text that was erased")],
)
def test_the_card_of_an_overruled_model_says_so_first(passed: bool, why: str) -> None:
    line = decision(DecisionKind.OVERRULE, CLEO, reason="the errors were mislabelled")
    for state in (ModelState.LIVE, ModelState.RETIRED):
        drawn = candidate.render(report(passed=passed, state=state, decisions=(line,)))
        said = f":warning: *Promoted although {why}.* By <@{CLEO}>: “the errors were mislabelled”."
        assert drawn.blocks[1]["text"]["text"] == said
        assert f"compared with v2. Promoted although {why}. By <@{CLEO}>" in drawn.text


def test_a_model_that_took_over_from_an_overruled_one_says_nothing_of_it() -> None:
    line = replace(decision(DecisionKind.OVERRULE, CLEO, reason="a reason of its own"), instead="v4")
    assert "Promoted although" not in check(candidate.render(report(state=ModelState.RETIRED, decisions=(line,))))


def test_a_candidate_that_lost_all_its_labels_can_still_be_overruled() -> None:
    blocks = findings("refund")[:1] * 77
    said = check(candidate.render(report(passed=False, blocks=blocks)))
    assert "And 65 more reasons: `goldloop explain model 3` lists all." in said
    assert "Overrule…" in said


def test_a_report_shows_its_pinned_past_errors_and_the_stored_texts() -> None:
    texts = TextScore(40, ("refund",), (), ())
    pinned = replace(scorecard(), pins=PinScore((1000, 1001), ()), texts=texts)
    said = check(candidate.render(report(scorecard=pinned)))
    assert "Pinned past errors (2)" in said
    assert "none wrong again" in said
    assert "On the last 40 stored inputs, no label disappears and no two labels change places." in said
    broken = replace(pinned, pins=PinScore((1000, 1001), (1001,)))
    assert "wrong again: #1001" in check(candidate.render(report(scorecard=broken)))


def test_a_report_says_what_the_candidate_cost_and_what_it_gained() -> None:
    drawn = candidate.render(report())
    cost = "80 items, 175 votes since v2: +16.7 points (−19.2 to +47.8)."
    assert f"*Cost and gain:* {cost}" in check(drawn)
    assert f"Cost and gain: {cost}" in drawn.text
    assert "Cost and gain" not in check(candidate.render(report(effort=None)))
    first = check(candidate.render(report(live_name=None, scorecard=replace(scorecard(), baseline="majority"))))
    assert '*Cost and gain:* 80 items, 175 votes."' in first, "there was no model to be better than"


def test_a_report_names_the_confusions_that_changed() -> None:
    said = check(candidate.render(report()))
    assert "*Confusions that changed most*" in said
    assert "“delivery” where “refund” is right: 4 before, 1 now (better)" in said
    assert "“delivery” where “billing error” is right: 0 before, 1 now (worse)" in said


@pytest.mark.parametrize("state", CanaryState)
def test_a_canary_has_buttons_while_there_is_something_to_decide(state: CanaryState) -> None:
    for of_model in (ModelState.LIVE, ModelState.RETIRED):
        said = check(candidate.render(report(state=of_model, canary=canary(state))))
        undecided = state in (CanaryState.RUNNING, CanaryState.PROPOSED) and of_model is ModelState.LIVE
        assert ("Let v3 answer all" in said) == undecided
        assert ("Roll back to v2" in said) == (undecided and state is CanaryState.PROPOSED)


def test_a_report_says_which_of_its_rows_were_erased_since() -> None:
    said = check(candidate.render(report(erased=tuple(RowSource(Source.CORRECTION, number) for number in range(1, 8)))))
    assert "7 rows of its training data erased since (correction 1, correction 2, correction 3, correction 4, " in said
    assert "correction 5 and 2 more)." in said
    assert "A check mark won't promote it." in said


def test_only_what_the_gate_refused_and_is_current_can_be_overruled() -> None:
    for card, offered in (
        (report(passed=False, blocks=findings("refund")), True),
        (report(erased=(RowSource(Source.SEED, 7),)), True),
        (report(passed=False, blocks=findings("refund"), outdated=True), False),
        (report(passed=False, blocks=findings("refund"), state=ModelState.REJECTED), False),
        (report(), False),
    ):
        assert ("Overrule…" in check(candidate.render(card))) == offered


@pytest.mark.parametrize("count", [2, 20, 300])
def test_slack_takes_a_report_on_any_number_of_labels(count: int) -> None:
    check(candidate.render(report(scorecard=scorecard(count, "label"))))


def test_a_report_names_the_rows_that_a_language_model_wrote() -> None:
    assert "Trained with 84 synthetic rows of batches 2, 5, 7." in check(candidate.render(report()))
    one = check(candidate.render(report(written=WrittenRows(1, (2,)))))
    assert "Trained with 1 synthetic row of batch 2." in one
    assert "synthetic" not in check(candidate.render(report(written=WrittenRows(0, ()))))


def test_a_report_without_golden_examples_says_so() -> None:
    empty = compare([], Predicted(()), Predicted(()), support_policy().queues[0], "majority")
    said = check(candidate.render(report(scorecard=empty, live_name=None)))
    assert "no golden examples yet" in said
    assert "compared with always guessing the most common label of its training rows" in said
