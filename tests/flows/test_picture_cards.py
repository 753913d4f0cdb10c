"""Pictures in Slack, from upload to deletion; and the whole loop on pictures. On SQLite: the verbs have their own tests
on both databases."""

import pickle
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest
from sqlalchemy import select, update

from bot.runtime.clock import utc_now
from bot.sandbox.client import Message
from bot.slack.delivery.pictures import orphan
from core.intake.ingest import record_predictions
from core.intake.live_pictures import predicted_pictures
from core.intake.predictions import checked_prediction
from core.learning.data.inputs import Example
from core.learning.data.seeds import checked_picture_seeds, store_seeds
from core.pictures.decoded import Decoded
from core.pictures.files import begin_upload, picture_files
from core.privacy.erasure import erase
from core.queues import queue_named
from core.records.pictures import Picture
from core.storage.database import PATIENT
from core.text.picture_address import picture_address
from tests.flows.conftest import StartLoop
from tests.loop import Loop
from tests.people import LEADS, support_policy
from tests.pictures import drawn, seen

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sqlite_only")]

ONE = drawn(1)
UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
LOOK = "For labelling, not for diagnosis"


def send(loop: Loop, picture: Decoded = ONE, external_id: str = "S-1", text: str = "") -> None:
    row = {"external_id": external_id, "model_version": "m1", "probabilities": UNSURE, "image": "a.png", "text": text}
    checked = checked_prediction(row, loop.queue, {"a.png": picture})
    with loop.database.transaction(wait=PATIENT) as session:
        record_predictions(session, [checked], utc_now(), loop.queue, [picture])


def send_both(loop: Loop, first: Decoded, second: Decoded) -> None:
    row = {"external_id": "S-1", "model_version": "m1", "probabilities": UNSURE, "image": ["a.png", "b.png"]}
    checked = checked_prediction(row, loop.queue, {"a.png": first, "b.png": second})
    with loop.database.transaction(wait=PATIENT) as session:
        record_predictions(session, [checked], utc_now(), loop.queue, [first, second])


def file_of(card: Message) -> str:
    [image] = [block for block in card.blocks if block["type"] == "image"]
    assert image["alt_text"] == "Support tickets, item 1"
    return str(image["slack_file"]["id"])


def seen_by(loop: Loop, file_id: str, person: str) -> httpx.Response:
    return httpx.get(f"{loop.box.address}/files/{file_id}/file", params={"person": person})


def is_deleted(loop: Loop, file_id: str) -> bool:
    return seen_by(loop, file_id, loop.ana.id).status_code == 404


def stored(loop: Loop) -> Picture | None:
    with loop.database.reading() as session:
        return session.scalar(select(Picture))


def test_a_picture_is_uploaded_privately_and_stays_the_same_file_when_its_card_is_redrawn(loop: Loop) -> None:
    send(loop)
    card = loop.card(LOOK)
    file_id = file_of(card)
    assert seen_by(loop, file_id, loop.ana.id).content == ONE.content
    assert card.text.endswith("(an image) ID S-1")
    for person in (loop.ana, loop.ben):
        person.click(card, "refund")
    assert file_of(loop.card("*refund* (2 votes)")) == file_id


def test_the_file_is_deleted_when_the_picture_is_erased(loop: Loop) -> None:
    send(loop)
    file_id = file_of(loop.card(LOOK))
    with loop.database.transaction(wait=PATIENT) as session:
        assert erase(session, loop.queue.name, "S-1", utc_now()).pictures == 1
    card = loop.card("was erased")
    assert not [block for block in card.blocks if block["type"] == "image"]
    loop.box.wait_for(lambda: seen_by(loop, file_id, loop.ana.id).status_code == 404, what="the file's deletion")
    loop.box.wait_for(lambda: stored(loop) is None, what="the deletion of the row")


def test_a_file_that_was_deleted_in_slack_is_uploaded_again(loop: Loop) -> None:
    send(loop)
    file_id = file_of(loop.card(LOOK))
    loop.services.slack.files_delete(file=file_id)
    with loop.database.transaction(wait=PATIENT) as session:
        session.execute(update(Picture).values(file_ready_at=None))
    send(loop, external_id="S-2")
    again = loop.card("item 2")
    assert [block["slack_file"]["id"] != file_id for block in again.blocks if block["type"] == "image"] == [True]


def test_a_card_shows_all_pictures_of_its_item_in_order(loop: Loop) -> None:
    send_both(loop, ONE, drawn(2, upright=False))
    images = [block for block in loop.card(LOOK).blocks if block["type"] == "image"]
    assert [one["alt_text"] for one in images] == [f"Support tickets, item 1, picture {n} of 2" for n in (1, 2)]
    assert len({one["slack_file"]["id"] for one in images}) == 2
    with loop.database.transaction(wait=PATIENT) as session:
        assert erase(session, loop.queue.name, "S-1", utc_now()).pictures == 2
    loop.card("was erased")
    for one in images:
        is_gone = partial(is_deleted, loop, one["slack_file"]["id"])
        loop.box.wait_for(is_gone, what="the file's deletion")


def test_an_upload_whose_answer_was_lost_is_found_and_not_repeated(loop: Loop) -> None:
    send(loop)
    file_id = file_of(loop.card(LOOK))
    with loop.database.transaction(wait=PATIENT) as session:
        session.execute(update(Picture).values(file_id=None, file_ready_at=None))
        queue_id = queue_named(session, loop.queue.name).id
        [wanted] = picture_files(session, queue_id, picture_address(ONE.sha256))
        assert begin_upload(session, wanted.id, datetime(2026, 1, 1, tzinfo=UTC)) == ONE.content
    assert wanted.begun
    assert orphan(loop.services, wanted) == file_id
    send(loop, external_id="S-2")
    again = loop.card("item 2")
    assert [block["slack_file"]["id"] for block in again.blocks if block["type"] == "image"] == [file_id]


@pytest.mark.slow
def test_labelled_pictures_become_a_live_model_that_answers_about_new_ones(start_loop: StartLoop) -> None:
    policy = support_policy(
        labels=["lying", "upright"],
        retraining={"learner": "image", "corrections": 0},
        golden={"seed_share": 0.5, "second_looks": 0},
        promotion={"approvals": 1},
    )
    loop = start_loop(policy=policy)
    seeds = [(drawn(number, number % 2 == 1), ("lying", "upright")[number % 2]) for number in range(80)]
    with loop.database.transaction(wait=PATIENT) as session:
        pictures = [picture for picture, _label in seeds]
        store_seeds(session, checked_picture_seeds(seeds, loop.queue), utc_now(), loop.queue, pictures)
    loop.retrain()
    loop.cleo.react(loop.card("The golden gate passes it", channel=LEADS), "white_check_mark")
    live = loop.box.wait_for(lambda: loop.services.serving.live(loop.queue), 60, what="a live model")
    assert live is not None
    asked = [(drawn(500, True), "scans/a.png"), (drawn(501, False), "scans/b.png")]
    first, second = predicted_pictures(asked, live, loop.queue)
    assert (first.label, second.label, first.model_version) == ("upright", "lying", "v1")
    assert first.image_url == picture_address(asked[0][0].sha256)


def test_examples_carry_their_pixels_in_the_copy_that_a_child_process_gets() -> None:
    example = Example(seen(ONE), "upright")
    copied = pickle.loads(pickle.dumps(example))
    assert copied.input.image.grey == ONE.grey
