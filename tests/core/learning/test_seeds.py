"""Labelled data to start from: the split by content, imports that overlap, errors by row."""

import pytest
from sqlalchemy import select

from core.errors import Invalid
from core.learning.data.golden import golden_set
from core.learning.data.seeds import Seeded, add_seeds
from core.records.learning import GoldenExample, SeedExample
from core.vocabulary import Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, Desk

ROWS = [(f"please send my money back, order {number}", REFUND if number % 2 else BILLING) for number in range(60)]


def seed(desk: Desk, rows: list[tuple[str, str]]) -> Seeded:
    with desk.database.transaction() as session:
        return add_seeds(session, rows, NOW, desk.rules)


def sides(desk: Desk) -> tuple[dict[str, str], dict[str, str]]:
    """Training and golden, text to label."""
    with desk.database.reading() as session:
        training = {row.text: row.label for row in session.scalars(select(SeedExample))}
        golden = {row.text: row.label for row in session.scalars(select(GoldenExample).order_by(GoldenExample.id))}
    return training, golden


def test_each_text_is_on_one_side_and_the_golden_side_knows_its_odds(desk: Desk) -> None:
    stored = seed(desk, ROWS)
    training, golden = sides(desk)
    assert (len(training), len(golden)) == (stored.training, stored.golden)
    assert training | golden == dict(ROWS)
    assert 8 <= stored.golden <= 30
    with desk.database.reading() as session:
        examples = session.scalars(select(GoldenExample)).all()
        assert {(row.stratum, row.inclusion_probability) for row in examples} == {(Stratum.RANDOM, 0.3)}
        assert [example.input.text for example in golden_set(session, desk.queue().id)] == list(golden)


def test_importing_again_in_parts_or_in_another_order_moves_nothing(desk: Desk) -> None:
    first = seed(desk, ROWS[:40])
    before = sides(desk)
    again = seed(desk, [(f"  {text.upper()}\n", label) for text, label in reversed(ROWS)])
    assert again.repeated == 40
    assert first.training + first.golden + again.training + again.golden == 60
    training, golden = sides(desk)
    assert before[0].items() <= training.items()
    assert before[1].items() <= golden.items()


def test_the_same_text_twice_in_one_file_keeps_its_first_label(desk: Desk) -> None:
    stored = seed(desk, [("money back!", REFUND), ("Money  BACK!", BILLING)])
    assert (stored.training + stored.golden, stored.repeated) == (1, 1)
    training, golden = sides(desk)
    assert training | golden == {"money back!": REFUND}


@pytest.mark.parametrize(("share", "golden"), [(0.0, 0), (1.0, 60)])
def test_a_share_of_nothing_and_of_everything(open_desk: OpenDesk, share: float, golden: int) -> None:
    desk = open_desk(golden={"seed_share": share})
    assert seed(desk, ROWS).golden == golden


def test_a_larger_share_only_adds_golden_examples(open_desk: OpenDesk) -> None:
    small = open_desk(golden={"seed_share": 0.2})
    seed(small, ROWS)
    before = sides(small)[1]
    later = small.under(golden={"seed_share": 0.5})
    assert seed(later, [("a new text", REFUND)]).repeated == 0
    assert before.items() <= sides(later)[1].items()


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (("where is it?", "spam"), "label", "Row 3: “spam” is not a label of support."),
        ((" \n\t", REFUND), "text", "Row 3: the text is empty"),
        (("\x00", REFUND), "text", "Row 3: the text is empty"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_stored(desk: Desk, row: tuple[str, str], field: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        seed(desk, [*ROWS[:2], row, *ROWS[2:]])
    assert refusal.value.field == field
    assert sides(desk) == ({}, {})


def test_what_no_database_takes_is_left_out(desk: Desk) -> None:
    seed(desk, [("a\x00b\ud800c", REFUND)])
    training, golden = sides(desk)
    assert training | golden == {"ab?c": REFUND}
