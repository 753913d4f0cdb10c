"""Krippendorff's alpha: the published examples, what must not change it, and where it is not defined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality.agreement import Label, krippendorff_alpha

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", sections A to C: raters in rows, items in columns.
BINARY = ("0100000010", "1110010000")
NOMINAL = ("aabbdcccedda", "babbbcccedda"[:11] + "d")
MISSING = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")

Votes = list[tuple[int, str, Label]]


def table(*raters: str) -> Votes:
    """One column per item; a dot is a missing value."""
    return [
        (item, f"rater {rater}", value)
        for rater, values in enumerate(raters)
        for item, value in enumerate(values)
        if value != "."
    ]


@pytest.mark.parametrize(
    ("raters", "alpha"),
    [(BINARY, 0.095), (NOMINAL, 0.692), (MISSING, 0.743)],
    ids=["two raters, two labels", "two raters, five labels", "four raters, missing values"],
)
def test_alpha_is_that_of_the_published_example(raters: tuple[str, ...], alpha: float) -> None:
    assert krippendorff_alpha(table(*raters)) == pytest.approx(alpha, abs=0.0005)


@pytest.mark.parametrize(
    ("votes", "alpha"),
    [
        ([], None),
        (table("a"), None),
        (table("abc"), None),
        (table("aaa", "aaa"), None),
        ([(1, "ana", None), (1, "ben", None)], None),
        (table("ab", "ab"), 1.0),
        ([(1, "ana", None), (1, "ben", None), (2, "ana", "a"), (2, "ben", "a")], 1.0),
        (table("ab", "ba"), -0.5),
    ],
    ids=[
        "no votes",
        "a single vote",
        "one rater only",
        "all votes name one label",
        "all votes are none of these",
        "they always agree",
        "none of these is a label like any other",
        "they always differ",
    ],
)
def test_alpha_at_its_edges(votes: Votes, alpha: float | None) -> None:
    assert krippendorff_alpha(votes) == (None if alpha is None else pytest.approx(alpha))


def test_an_item_with_a_single_vote_says_nothing() -> None:
    assert krippendorff_alpha([*table(*MISSING), (99, "rater 0", "1")]) == krippendorff_alpha(table(*MISSING))


grids = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from("pqrs"), st.sampled_from(["a", "b", "c", None])),
    max_size=24,
    unique_by=lambda vote: vote[:2],
)


@given(grids.flatmap(lambda votes: st.tuples(st.just(votes), st.permutations(votes))))
def test_the_order_of_the_votes_does_not_matter(pair: tuple[Votes, Votes]) -> None:
    same(*pair)


@given(grids, st.permutations("pqrs"), st.permutations(range(7)), st.permutations(["a", "b", "c", None]))
def test_names_of_raters_items_and_labels_do_not_matter(
    votes: Votes, raters: list[str], items: list[int], labels: list[Label]
) -> None:
    rater_of, label_of = dict(zip("pqrs", raters, strict=True)), dict(zip(["a", "b", "c", None], labels, strict=True))
    same(votes, [(items[item], rater_of[rater], label_of[label]) for item, rater, label in votes])


@given(grids)
def test_alpha_is_one_only_where_all_agree(votes: Votes) -> None:
    alpha = krippendorff_alpha(votes)
    answers: dict[int, set[Label]] = {}
    for item, _rater, label in votes:
        answers.setdefault(item, set()).add(label)
    assert alpha is None or alpha <= 1
    if alpha is not None:
        assert (alpha == 1) == all(len(labels) == 1 for labels in answers.values())


def same(first: Votes, second: Votes) -> None:
    alpha = krippendorff_alpha(second)
    assert krippendorff_alpha(first) == (None if alpha is None else pytest.approx(alpha))
