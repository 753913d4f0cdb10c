"""Stored pictures: once per queue, read by models, erased with the last input that refers to them."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from core.errors import Invalid, NotFound
from core.intake.ingest import Ingested, record_predictions
from core.intake.predictions import checked_prediction
from core.learning.data.golden import golden_set
from core.learning.data.golden_import import Imported, import_golden
from core.learning.data.inputs import Input
from core.learning.data.near_duplicates import near
from core.learning.data.pixels import with_greys
from core.learning.data.seeds import Seeded, checked_picture_seeds, store_seeds
from core.learning.data.snapshots import gather
from core.pictures.decoded import Decoded
from core.pictures.stored import display_picture
from core.privacy.erasure import Erased, erase, erase_expired
from core.records.pictures import Picture, PictureSet
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.text.picture_address import picture_address
from core.vocabulary import Modality
from tests.core.conftest import OpenDesk
from tests.core.desk import DELIVERY, NOW, REFUND, SURE, UNSURE, Desk
from tests.people import ANA, BEN
from tests.pictures import drawn

LATER = NOW + timedelta(days=400)
ONE, OTHER = drawn(1), drawn(2, upright=False)


def sends(desk: Desk, picture: Decoded, external_id: str, chances: dict[str, float] = UNSURE) -> Ingested:
    row = {"external_id": external_id, "model_version": "m1", "probabilities": chances, "image": "scan.png"}
    checked = checked_prediction(row, desk.rules, {"scan.png": picture})
    with desk.database.transaction() as session:
        return record_predictions(session, [checked], NOW, desk.rules, [picture])


def seeds(desk: Desk, *rows: tuple[Decoded, str]) -> Seeded:
    with desk.database.transaction() as session:
        checked = checked_picture_seeds(rows, desk.rules)
        return store_seeds(session, checked, NOW, desk.rules, [picture for picture, _label in rows])


def erased(desk: Desk, external_id: str) -> Erased:
    with desk.database.transaction() as session:
        return erase(session, desk.rules.name, external_id, NOW)


def pixels(desk: Desk) -> list[tuple[bytes, bytes]]:
    with desk.database.reading() as session:
        return [(row.content, row.grey) for row in session.scalars(select(Picture).order_by(Picture.id))]


def test_a_picture_is_stored_once_however_often_it_comes(desk: Desk) -> None:
    assert sends(desk, ONE, "S-1").new == 1
    assert sends(desk, ONE, "S-2").new == 1
    assert sends(desk, ONE, "S-1").repeated == 1
    assert pixels(desk) == [(ONE.content, ONE.grey)]
    with desk.database.reading() as session:
        assert display_picture(session, desk.queue().id, ONE.sha256) == ONE.content


def test_a_picture_whose_row_is_refused_is_not_stored(desk: Desk) -> None:
    with pytest.raises(Invalid, match="not a label"):
        sends(desk, ONE, "S-1", {"no such label": 1.0})
    sends(desk, ONE, "S-1")
    erased(desk, "S-1")
    assert sends(desk, ONE, "S-1").new == 0
    assert pixels(desk) == [(b"", b"")]


def test_rows_name_a_file_that_came_with_them_or_are_refused(desk: Desk) -> None:
    row = {"external_id": "S-1", "model_version": "m1", "probabilities": UNSURE, "image": "scan.png"}
    with pytest.raises(Invalid, match=r"No file “scan.png” came with this prediction. Send it with the predictions"):
        checked_prediction(row, desk.rules)
    with pytest.raises(Invalid, match="damaged"):
        checked_prediction(row, desk.rules, {"scan.png": Invalid("It is damaged.", field="image")})
    with pytest.raises(Invalid, match="not both"):
        checked_prediction(row | {"image_url": "https://files.example/a.png"}, desk.rules, {"scan.png": ONE})
    with pytest.raises(Invalid, match="image_url must be an http or https address"):
        checked_prediction(row | {"image": "", "image_url": picture_address(ONE.sha256)}, desk.rules)


def test_people_agree_on_a_picture_and_it_trains_with_its_pixels(desk: Desk) -> None:
    desk = desk.under(golden={"random_share": 0.0}, review={"blind_share": 0.0})
    sends(desk, ONE, "S-1")
    [item_id] = _items(desk)
    for person in (ANA, BEN):
        desk.click(person, item_id, DELIVERY)
    with desk.database.reading() as session:
        [row] = gather(session, desk.queue().id, desk.rules)
    assert (row.label, row.input.has(Modality.IMAGE)) == (DELIVERY, True)
    assert row.input.image is not None
    assert row.input.image.grey == ONE.grey
    assert row.input.content_hash == row.content_hash


def test_seeds_fall_on_one_side_by_their_pixels(desk: Desk) -> None:
    rows = [(drawn(number), REFUND) for number in range(12)]
    first = seeds(desk, *rows)
    assert first.training + first.golden == 12
    assert first.golden > 0
    assert seeds(desk, *rows) == Seeded(0, 0, 12)
    with desk.database.reading() as session:
        rows_and_golden = gather(session, desk.queue().id, desk.rules), golden_set(session, desk.queue().id)
    inputs = [one.input for one in rows_and_golden[0]] + [one.input for one in rows_and_golden[1]]
    assert len(inputs) == 12
    assert all(one.has(Modality.IMAGE) for one in inputs)


def test_a_test_set_of_pictures_is_imported_without_those_that_train(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"seed_share": 0.0})
    seeds(desk, (ONE, REFUND))
    with desk.database.transaction() as session:
        rows = [(ONE, REFUND), (OTHER, DELIVERY)]
        done = import_golden(session, checked_picture_seeds(rows, desk.rules), NOW, desk.rules, [ONE, OTHER])
        assert done == Imported(1, 0, 1, 0)
        [example] = golden_set(session, desk.queue().id)
    assert example.input.image is not None
    assert np.frombuffer(example.input.image.grey or b"", dtype=np.uint8).size == 4096


class TestSeveral:
    """An input with two pictures, as a frontal and a lateral view."""

    def sends(self, desk: Desk, external_id: str, *pictures: Decoded) -> Ingested:
        files = {f"{number}.png": picture for number, picture in enumerate(pictures)}
        row = {"external_id": external_id, "model_version": "m1", "probabilities": UNSURE, "image": list(files)}
        checked = checked_prediction(row, desk.rules, files)
        with desk.database.transaction() as session:
            return record_predictions(session, [checked], NOW, desk.rules, pictures)

    def test_models_read_the_first_and_keep_all(self, desk: Desk) -> None:
        desk = desk.under(golden={"random_share": 0.0}, review={"blind_share": 0.0})
        self.sends(desk, "S-1", ONE, OTHER)
        for person in (ANA, BEN):
            desk.click(person, 1, DELIVERY)
        with desk.database.reading() as session:
            [row] = gather(session, desk.queue().id, desk.rules)
        assert row.input.image is not None
        assert row.input.image.greys == (ONE.grey, OTHER.grey)
        assert row.input.image.grey == ONE.grey

    def test_the_order_and_the_set_make_the_input(self, desk: Desk) -> None:
        for number, pictures in enumerate([(ONE, OTHER), (OTHER, ONE), (ONE,), (ONE, ONE)]):
            self.sends(desk, f"S-{number}", *pictures)
        with desk.database.reading() as session:
            found = session.scalars(select(Prediction.content_hash).order_by(Prediction.id)).all()
        assert len(set(found)) == 3
        assert found[2] == found[3]
        assert len(pixels(desk)) == 2

    def test_a_row_near_a_golden_input_by_its_second_picture_does_not_train(self, desk: Desk) -> None:
        row, golden = (
            with_greys(Input.of("", f"picture:{name}", {}), greys)
            for name, greys in (("a", (ONE.grey, OTHER.grey)), ("b", (drawn(7).grey, OTHER.grey)))
        )
        apart = with_greys(Input.of("", "picture:c", {}), (drawn(8).grey,))
        assert near([apart, row], [golden], 0.92).tolist() == [False, True]

    @pytest.mark.parametrize("last", ["S-2", "S-1"])
    def test_a_picture_stays_while_any_input_shows_it(self, desk: Desk, last: str) -> None:
        self.sends(desk, "S-1", ONE, OTHER)
        sends(desk, OTHER, "S-2")
        first = {"S-1": "S-2", "S-2": "S-1"}[last]
        assert erased(desk, first).pictures == (1 if first == "S-1" else 0)
        assert (OTHER.content, OTHER.grey) in pixels(desk)
        assert erased(desk, last).pictures == (1 if last == "S-2" else 2)
        assert {content for content, _grey in pixels(desk)} == {b""}
        with desk.database.reading() as session:
            assert session.scalar(select(func.count()).select_from(PictureSet)) == 0

    @pytest.mark.parametrize(
        ("image", "words"),
        [
            ([], "image must be the name of a file, or a list of names."),
            (["0.png", 7], "image must be the name of a file, or a list of names."),
            (["0.png"] * 5, "image names 5 files; an input has at most 4 pictures."),
            (["0.png", "1.png"], "No file “1.png” came with this prediction."),
        ],
    )
    def test_a_list_that_is_no_use_is_refused_with_a_sentence(self, desk: Desk, image: object, words: str) -> None:
        row = {"external_id": "S-1", "model_version": "m1", "probabilities": UNSURE, "image": image}
        with pytest.raises(Invalid) as caught:
            checked_prediction(row, desk.rules, {"0.png": ONE})
        assert str(caught.value).startswith(words)


class TestErasure:
    def test_the_pixels_go_with_the_last_input_that_refers_to_them(self, desk: Desk) -> None:
        sends(desk, ONE, "S-1")
        sends(desk, ONE, "S-2")
        assert erased(desk, "S-1").pictures == 0
        assert pixels(desk) == [(ONE.content, ONE.grey)], "the other ticket keeps its picture"
        assert erased(desk, "S-2").pictures == 1
        assert pixels(desk) == [(b"", b"")]
        with desk.database.reading() as session, pytest.raises(NotFound, match="erased"):
            display_picture(session, desk.queue().id, ONE.sha256)

    def test_seeds_of_the_same_picture_go_too(self, open_desk: OpenDesk) -> None:
        desk = open_desk(golden={"seed_share": 0.0})
        seeds(desk, (ONE, REFUND))
        sends(desk, ONE, "S-1")
        done = erased(desk, "S-1")
        assert (done.seeds, done.pictures) == (1, 1)
        assert seeds(desk, (ONE, REFUND)).repeated == 1
        assert pixels(desk) == [(b"", b"")]

    def test_another_ticket_brings_the_picture_again(self, desk: Desk) -> None:
        sends(desk, ONE, "S-1")
        erased(desk, "S-1")
        sends(desk, ONE, "S-2")
        assert pixels(desk) == [(ONE.content, ONE.grey)]

    def test_retention_takes_what_was_never_asked_about(self, open_desk: OpenDesk) -> None:
        desk = open_desk(privacy={"retention_days": 30}, flagging={"audit_share": 0.0})
        sends(desk, ONE, "S-1", SURE)
        with desk.database.transaction() as session:
            assert erase_expired(session, desk.rules, LATER) == 1
        assert pixels(desk) == [(b"", b"")]


def _items(desk: Desk) -> list[int]:
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ReviewItem)) == 1
        return list(session.scalars(select(ReviewItem.id)))
