"""Immutable training sets: what is in them, what is kept out, and what their hash covers."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.learning.data.golden import golden_set
from core.learning.data.inputs import ImageRef, Input
from core.learning.data.leakage import exclude_near_duplicates
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import LeakageError, Row, content_hash_of, gather, snapshot_rows, store
from core.records.learning import Snapshot
from core.vocabulary import Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, Desk
from tests.people import ANA, BEN

TRAIN_ALL, TEST_ALL = {"seed_share": 0.0}, {"seed_share": 1.0}


def seed(desk: Desk, *rows: tuple[str, str]) -> None:
    with desk.database.transaction() as session:
        add_seeds(session, rows, NOW, desk.rules)


def gathered(desk: Desk) -> list[Row]:
    with desk.database.reading() as session:
        return gather(session, desk.queue().id, desk.rules)


def seen(rows: list[Row]) -> list[tuple[str, str, float, Source]]:
    return [(row.input.text, row.label, row.weight, row.source) for row in rows]


def taken(desk: Desk) -> int:
    """The id of a snapshot of everything there is."""
    rows = gathered(desk)
    with desk.database.transaction() as session:
        golden = golden_set(session, desk.queue().id)
        clean = exclude_near_duplicates(rows, golden, desk.rules)
        return store(session, desk.queue().id, clean, len(rows) - len(clean), golden, NOW, desk.rules).id


def stored(desk: Desk, snapshot_id: int) -> tuple[Snapshot, list[Row]]:
    with desk.database.reading() as session:
        return session.get_one(Snapshot, snapshot_id), snapshot_rows(session, snapshot_id)


def test_corrections_weigh_more_than_seeds_and_confirmations_less_than_errors(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL, retraining={"error_weight": 3, "confirmed_weight": 1.5})
    seed(desk, ("where is it", DELIVERY))
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    desk.settled(ANA, BEN, answer=REFUND, text="money back")
    assert seen(gathered(desk)) == [
        ("where is it", DELIVERY, 1.0, Source.SEED),
        ("charged twice", BILLING, 3.0, Source.CORRECTION),
        ("money back", REFUND, 1.5, Source.CORRECTION),
    ]


def test_a_correction_counts_before_a_seed_and_a_newer_one_before_an_older(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    seed(desk, ("Charged twice!", REFUND), ("where is it", DELIVERY))
    desk.settled(ANA, BEN, answer=DELIVERY, text="charged  TWICE!")
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice!", model_version="sender-2")
    assert seen(gathered(desk)) == [
        ("where is it", DELIVERY, 1.0, Source.SEED),
        ("charged twice!", BILLING, 2.0, Source.CORRECTION),
    ]


def test_what_has_no_label_or_a_label_of_the_past_does_not_train(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    seed(desk, ("where is it", DELIVERY), ("money back", REFUND))
    desk.settled(ANA, BEN, answer=NONE, text="hello?")
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    assert [row.input.text for row in gathered(desk)] == ["where is it", "money back", "charged twice"]
    narrower = desk.under(labels=[REFUND, BILLING])
    assert [row.input.text for row in gathered(narrower)] == ["money back", "charged twice"]


IMAGE, OTHER_IMAGE = "https://files.example/A.png", "https://files.example/B.png"


def test_an_image_is_a_row_like_any_other_and_read_back_with_its_fields(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    seed(desk, ("where is it", DELIVERY))
    desk.settled(ANA, BEN, answer=BILLING, text=None, image_url=IMAGE, fields={"Patient": "P-7"})
    desk.settled(ANA, BEN, answer=REFUND, text="see the picture", image_url=IMAGE)
    rows = gathered(desk)
    assert [row.input for row in rows] == [
        Input("where is it"),
        Input(image=ImageRef(IMAGE), fields={"Patient": "P-7"}),
        Input("see the picture", ImageRef(IMAGE)),
    ]
    assert [row.content_hash for row in rows] == [row.input.content_hash for row in rows]
    assert stored(desk, taken(desk))[1] == rows


def test_of_one_image_the_newest_correction_counts(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    for answer, version in ((BILLING, "sender-1"), (REFUND, "sender-2")):
        desk.settled(ANA, BEN, answer=answer, text=None, image_url=IMAGE, model_version=version)
    assert [row.label for row in gathered(desk)] == [REFUND]


def test_an_image_that_is_golden_does_not_train_and_another_one_does(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    desk.settled(ANA, BEN, answer=BILLING, text=None, image_url=IMAGE)
    desk = desk.under(golden=TRAIN_ALL, review={"blind_share": 0.0})
    for address in (IMAGE, OTHER_IMAGE):
        desk.settled(ANA, BEN, answer=BILLING, text=None, image_url=address)
    snapshot, rows = stored(desk, taken(desk))
    assert (snapshot.rows, snapshot.near_golden_left_out) == (1, 1)
    assert [row.input.image_url for row in rows] == [OTHER_IMAGE]


def test_nothing_golden_is_gathered(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    seed(desk.under(golden=TEST_ALL), ("where is it", DELIVERY))
    assert gathered(desk) == []


def test_rows_near_a_golden_example_are_left_out_and_counted(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TEST_ALL)
    seed(desk, ("please refund my order of monday", REFUND))
    desk = desk.under(golden=TRAIN_ALL)
    seed(
        desk,
        ("please refund my order of mondays", REFUND),
        ("of monday my order refund please", REFUND),
        ("where is my parcel", DELIVERY),
    )
    snapshot, rows = stored(desk, taken(desk))
    assert (snapshot.rows, snapshot.near_golden_left_out) == (1, 2)
    assert [row.input.text for row in rows] == ["where is my parcel"]


def test_how_near_is_too_near_is_policy(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TEST_ALL)
    seed(desk, ("please refund my order of monday", REFUND))
    strict = desk.under(golden=TRAIN_ALL | {"near_duplicate": 0.5})
    seed(strict, ("please refund my order of friday", REFUND), ("where is it", DELIVERY))
    assert stored(strict, taken(strict))[0].near_golden_left_out == 1
    lenient = desk.under(golden=TRAIN_ALL | {"near_duplicate": 1.0})
    assert stored(lenient, taken(lenient))[0].near_golden_left_out == 0


def test_a_row_that_became_golden_meanwhile_stops_the_snapshot(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    seed(desk, ("charged twice", BILLING))
    rows = gathered(desk)
    desk.under(review={"blind_share": 1.0}).settled(ANA, BEN, answer=BILLING, text="Charged twice")
    with (
        pytest.raises(LeakageError, match="1 training rows have become golden"),
        desk.database.transaction() as session,
    ):
        store(session, desk.queue().id, rows, 0, [], NOW, desk.rules)
    with desk.database.reading() as session:
        assert session.scalars(select(Snapshot)).all() == []


def test_a_snapshot_is_read_back_as_it_was_taken_whatever_comes_later(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    seed(desk, ("where is it", DELIVERY), ("charged twice", REFUND))
    desk.settled(ANA, BEN, answer=REFUND, text="money back")
    rows, snapshot_id = gathered(desk), taken(desk)
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    desk.settled(ANA, BEN, answer=DELIVERY, text="money back", model_version="sender-2")
    assert gathered(desk) != rows
    snapshot, read = stored(desk, snapshot_id)
    assert read == rows
    assert snapshot.content_hash == content_hash_of(read)
    assert snapshot.rows == 3
    assert snapshot.policy_fingerprint == desk.rules.fingerprint


def test_more_rows_than_one_insert_takes_keep_their_order(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    rows = [Row(Source.SEED, number, Input(""), REFUND, 1.0, f"{number:064}") for number in range(1_001)]
    with desk.database.transaction() as session:
        snapshot_id = store(session, desk.queue().id, rows, 0, [], NOW, desk.rules).id
    _snapshot, read = stored(desk, snapshot_id)
    assert [row.source_id for row in read] == list(range(1_001))


ROW = Row(Source.SEED, 1, Input("money back"), REFUND, 1.0, "a" * 64)
OTHER = replace(ROW, source_id=2, content_hash="b" * 64)


def test_the_hash_is_the_same_on_every_machine() -> None:
    lines = [f'["seed", {row.source_id}, "{row.content_hash}", "refund", 1.0]\n' for row in (ROW, OTHER)]
    assert content_hash_of([ROW, OTHER]) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert content_hash_of([replace(ROW, weight=1), OTHER]) == content_hash_of([ROW, OTHER])


@pytest.mark.parametrize(
    "rows",
    [
        [replace(ROW, weight=2.0), OTHER],
        [replace(ROW, label=BILLING), OTHER],
        [replace(ROW, source=Source.CORRECTION), OTHER],
        [replace(ROW, source_id=3), OTHER],
        [replace(ROW, content_hash="c" * 64), OTHER],
        [OTHER, ROW],
        [ROW],
        [],
    ],
    ids=["weight", "label", "source", "origin", "content", "order", "a row less", "no rows"],
)
def test_the_hash_changes_with(rows: list[Row]) -> None:
    assert content_hash_of(rows) != content_hash_of([ROW, OTHER])
