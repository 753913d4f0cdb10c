"""The second check for near-duplicates: it agrees with the filter, which goes another way, and stops a run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from core.learning.data import leakage
from core.learning.data.golden import Golden
from core.learning.data.inputs import ImageRef, Input
from core.learning.data.leakage import CHECKED, Proven, check_apart, exclude_near_duplicates
from core.learning.data.picture_similarity import NEAR, near_pictures
from core.learning.data.seeds import add_seeds
from core.learning.data.similarity_check import count_alike, count_alike_pictures
from core.learning.data.snapshots import LeakageError, Row
from core.learning.data.text_similarity import near_texts
from core.learning.lifecycle import training
from core.pictures.decoding import decode
from core.records.learning import Snapshot
from core.vocabulary import Source, Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import DELIVERY, NOW
from tests.core.models import seeded, trained
from tests.people import support_policy
from tests.pictures import as_file, bars, drawn, seen

POLICY = support_policy().queues[0]
GOLDEN = "where is the parcel that i ordered last week"
CLOSE = "where is the parcel that i ordered last week please"
REORDERED = "last week where is the parcel that i ordered"  # the same n-grams
FAR = "you charged my card twice for the same lamp"


def row(text: str, number: int = 1) -> Row:
    made = Input(text)
    return Row(Source.CORRECTION, number, made, "refund", 1.0, made.content_hash)


def golden(text: str, number: int = 1) -> Golden:
    made = Input(text)
    return Golden(number, made, "refund", Stratum.RANDOM, made.content_hash)


def test_it_counts_texts_that_are_near_another() -> None:
    others = [FAR, GOLDEN]
    assert count_alike([CLOSE, GOLDEN, "a parcel", ""], others, 0.92) == 2
    assert count_alike([CLOSE], others, 0.999) == 0
    assert count_alike([GOLDEN], others, 1 - 1e-9) == 1
    assert count_alike([GOLDEN], [], 0.92) == count_alike([], [GOLDEN], 0.92) == 0


texts = st.lists(st.text("ab ", max_size=12), max_size=6)


@pytest.mark.slow
@given(texts, texts, st.floats(0.3, 0.99))
@settings(max_examples=40, deadline=None)
def test_what_it_finds_the_filter_finds_too(some: list[str], others: list[str], threshold: float) -> None:
    assert count_alike(some, others, threshold + 1e-4) <= int(near_texts(some, others, threshold).sum())


def test_it_finds_what_was_made_near_among_many() -> None:
    rng = np.random.default_rng(1)
    words = [f"word{number}" for number in range(400)]
    sentences = [" ".join(rng.choice(words, 10, replace=False)) for _ in range(300)]
    near = [sentence + " please" for sentence in sentences[:40]]
    assert count_alike(near, sentences, 0.9) == int(near_texts(near, sentences, 0.9).sum()) == 40


def test_a_row_that_the_filter_let_through_stops_the_run() -> None:
    assert exclude_near_duplicates([row(REORDERED)], [golden(GOLDEN)], POLICY) == []
    with pytest.raises(LeakageError, match="2 texts of the training set and the golden set are near-duplicates"):
        check_apart([row(REORDERED), row(FAR, 2)], [golden(GOLDEN)], Proven(), POLICY)
    check_apart([row(FAR)], [golden(GOLDEN)], Proven(), POLICY)


@pytest.mark.slow
def test_a_training_run_stores_no_snapshot_if_the_filter_has_a_fault(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(golden={"seed_share": 1.0})
    with desk.database.transaction() as session:
        add_seeds(session, [(GOLDEN, DELIVERY)], NOW, desk.rules)
    desk = seeded(desk.under(golden={"seed_share": 0.0}))
    with desk.database.transaction() as session:
        add_seeds(session, [(REORDERED, DELIVERY)], NOW, desk.rules)
    monkeypatch.setattr(training, "exclude_near_duplicates", lambda rows, *_others: rows)
    with pytest.raises(LeakageError, match="2 texts"):
        trained(desk)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Snapshot)) == 0


def test_only_pairs_of_which_one_is_new_are_checked() -> None:
    old, later = row(REORDERED), golden(GOLDEN, 7)
    check_apart([old], [later], Proven(frozenset([old.content_hash]), 7), POLICY)
    for before in (Proven(frozenset([old.content_hash]), 6), Proven(frozenset(), 7)):
        with pytest.raises(LeakageError):
            check_apart([old], [later], before, POLICY)


def test_its_work_is_bounded_and_the_newest_rows_are_checked() -> None:
    crowd = [row(f"number {number} of a crowd of other rows", number) for number in range(CHECKED)]
    check_apart([row(REORDERED), *crowd], [golden(GOLDEN)], Proven(golden_up_to=1), POLICY)
    with pytest.raises(LeakageError):
        check_apart([*crowd, row(REORDERED)], [golden(GOLDEN)], Proven(golden_up_to=1), POLICY)


class TestPictures:
    def test_it_agrees_with_the_filter(self) -> None:
        original = [bars(number, True) for number in range(30)]
        others = [decode(as_file(one)).grey for one in original]
        copies = [decode(as_file(one.rotate(1), "JPEG", quality=70)).grey for one in original[:10]]
        fresh = [drawn(number, upright=False).grey for number in range(30, 60)]
        expected = int(near_pictures([*copies, *fresh], others).sum())
        assert expected > 0
        assert count_alike_pictures([*copies, *fresh], others, NEAR) == expected
        assert count_alike_pictures(others, others, 1 - 1e-9) == 30
        assert count_alike_pictures([bytes(4096)], [bytes(4096), others[0]], NEAR) == 0
        assert count_alike_pictures([], others, NEAR) == count_alike_pictures(others, [], NEAR) == 0

    def test_a_picture_that_the_filter_let_through_stops_the_run(self) -> None:
        one, other = drawn(1), drawn(2, upright=False)
        row = Row(Source.CORRECTION, 1, seen(one), "refund", 1.0, "content of the row")
        tested = [Golden(1, seen(one), "refund", Stratum.RANDOM, "content of the golden example")]
        with pytest.raises(LeakageError, match="2 pictures of the training set and the golden set are near-duplicates"):
            check_apart([row], tested, Proven(), POLICY)
        check_apart([replace(row, input=seen(other))], tested, Proven(), POLICY)
        check_apart([row], tested, Proven(frozenset([row.content_hash]), 1), POLICY)


def test_images_at_a_web_address_have_no_similarity() -> None:
    image = Input(image=ImageRef("https://files.example/A.png"))
    one = Row(Source.CORRECTION, 1, image, "refund", 1.0, image.content_hash)
    check_apart([one], [Golden(1, image, "refund", Stratum.RANDOM, "other")], Proven(), POLICY)
    assert leakage.ABOVE + POLICY.golden.near_duplicate < 1
