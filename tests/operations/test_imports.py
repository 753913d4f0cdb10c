"""What a start imports: what takes long, or much memory, is loaded when it is needed."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import bot.cli
from bot.cli.app import app
from bot.cli.commands import COMMANDS, loaded

LIBRARIES = ("sklearn", "scipy", "pyarrow", "skops", "matplotlib", "joblib", "pandas")


def imported(code: str) -> set[str]:
    """The packages that a new process has imported after this."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(told.stdout.splitlines()[-1].split())


@pytest.mark.slow
def test_the_help_loads_no_database_and_no_policy() -> None:
    code = "from bot.cli.app import app\ntry:\n    app(['--help'])\nexcept SystemExit:\n    pass"
    heavy = {*LIBRARIES, "sqlalchemy", "pydantic", "alembic", "slack_sdk", "fastapi", "numpy", "rich"}
    assert imported(code).isdisjoint(heavy)


def test_the_list_of_commands_shows_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f" {name} {line}" in shown for name, (_module, line) in COMMANDS.items())


@pytest.mark.slow
def test_a_process_that_serves_no_model_loads_no_learner() -> None:
    assert imported("import bot.server.run").isdisjoint({*LIBRARIES, "alembic"})


@pytest.mark.slow
def test_a_process_loads_what_only_some_need_when_it_is_needed() -> None:
    """Together 10 MB, and a fifth of the start."""
    seldom = {"rich", "httpx", "PIL", "fastapi", "opentelemetry"}
    assert imported("import bot.cli.processes, bot.server.run").isdisjoint({*seldom, "apscheduler"})
    assert imported("import bot.server.run, bot.worker.scheduler").isdisjoint(seldom)


@pytest.mark.slow
def test_no_command_loads_a_learner_before_it_runs() -> None:
    modules = ", ".join(f"bot.cli.{module}" for module in {module for module, _line in COMMANDS.values()})
    assert imported(f"import {modules}").isdisjoint({*LIBRARIES, "fastapi", "slack_bolt"})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_lists_each_command_in_its_own_words(name: str) -> None:
    command = loaded(name)
    assert command.name == name
    assert " ".join((command.help or "").split("\n\n")[0].split()) == COMMANDS[name][1]


def test_every_command_of_every_module_is_listed() -> None:
    for path in Path(bot.cli.__file__).parent.glob("*.py"):
        commands = getattr(import_module(f"bot.cli.{path.stem}"), "commands", None)
        if commands is not None and not commands.info.help:
            names = {one.name or one.callback.__name__.replace("_", "-") for one in commands.registered_commands}
            assert {name for name, (module, _line) in COMMANDS.items() if module == path.stem} == names
        assert commands is None or path.stem in {module for module, _line in COMMANDS.values()}, path.stem
