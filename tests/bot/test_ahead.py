"""Reading ahead changes nothing of what is read, only when."""

from collections.abc import Iterator

import pytest

from bot.files.ahead import Ahead


def counting(seen: list[int], until: int) -> Iterator[int]:
    for number in range(until):
        seen.append(number)
        yield number


def test_an_element_is_computed_early_and_once() -> None:
    seen: list[int] = []
    ahead = Ahead(counting(seen, 3))
    assert next(ahead) == 0
    ahead.prepare()
    ahead.prepare()
    assert seen == [0, 1]
    assert list(ahead) == [1, 2]


def test_the_end_is_met_when_it_is_asked_for() -> None:
    ahead = Ahead(counting([], 1))
    found = []
    for number in ahead:
        ahead.prepare()
        found.append(number)
    assert found == [0]


def test_an_error_is_raised_when_its_element_is_asked_for() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("the second line is broken")

    ahead = Ahead(failing())
    assert next(ahead) == 1
    ahead.prepare()
    with pytest.raises(ValueError, match="the second line is broken"):
        next(ahead)
