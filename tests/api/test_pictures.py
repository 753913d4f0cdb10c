"""Pictures by HTTP: sent in a form beside the predictions, and downloaded as people see them."""

import json
from typing import Any

import pytest

from bot.api.bodies import MOST_FILES
from core.review.cards import item_card
from core.text.picture_address import picture_address
from core.vocabulary import Scope
from goldloop_client import ApiError
from tests.api.conftest import Api
from tests.core.desk import REFUND, UNSURE
from tests.pictures import as_file, bars, drawn

pytestmark = pytest.mark.slow  # each request with a picture starts a process

FILE = as_file(bars(1, True))


def row(number: int, image: str = "scan.png") -> dict[str, Any]:
    return {"external_id": f"S-{number}", "model_version": "m1", "probabilities": UNSURE, "image": image}


def form(rows: Any, *files: tuple[str, bytes]) -> dict[str, Any]:
    return {"data": {"predictions": json.dumps(rows)}, "files": [("file", one) for one in files]}


def test_pictures_come_in_a_form_and_are_reviewed(api: Api) -> None:
    token = api.token(Scope.INGEST)
    rows = [row(1), row(2, "other.png"), row(3, "third.png"), row(4, "missing.png")]
    sent = form(rows, ("scan.png", FILE), ("other.png", as_file(bars(2, False), "JPEG")), ("third.png", b"%PDF-1.7"))
    answer = api.call("POST", "support/predictions", token, **sent).json()
    assert (answer["new"], answer["flagged"]) == (2, 2)
    assert [(one["row"], one["field"]) for one in answer["rejected"]] == [(3, "image"), (4, "image")]
    assert answer["rejected"][0]["reason"].startswith("This file is a PDF")
    again = api.call("POST", "support/predictions", token, **sent).json()
    assert (again["new"], again["repeated"]) == (0, 2)


def test_an_item_has_several_pictures_and_a_link_to_the_senders_viewer(api: Api) -> None:
    sender, reader = api.token(Scope.INGEST, name="pictures"), api.token(Scope.READ, name="reader")
    other = as_file(bars(2, False))
    sent = row(1) | {"image": ["scan.png", "side.png"], "group": "P-1", "link": "https://pacs.example/studies/1?v=2"}
    assert api.call(
        "POST", "support/predictions", sender, **form(sent, ("scan.png", FILE), ("side.png", other))
    ).json()["new"]
    hashes = (drawn(1).sha256, drawn(2, upright=False).sha256)
    [item] = api.call("GET", "support/items", reader).json()["items"]
    stored = api.desk.prediction(item["id"])
    assert (stored.image_url, stored.group, stored.link) == (picture_address(*hashes), "P-1", sent["link"])
    with api.desk.database.reading() as session:
        assert item_card(session, item["id"], api.desk.policy).link == sent["link"]
    assert stored.image_url
    with api.client() as client:
        assert client.pictures("support", stored.image_url) == [drawn(1).content, drawn(2, upright=False).content]
        assert client.picture("support", stored.image_url) == drawn(1).content


@pytest.mark.parametrize(
    "link", ["pacs", "javascript:alert(1)", "https://a.example/<b>", "https://a.example/" + "x" * 1000, 7]
)
def test_a_link_that_could_break_a_message_is_refused(api: Api, link: object) -> None:
    sent = row(1) | {"text": "a text", "image": "", "link": link}
    answer = api.call("POST", "support/predictions", api.token(Scope.INGEST), json=sent).json()
    assert answer["detail"].startswith("link must be an http or https address")


def test_the_picture_is_downloaded_by_its_address_and_by_readers_alone(api: Api) -> None:
    sender, reader = api.token(Scope.INGEST), api.token(Scope.READ, name="reader")
    picture = drawn(1)
    api.call("POST", "support/predictions", sender, **form(row(1), ("scan.png", FILE)))
    [item] = api.call("GET", "support/items", reader).json()["items"]
    assert api.desk.prediction(item["id"]).image_url == picture_address(picture.sha256)
    path = f"support/pictures/{picture.sha256}"
    answer = api.call("GET", path, reader)
    assert (answer.content, answer.headers["content-type"]) == (picture.content, "image/png")
    assert api.call("GET", path, sender).status_code == 403
    assert api.call("GET", f"support/pictures/{'0' * 64}", reader).status_code == 404


def test_the_client_sends_pictures_and_reads_them_back(api: Api) -> None:
    with api.client() as client:
        received = client.send_pictures("support", [row(1), row(2, "b.png")], {"scan.png": FILE, "b.png": b"%PDF-1.7"})
        assert (received.new, [one.row for one in received.rejected]) == (1, [2])
        assert client.picture("support", picture_address(drawn(1).sha256)) == drawn(1).content
        with pytest.raises(ApiError, match="No model of support is live yet"):
            client.predict_picture("support", "S-3", FILE)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"files": {"file": ("a.png", FILE)}}, "The part predictions is missing"),
        (form(row(1), ("a.png", FILE), ("a.png", FILE)), "Two files have the name “a.png”"),
        ({"data": {"predictions": "{}", "odd": "1"}, "files": {"file": ("a.png", FILE)}}, "The form cannot be read"),
        (form(row(1), *[(f"{n}.png", b"x") for n in range(MOST_FILES + 1)]), "The form cannot be read: Too many files"),
    ],
)
def test_a_form_that_cannot_be_read_is_a_problem(api: Api, sent: dict[str, Any], reason: str) -> None:
    answer = api.call("POST", "support/predictions", api.token(Scope.INGEST), **sent)
    assert (answer.status_code, answer.json()["detail"][: len(reason)]) == (422, reason)


def test_a_form_without_its_boundary_and_a_row_without_its_file_are_problems(api: Api) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    token = api.token(Scope.INGEST)
    broken = api.call("POST", "support/predictions", token, content=b"--x", headers=headers)
    assert (broken.status_code, broken.json()["field"]) == (422, "body")
    lonely = api.call("POST", "support/predictions", token, json=row(1) | {"label": REFUND, "confidence": 0.4})
    assert lonely.json()["detail"].startswith("No file “scan.png” came with this prediction")
