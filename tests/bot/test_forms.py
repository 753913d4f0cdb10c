"""The forms: Slack takes each of them with any text and any number of labels, and each says what is asked."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.views import forms
from core.delivery.card_refs import CardRef
from core.errors import NotAllowed
from core.policy import LabelPolicy
from core.review.cards import FormCard, GivenReason
from core.review.history import (
    Answered,
    AskedAgain,
    Drawn,
    Erased,
    Escalated,
    Flagged,
    HistoryLine,
    Opened,
    PredictionMade,
    Settled,
    Step,
)
from core.vocabulary import (
    AnswerKind,
    Coded,
    Destination,
    DisputeReason,
    ErrorReason,
    QuestionAbout,
    Reason,
)
from tests.bot.cards import AT, findings, report
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.people import ANA, BEN, CLEO, support_policy


def form(labels: int = 3, **more: Any) -> FormCard:
    offered = tuple(LabelPolicy(name=f"label {number}", description="d" * 300) for number in range(labels))
    return replace(
        FormCard(
            CardRef(7, 1764000000123456), "charged twice", None, None, offered, None, None, True, None, "", "Be fair."
        ),
        **more,
    )


@pytest.mark.parametrize("count", [2, 98, 99, 100, 101, 1000])
def test_slack_takes_the_form_with_any_number_of_labels(count: int) -> None:
    label = {"kind": AnswerKind.LABEL}
    unlabelled: list[dict[str, Any]] = [{"kind": kind} for kind in AnswerKind if kind is not AnswerKind.LABEL]
    for given in ({}, label | {"label": "label 1"}, label | {"label": "a label of the past"}, *unlabelled):
        for may_pass in (True, False):
            check(forms.answer_form(form(count, may_pass=may_pass, **given), 0))


def test_slack_takes_the_form_with_any_text() -> None:
    for text in HOSTILE:
        check(forms.answer_form(form(text=text, note=text, guideline=text, reason=ErrorReason.OTHER), 0))


def test_a_form_starts_with_the_persons_own_answer() -> None:
    said = check(forms.answer_form(form(label="label 1", reason=ErrorReason.NEW_CLASS, note="twice"), 0))
    assert answer_of(json.loads(said))["initial_option"]["value"] == "label 1"
    assert '"initial_value": "twice"' in said


@pytest.mark.parametrize("count", [3, 1000])
@pytest.mark.parametrize(
    ("kind", "words"),
    [(AnswerKind.NONE_OF_THESE, "None of these"), (AnswerKind.CANNOT_JUDGE, "Cannot judge"), (AnswerKind.SKIP, None)],
)
def test_a_form_starts_with_an_answer_that_has_no_label(count: int, kind: AnswerKind, words: str | None) -> None:
    element = answer_of(forms.answer_form(form(count, kind=kind), 0).body)
    assert element.get("initial_option", {}).get("text", {}).get("text") == words


def test_a_form_offers_to_say_that_one_cannot_judge_unless_it_is_for_a_lead_to_decide() -> None:
    offered = [option["text"]["text"] for option in answer_of(forms.answer_form(form(), 0).body)["options"]]
    assert offered[-2:] == ["None of these", "Cannot judge"]
    left = [option["text"]["text"] for option in answer_of(forms.answer_form(form(may_pass=False), 0).body)["options"]]
    assert left == offered[:-1]


def answer_of(form: dict[str, Any]) -> dict[str, Any]:
    """The element in which the answer is chosen."""
    [found] = [block["element"] for block in form["blocks"] if block.get("block_id") == "label"]
    return dict(found)


def test_the_form_of_a_dispute_shows_a_lead_what_the_reviewers_said() -> None:
    dispute: dict[str, Any] = {"dispute": Coded(DisputeReason.NO_AGREEMENT, {"count": 3})}
    for text in HOSTILE:
        given = (
            GivenReason("refund", ErrorReason.AMBIGUOUS, text[:1000], ANA),
            GivenReason("delivery", None, "", None),
        )
        check(forms.answer_form(form(answers=given * 15, **dispute), 0))
    given = (GivenReason("refund", ErrorReason.AMBIGUOUS, "both fit", ANA), GivenReason("can't judge", None, "", None))
    said = check(forms.answer_form(form(answers=given, **dispute), 0))
    assert "*A lead decides because 3 votes didn't settle it.*" in said
    assert f'"• <@{ANA}>: refund _ambiguous: several labels fit_ both fit"' in said
    assert "• can't judge" in said
    assert "No reviewer has voted." in check(forms.answer_form(form(answers=(), **dispute), 0))
    assert "Until then, only leads see the votes and reasons." in check(forms.answer_form(form(**dispute), 0))
    assert "lead" not in check(forms.answer_form(form(), 0))


def test_labels_are_found_by_name_first_and_none_of_these_too() -> None:
    labels = [LabelPolicy(name="delivery", description="a late refund"), LabelPolicy(name="refund")]
    found = [option["value"] for option in forms.matching_labels(labels, " REF ")]
    assert found == ["refund", "delivery"]
    assert [option["text"]["text"] for option in forms.matching_labels(labels, "none")] == ["None of these"]
    assert [option["text"]["text"] for option in forms.matching_labels(labels, "judge")] == ["Cannot judge"]
    many = [LabelPolicy(name=f"label {number}") for number in range(1000)]
    assert len(forms.matching_labels(many, "")) == 100
    assert forms.matching_labels(many, "zzz") == []


def history(text: str) -> list[HistoryLine]:
    """A step of every kind."""
    label, reason = text[:60] or "refund", ErrorReason.OTHER
    steps: list[Step] = [
        PredictionMade(text[:200], label, 0.5),
        Drawn(0.05, True, 0.1, False, True),
        Flagged(Coded(Reason.PERSON), ANA, "b" * 16),
        AskedAgain(QuestionAbout.GOLDEN, text[:200], CLEO),
        Opened(blind=True),
        Answered(BEN, AnswerKind.LABEL, label, reason, text[:1000], 1, replaced=True),
        Escalated(Coded(DisputeReason.NO_AGREEMENT, {"count": 3}), {label: 2}, {label: (ANA, BEN)}),
        Escalated(Coded(text), {label: 2}, {}),
        Settled(
            label, {label: 2, text[:59]: 1}, True, CLEO, QuestionAbout.PREDICTION, False, Destination.TRAINING, "b" * 16
        ),
        Settled(label, {}, True, None, QuestionAbout.GOLDEN, None, Destination.GOLDEN, "b" * 16, reason, text[:1000]),
        Settled(label, {label: 2, text[:59]: 1}, False, None, QuestionAbout.GOLDEN, None, Destination.GOLDEN, "b" * 16),
        Erased(was_settled=True),
    ]
    return [HistoryLine(AT, step) for step in steps]


def test_slack_takes_the_other_forms_with_any_text() -> None:
    queues = support_policy().queues * 120
    for text in HOSTILE:
        check(forms.how_decided(7, history(text) * 20))
        check(forms.flag_form(queues, text, "C1|17.5"))
        check(forms.sentence(text, text))
        check(forms.refused(text, NotAllowed(text, ask=[CLEO])))
        check(forms.overrule_form(report(text, blocks=findings(text) * 3)))


def test_the_reason_is_asked_for_however_many_problems_the_gate_has() -> None:
    said = check(forms.overrule_form(report(blocks=findings("label") * 100)))
    assert "Why should it go live anyway?" in said
