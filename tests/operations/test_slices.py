"""`goldloop slices`, in the terminal."""

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from core.errors import NotFound
from tests.core.desk import BILLING, Desk
from tests.operations.conftest import Place
from tests.people import ANA, BEN, support_policy


def slices(place: Place, monkeypatch: pytest.MonkeyPatch, queue: str = "support") -> Result:
    for name, value in place.values.items():
        monkeypatch.setenv(name, str(value))
    return CliRunner().invoke(app, ["slices", queue])


def test_it_says_in_how_many_answers_nothing_was_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    Desk(place.database, support_policy()).settled(ANA, BEN, answer=BILLING)
    done = slices(place, monkeypatch)
    assert done.exit_code == 0, done.output
    assert "No weak slices: among 1 settled answer," in done.output


def test_a_queue_that_is_not_there_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(slices(place, monkeypatch, "sales").exception, NotFound)
