import io

import matplotlib.image
import pytest

from bot.slack.delivery.chart import alt_text, draw_report
from core.learning.data.inputs import Input
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.scorecard import Baseline, Scorecard
from core.policy import LabelPolicy, QueuePolicy
from core.vocabulary import Stratum

POLICY = QueuePolicy(
    name="support",
    channel="C1",
    leads_channel="C2",
    leads=("UCLEO",),
    labels=(LabelPolicy(name="a"), LabelPolicy(name="b")),
)
Answer = tuple[str, str, str]  # right label, live, candidate
REFUND_RISES: list[Answer] = [("refund", "login", "refund")] * 3 + [("refund", "refund", "refund")] * 7
LOGIN_FALLS: list[Answer] = [("login", "login", "refund")] * 1 + [("login", "login", "login")] * 3
FIXED: list[Answer] = [("login", "refund", "login"), ("login", "refund", "refund")]


def card(answers: list[Answer], past: list[Answer], baseline: Baseline = "live") -> Scorecard:
    strata = [Stratum.RANDOM] * len(answers) + [Stratum.PAST_ERROR] * len(past)
    both = answers + past
    golden = [
        GoldenRow(at, Input("text"), one[0], stratum)
        for at, (one, stratum) in enumerate(zip(both, strata, strict=True))
    ]
    live, candidate = Predicted(tuple(one[1] for one in both)), Predicted(tuple(one[2] for one in both))
    return compare(golden, live, candidate, POLICY, baseline)


def size(png: bytes) -> tuple[int, ...]:
    return tuple(matplotlib.image.imread(io.BytesIO(png)).shape[:2])


def test_it_is_a_picture_of_the_size_that_slack_shows_whole() -> None:
    png = draw_report(card(REFUND_RISES + LOGIN_FALLS, FIXED), "Support: candidate v2 against live v1")
    assert png.startswith(b"\x89PNG")
    assert size(png) == (675, 1200)


@pytest.mark.slow
def test_the_same_report_is_the_same_picture_and_another_is_not() -> None:
    report = card(REFUND_RISES + LOGIN_FALLS, FIXED)
    assert draw_report(report, "Support") == draw_report(report, "Support")
    assert draw_report(report, "Support") != draw_report(card(REFUND_RISES, FIXED), "Support")


@pytest.mark.parametrize("past", [[], FIXED])
@pytest.mark.parametrize("answers", [[], LOGIN_FALLS, [("a", "a", "a")]])
def test_missing_parts_are_drawn_as_missing(answers: list[Answer], past: list[Answer]) -> None:
    assert size(draw_report(card(answers, past), "")) == (675, 1200)


def test_a_label_is_text_and_never_a_formula() -> None:
    odd: list[Answer] = [("$100$_{ \\frac", "b", "$100$_{ \\frac"), ("über/ﬁn & <co>", "b", "über/ﬁn & <co>")]
    assert size(draw_report(card(odd, []), "$x$_{ \\alpha")) == (675, 1200)


def test_more_labels_than_fit_are_left_out_of_the_picture_and_the_words() -> None:
    many: list[Answer] = [(f"label {at:02}", "x", f"label {at:02}" if at else "x") for at in range(40)]
    report = card(many, [])
    assert size(draw_report(report, "t" * 300)) == (675, 1200)
    assert alt_text(report).count("label ") == 12


def test_the_words_say_what_the_picture_shows() -> None:
    assert alt_text(card(REFUND_RISES + LOGIN_FALLS, FIXED)) == (
        "Accuracy on the golden set. Random: live model 79%, candidate 93% of 14. "
        "Past errors: live model 0%, candidate 50% of 2. Recall in points: login −25, refund +30."
    )
    assert alt_text(card([("a", "a", "a")], [], "recorded")) == (
        "Accuracy on the golden set. Random: sender's model 100%, candidate 100% of 1. No label's recall changed."
    )
    assert alt_text(card([], [])) == "Accuracy on the golden set. No label's recall changed."


def test_the_words_fit_into_slacks_thousand_characters() -> None:
    long: list[Answer] = [("x" * 200 + str(at), "y", "x" * 200 + str(at)) for at in range(12)]
    assert len(alt_text(card(long, []))) == 1000
