import io

import matplotlib.image
import pytest

from bot.slack.delivery.curve import curve_upload, curve_words, draw_curve
from core.learning.evaluation.intervals import Interval, wilson
from core.learning.lifecycle.effort import CurvePoint
from core.learning.lifecycle.production import ProductionEstimate


def point(number: int, items: int, right: int = 40, n: int = 60, went_live: bool = True) -> CurvePoint:
    return CurvePoint(f"v{number}", items, wilson(right, n), n, went_live)


def test_one_model_is_no_curve() -> None:
    assert curve_upload([], "Support") == []
    assert curve_upload([point(1, 0)], "Support") == []


def test_it_is_a_file_of_its_own_whose_name_says_up_to_which_model() -> None:
    [file] = curve_upload([point(1, 0), point(2, 80, 50)], "Support tickets")
    assert (file["filename"], file["title"]) == (
        "accuracy-until-v2.png", "Support tickets: accuracy against settled items"
    )  # fmt: skip
    assert matplotlib.image.imread(io.BytesIO(file["content"])).shape[:2] == (675, 1200)


@pytest.mark.slow
def test_the_same_points_are_the_same_picture_and_others_are_not() -> None:
    points = [point(1, 0), point(2, 80, 50)]
    assert draw_curve(points, "Support") == draw_curve(points, "Support")
    assert draw_curve(points, "Support") != draw_curve([point(1, 0), point(2, 80, 50, went_live=False)], "Support")
    assert draw_curve(points, "Support") != draw_curve([point(1, 0), point(2, 80, 100, 120)], "Support"), "the interval"


@pytest.mark.parametrize("items", [[0, 0], [0, 1], list(range(0, 8000, 200)), [5, 5, 5]])
@pytest.mark.parametrize("right", [0, 60])
def test_it_can_be_drawn_at_its_edges(items: list[int], right: int) -> None:
    points = [point(number, each, right, went_live=False) for number, each in enumerate(items, 1)]
    assert draw_curve(points, "$x$_{ \\alpha" * 30).startswith(b"\x89PNG")


def test_its_words_say_the_newest_of_its_numbers() -> None:
    assert curve_words([point(1, 0), point(2, 1, 45)]) == (
        "Right answers on random golden examples. v1 after 0 items: 67% of 60; v2 after 1 item: 75% of 60."
    )
    many = curve_words([point(number, number * 10) for number in range(100)])
    assert len(many) <= 1000
    assert "v99 after 990 items" in many
    assert "v87 " not in many


RIGHT = Interval(0.91, 0.88, 0.94)


def answers(model: str = "v1", right: Interval | None = RIGHT) -> ProductionEstimate:
    return ProductionEstimate(model, right, 62, 900, 200, ())


@pytest.mark.slow
def test_the_live_models_answers_stand_beside_its_point() -> None:
    points = [point(1, 0), point(2, 80, 50, went_live=False)]
    [file] = curve_upload(points, "Support", answers())
    assert file["alt_txt"].endswith(
        "v2 after 80 items: 83% of 60. Live answers of v1 that agree with what people settle: 91% (88 to 94)."
    )
    assert file["content"] != draw_curve(points, file["title"])
    assert len(curve_words([point(number, number) for number in range(100, 1, -1)], answers("v2"))) <= 1000


@pytest.mark.slow
@pytest.mark.parametrize("production", [None, answers(right=None), answers("sender-1"), answers("v0")])
def test_answers_that_are_not_known_or_of_no_model_of_the_curve_are_not_drawn(
    production: ProductionEstimate | None,
) -> None:
    points = [point(1, 0), point(2, 80, 50)]
    assert curve_words(points, production) == curve_words(points)
    assert draw_curve(points, "Support", production) == draw_curve(points, "Support")


def test_answers_below_every_point_are_inside_the_picture() -> None:
    drawn = draw_curve([point(1, 0), point(2, 80, 50)], "Support", answers("v2", Interval(0.02, 0.0, 0.1)))
    assert drawn.startswith(b"\x89PNG")
