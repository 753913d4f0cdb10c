"""The picture of a promise."""

import io
from datetime import timedelta

import matplotlib.image

from bot.slack.delivery.promise_chart import promise_upload, promise_words
from core.intake.promise_days import PromiseDay, PromiseDays
from core.learning.evaluation.intervals import Interval
from tests.core.desk import NOW

FOUND = (Interval(0.03, 0.01, 0.08), None, Interval(0.012, 0.004, 0.031))
DAYS = tuple(PromiseDay(NOW + timedelta(days=place), found, 40) for place, found in enumerate(FOUND))


def test_the_picture_is_a_file_whose_words_say_the_same() -> None:
    [file] = promise_upload(PromiseDays("Support $x$", 0.02, DAYS))
    assert matplotlib.image.imread(io.BytesIO(file["content"])).shape[:2] == (675, 1200)
    assert (
        file["alt_txt"]
        == promise_words(PromiseDays("", 0.02, DAYS))
        == (
            "Promised: at most 2% wrong and unseen. Found in the last seven days: 1.2% (0.4% to 3.1%), by 40 audits. "
            "On 1 of 2 days the estimate was above the promise."
        )
    )
    assert promise_upload(None) == []
