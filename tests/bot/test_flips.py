"""The pictures that a candidate gets newly wrong."""

import io

import numpy as np
from PIL import Image

from bot.slack.delivery.flips import flips_upload
from core.learning.evaluation.scorecard import Flip
from tests.pictures import as_file, drawn

FLIPS = [Flip(number, "7", "7", "$1") for number in range(1, 16)]
PICTURES = {number: drawn(number).content for number in range(2, 16)}
BLACK = dict.fromkeys(PICTURES, as_file(Image.new("L", (64, 64))))


def test_the_first_twelve_are_drawn_with_their_labels_in_words() -> None:
    [file] = flips_upload(FLIPS, PICTURES, "v2", "Digits")
    assert (file["filename"], file["title"]) == ("v2-newly-wrong.png", "Digits: newly wrong (14)")
    assert Image.open(io.BytesIO(file["content"])).size == (1200, 675)
    assert file["alt_txt"].startswith("Newly wrong golden examples. #2 is 7, and the candidate says $1; #3 is 7")
    assert "#13 is 7" in file["alt_txt"]
    assert "#14" not in file["alt_txt"]


def test_a_single_one_is_drawn_larger_than_one_of_twelve() -> None:
    def area(count: int) -> float:
        """Black pixels for each picture."""
        [file] = flips_upload(FLIPS[1 : count + 1], BLACK, "v2", "Digits")
        return float((np.asarray(Image.open(io.BytesIO(file["content"])).convert("L")) < 5).sum()) / count

    assert area(1) > 2 * area(12)


def test_texts_have_no_such_file() -> None:
    assert flips_upload(FLIPS, {}, "v2", "Tickets") == []
