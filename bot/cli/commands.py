"""The commands of `goldloop`, by name: where each is, and its line of help. A command's module is imported when it
runs: importing all of them would load the database, the policy and the API's shapes, which takes longer than most
commands."""

from importlib import import_module
from typing import Any

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from bot.runtime.gc_tuning import uncollected

COMMANDS = {
    "run": ("processes", "Run the Slack app, the HTTP API and the worker in one process: enough for a team on SQLite."),
    "web": ("processes", "Run the Slack app and the HTTP API only. Start any number of these processes."),
    "worker": (
        "processes",
        "Run the worker only: messages, training and schedules. Start any number of these processes.",
    ),
    "migrate": ("processes", "Create or upgrade the database tables, and put a new policy file in force."),
    "manifest": ("setup", 'Print the manifest to paste under "Create an app from a manifest" on Slack\'s site.'),
    "init": ("setup", "Write a commented goldloop.toml. Prompts for every option that is missing."),
    "doctor": (
        "setup",
        "Check everything that Goldloop needs, and say how to fix what fails. Exit code 1 if a check failed.",
    ),
    "retry-deliveries": ("setup", "Resend the messages that were given up, once the cause is fixed."),
    "status": (
        "status",
        "Show what waits in each queue, what fails, and what to do about it. Exit code 1 if something fails.",
    ),
    "slices": ("slices", "Show where the present model is wrong more often than elsewhere, and what helps."),
    "labels": (
        "labels",
        "Show how far suggestions sway votes, and the labels that were settled under an older guideline.",
    ),
    "seed": (
        "data",
        "Import labelled examples from a CSV, JSONL or Parquet file with the columns `text` and `label`, or pictures "
        "from a folder whose sub-folders are labels.",
    ),
    "ingest": (
        "data",
        "Import predictions from a CSV, JSONL or Parquet file, or pictures, and send the flagged ones to the "
        "reviewers.",
    ),
    "discover": (
        "discover",
        "Find the unlabelled texts that the live model is most confused about, and have them reviewed.",
    ),
    "synthesize": (
        "synthesize",
        "Have a language model write texts for a weak label; people decide whether they train.",
    ),
    "retrain": ("models", "Request a new candidate model now; a worker trains it."),
    "rollback": ("models", "Make the previously live model live again."),
    "ask-again": (
        "ask_again",
        "Ask reviewers again about a stored label. They do not see it; the label that they agree on replaces it.",
    ),
    "pause": (
        "pausing",
        "Post no new cards in a queue until `goldloop resume`. Predictions are stored; open cards can be answered.",
    ),
    "resume": ("pausing", "Post the cards that waited while a queue was paused, and new cards from now on."),
    "backup": ("backups", "Write the whole database to a file. Works while Goldloop runs."),
    "restore": (
        "backups",
        "Replace the database with a backup, upgrade its tables, erase again what was erased since, and redraw every "
        "open card. Stop every process first.",
    ),
    "erase": (
        "erase",
        "Erase the text of a prediction from everything that is stored, or the id of a person who has left. Counts, "
        "labels and decisions stay.",
    ),
    "sandbox": ("demo", "Run a local Slack workspace in which to develop any Slack app."),
    "demo": ("demo", "Run the whole loop on this machine, without a Slack account."),
    "docs": ("pages", "Print a page of the documentation, in Markdown."),
    "explain": ("explain", "Show who decided what, when and why."),
    "export": ("export", "Write corrections or a training set to a file."),
    "golden": ("golden", "Show and change the golden set, which tests models."),
    "learners": ("learners", "Compare the learners that are installed."),
    "model": ("model", "Show a model's card; export and verify its evidence."),
    "policy": (
        "policy",
        "Compare the policy file with the policy in force, put it in force, and show past versions.",
    ),
    "synthetic": ("synthetic", "Show the batches of texts that a language model wrote; retire one."),
    "token": ("tokens", "Manage the bearer tokens of the HTTP API."),
    "webhooks": ("webhooks", "Show webhook deliveries, and send them again."),
}


class LazyGroup(TyperGroup):
    """A group that lists the commands in COMMANDS and imports only the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_module, line) in COMMANDS.items():
            self.add_command(TyperCommand(name, callback=lambda: None, help=line))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list with whole lines; the default would cut them at the terminal's width."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_module, line) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in COMMANDS:
            self.add_command(loaded(args[0]), args[0])
        return super().resolve_command(ctx, args)


def loaded(name: str) -> Any:
    """The command of this name, from its module: one of the module's commands, or all of them as a group."""
    with uncollected():
        commands = import_module(f"bot.cli.{COMMANDS[name][0]}").commands
    whole = Typer()
    whole.add_typer(commands, name=name if _is_group(commands) else None)
    return get_command(_with_callback(whole)).commands[name]  # type: ignore[attr-defined]


def _is_group(commands: Typer) -> bool:
    return isinstance(commands.info.help, str)


def _with_callback(whole: Typer) -> Typer:
    """The same commands with an empty callback, so that a single command remains part of a group."""
    whole.callback()(lambda: None)
    return whole
