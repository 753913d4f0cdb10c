"""The pictures that a candidate gets newly wrong."""

import io

from PIL import Image

from bot.slack.delivery.flips import flips_upload
from core.learning.evaluation.scorecard import Flip
from tests.pictures import drawn

FLIPS = [Flip(number, "7", "7", "$1") for number in range(1, 16)]
PICTURES = {number: drawn(number).content for number in range(2, 16)}


def test_the_first_twelve_are_drawn_with_their_labels_in_words() -> None:
    [file] = flips_upload(FLIPS, PICTURES, "v2", "Digits")
    assert (file["filename"], file["title"]) == ("v2-newly-wrong.png", "Digits: newly wrong (14)")
    assert Image.open(io.BytesIO(file["content"])).size == (1200, 675)
    assert file["alt_txt"].startswith("Newly wrong golden examples. #2 is 7, and the candidate says $1; #3 is 7")
    assert "#13 is 7" in file["alt_txt"]
    assert "#14" not in file["alt_txt"]


def test_texts_have_no_such_file() -> None:
    assert flips_upload(FLIPS, {}, "v2", "Tickets") == []
