"""The quick check of plain rows beside the whole one, which any other mapping than a dictionary gets."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.intake.limits import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, LONGEST_VALUE
from core.intake.plain_rows import plain_row
from core.intake.predictions import NewPrediction, checked_prediction
from core.policy import QueuePolicy
from tests.core.desk import UNSURE, sent
from tests.people import support_policy

RULES = support_policy().queues[0]
MASKED = support_policy(privacy={"keep_original": False, "mask": ["email"]}).queues[0]
LABELS = RULES.label_names

odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", " ", "a\x00", "\ud800", " a ", "\x1c", "é", "漢字", 7, True, 1.5, float("nan"), ["a"], {}]
)
names = st.sampled_from(["T-1", "model 2", "x" * LONGEST_ID, "x" * (LONGEST_ID + 1)]) | odd
texts = st.sampled_from(["words", "écrit\nà ana@example.com", "x" * (LONGEST_TEXT + 1), "\x1f\x85"]) | odd
chances = st.sampled_from([0, 1, 0.5, 0.51, 0.52, 1.01, -0.1]) | odd
values = st.sampled_from(["mail", "ana@example.com", "x" * (LONGEST_VALUE + 1)]) | odd
fields = st.dictionaries(st.sampled_from(["channel", "x" * (LONGEST_NAME + 1), "a\x00"]), values, max_size=3)
labels = st.sampled_from([*LABELS, "no label of ours"]) | odd
anything: dict[str, st.SearchStrategy[Any]] = {
    "external_id": names,
    "model_version": names,
    "text": texts,
    "fields": fields | odd,
    "label": labels,
    "confidence": chances,
    "probabilities": st.dictionaries(st.sampled_from([*LABELS, "other"]), chances, max_size=3) | odd,
    "group": names,
    "link": st.just("https://example.com/1"),
}
changes = st.sampled_from([*anything]).flatmap(lambda name: anything[name].map(lambda value: {name: value}))
usual = st.fixed_dictionaries(
    {
        "external_id": st.just("T-1"),
        "model_version": st.just("m"),
        "text": st.sampled_from(["words", "à ana@example.com"]),
    },
    optional={
        "fields": st.just({"channel": "ana@example.com"}),
        "label": st.sampled_from(LABELS),
        "confidence": st.sampled_from([0, 1, 0.5]),
        "probabilities": st.dictionaries(st.sampled_from(LABELS), st.sampled_from([0, 1, 0.5, 0.52]), max_size=3),
        "group": st.just("p"),
    },
)


def outcome(row: Any, policy: QueuePolicy) -> NewPrediction | tuple[str, str | None]:
    try:
        return checked_prediction(row, policy)
    except Invalid as problem:
        return str(problem), problem.field


@pytest.mark.slow
@settings(max_examples=500)
@given(usual, changes | st.just({}), st.sampled_from([RULES, MASKED]))
def test_a_row_is_the_same_by_both_checks(row: dict[str, Any], change: dict[str, Any], policy: QueuePolicy) -> None:
    row |= change
    quick, whole = outcome(row, policy), outcome(MappingProxyType(row), policy)
    assert repr(quick) == repr(whole)
    assert isinstance(quick, NewPrediction) or plain_row(row, policy) is None


@pytest.mark.parametrize(
    "row",
    [
        sent("words"),
        sent("漢字 and more", fields={"channel": "mail"}, group="p-1"),
        {"external_id": "1", "model_version": "m", "text": "t", "label": LABELS[0], "confidence": 1},
        sent("words") | {"label": LABELS[0]},
    ],
    ids=["probabilities", "fields and a group", "label and confidence", "label and probabilities"],
)
def test_a_usual_row_is_plain(row: dict[str, Any]) -> None:
    assert plain_row(row, RULES) is not None


def test_what_a_plain_row_holds_is_copied() -> None:
    row = sent("words", dict(UNSURE), fields={"channel": "mail"})
    made = checked_prediction(row, RULES)
    row["fields"]["channel"], row["probabilities"][LABELS[0]] = "phone", 0
    assert made.fields == {"channel": "mail"}
    assert made.probabilities == UNSURE
