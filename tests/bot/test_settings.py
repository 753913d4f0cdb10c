"""Settings from the environment; errors name the variable."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from bot.runtime.open_database import open_database
from bot.runtime.settings import Settings, load_settings, require_setting
from core.errors import Invalid

NAMES = [str(field.validation_alias) for field in Settings.model_fields.values()]


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Exactly these of our variables are set."""
    before = {name: environ.pop(name) for name in NAMES if name in environ}
    environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del environ[name]
        environ.update(before)


def test_without_an_environment_the_defaults_hold() -> None:
    with environment():
        settings = load_settings()
    assert settings.database_url == "sqlite:///goldloop.sqlite"
    assert settings.slack_base_url == "https://slack.com/api/"
    assert (str(settings.policy), settings.port) == ("goldloop.toml", 3000)


@pytest.mark.parametrize(("variables", "waits_for"), [({}, 2), ({"GOLDLOOP_SQLITE_FULL_SYNC": "0"}, 1)])
def test_by_default_a_commit_waits_for_the_disk(variables: dict[str, str], waits_for: int, tmp_path: Path) -> None:
    with environment(**variables, DATABASE_URL=f"sqlite:///{tmp_path / 'goldloop.sqlite'}"):
        settings = load_settings()
    opened = open_database(settings.database_url, settings.sqlite_full_sync, make_tables=True)
    with opened as database, database.reading() as session:
        assert session.scalar(text("PRAGMA synchronous")) == waits_for  # 2: FULL; 1: NORMAL


@pytest.mark.parametrize("url", ["http://127.0.0.1:8066/api", "http://127.0.0.1:8066/api/"])
def test_slack_is_an_address_like_any_other(url: str) -> None:
    with environment(SLACK_API_URL=url, PORT="8080", DATABASE_URL="postgres://db/goldloop"):
        settings = load_settings()
    assert settings.slack_base_url == "http://127.0.0.1:8066/api/"
    assert (settings.port, settings.database_url) == (8080, "postgres://db/goldloop")


def test_a_value_that_cannot_be_used_names_its_variable() -> None:
    with (
        environment(PORT="eighty"),
        pytest.raises(Invalid, match=r"The environment variable PORT is invalid: .*integer"),
    ):
        load_settings()


def test_a_secret_that_is_missing_is_named_and_one_that_is_there_is_not_shown() -> None:
    with environment(SLACK_BOT_TOKEN="xoxb-secret"):
        settings = load_settings()
    assert "xoxb-secret" not in repr(settings)
    assert require_setting(settings.slack_bot_token, "SLACK_BOT_TOKEN") == "xoxb-secret"
    with pytest.raises(Invalid, match="SLACK_APP_TOKEN is not set; see `goldloop docs slack`"):
        require_setting(SecretStr(""), "SLACK_APP_TOKEN")


def test_settings_are_frozen() -> None:
    with environment():
        settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
