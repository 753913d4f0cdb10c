"""`make demo-synthetic`: a small real language model writes texts for a weak label, guards drop bad ones, and people
judge a sample. Everything is on this machine.

    python -m bot.demo.writing [--keep]

A model of 135 million parameters repeats itself, copies examples and changes the subject: the demo shows how these
texts are dropped.
"""

import os
import subprocess  # runs only a fixed command
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.markup import escape
from sqlalchemy import select

from bot.demo import place, small_model
from bot.demo.data import LATE_LABELS, Ticket, own_tickets, share_out
from bot.demo.folder import FOLDER
from bot.demo.play import ACCURACIES, LONGEST_WAIT, Options, Stage, arrives, first_model, staged
from bot.demo.simulated import Crowd, texts
from bot.runtime.policy_in_force import reload_policy
from core.errors import Refusal
from core.learning.data.inputs import Example, Input
from core.learning.learners.text import TextLearner, TextModel
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.vocabulary import ItemState, SyntheticState

LABEL = "gift card"  # one of `LATE_LABELS`, with two training rows at the start
CORRECTED = 10  # tickets of the label that people review first
SHOWN = 3  # kept texts to print
OPTIONS = Options(auto=True, seed=1, spoil=False, data=None, size=600, cards=CORRECTED, port=0, pace=10)
SECTION = """
[queues.support.synthetic]
enabled = true
address = "{address}"
model = "{model}"
calls = 2
seconds = 600
"""
JUDGED = (
    "Simulated reviewers answer as a model does that has learned from all {count} messages of the demo. It goes by "
    "words, and confirms also what no customer would write; a person would not"
)


def main() -> None:
    arguments = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--keep", action="store_true", help="keep the workspace open after the decision")
    keep, console = arguments.parse_args().keep, Console()
    try:
        play(console, keep)
    except Refusal as error:
        sys.exit(str(error))


def play(console: Console, keep: bool = False) -> None:
    rng = np.random.default_rng(OPTIONS.seed)
    shares = share_out(own_tickets(), LATE_LABELS, rng)
    mine = [ticket for ticket in shares.stream if ticket.label == LABEL and not ticket.also][:CORRECTED]
    with small_model.serving() as address, staged(OPTIONS, console, shares) as stage:
        stage.say(f"{small_model.NAME} answers at {address}; the workspace is at {stage.url}")
        first_model(stage)
        truth = texts(mine)
        with _crowd(stage, truth, rng):
            _correct(stage, mine)
            _allow(stage, address)
            _write(stage)
            _judge(stage, truth)
        _tell(stage)
        if keep:
            stage.console.print(f"\n  The workspace stays open at [bold]{stage.url}[/]. Press Ctrl-C to end the demo.")
            stage.stop.wait()


@contextmanager
def _crowd(stage: Stage, truth: Mapping[str, Ticket], rng: np.random.Generator) -> Iterator[None]:
    crowd = Crowd(stage.box, truth, stage.shares.labels, ACCURACIES, rng, stage.say, OPTIONS.pace)
    thread = threading.Thread(target=crowd.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        crowd.stop.set()
        thread.join()


def _correct(stage: Stage, tickets: Sequence[Ticket]) -> None:
    for number, ticket in enumerate(tickets, 1):
        arrives(stage, number, ticket)
    _settled(stage)
    stage.say(f"{len(tickets)} messages about “{LABEL}” came in; people settled {stage.count(ItemState.SETTLED)}")


def _allow(stage: Stage, address: str) -> None:
    """Allow the language model as an operator would: change the policy file, and reload it."""
    file = FOLDER / "goldloop.toml"
    with file.open("a", encoding="utf-8") as policy:
        policy.write(SECTION.format(address=address, model=small_model.NAME))
    services = stage.services
    reload_policy(services.database, file, "the demo", services.clock(), services.extra_learners)


def _write(stage: Stage) -> None:
    """Run the command as typed. Its exit code is 1 if the guards kept nothing."""
    options = ["--queue", stage.queue.name, "--label", LABEL]
    stage.say(f"goldloop synthesize --queue {stage.queue.name} --label “{LABEL}”")
    here = {"DATABASE_URL": "sqlite:///goldloop.sqlite", "GOLDLOOP_POLICY": "goldloop.toml", "GOLDLOOP_LLM_KEY": ""}
    code = "from bot.cli.app import main; main()"
    command = [sys.executable, "-c", code, "synthesize", *options, "--yes"]
    subprocess.run(command, cwd=FOLDER, env=os.environ | here, check=False)  # noqa: S603


def _judge(stage: Stage, truth: dict[str, Ticket]) -> None:
    """Let the reviewers judge the sample. They know the true labels of tickets; for written texts, a model trained on
    all tickets predicts the label."""
    tickets = [ticket for ticket in own_tickets() if ticket.label is not None]
    with stage.services.database.reading() as session:
        written = list(session.scalars(select(SyntheticText.text).where(SyntheticText.dropped_because == "")))
    if not any(written):
        return
    judge = TextLearner().fit_uncalibrated([Example(ticket.input, ticket.label or "") for ticket in tickets], 0)
    stage.say(f"Kept, for example: {' | '.join(written[:SHOWN])}")
    stage.say(JUDGED.format(count=len(tickets)))
    truth |= texts([Ticket(text, _best(judge, text)) for text in written])
    stage.box.wait_for(lambda: _state(stage).is_over, LONGEST_WAIT, "the decision about the batch")


def _best(judge: TextModel, text: str) -> str:
    return judge.classes[int(judge.probabilities([Input(text)])[0].argmax())]


def _settled(stage: Stage) -> None:
    stage.box.wait_for(lambda: not stage.count(ItemState.OPEN, ItemState.DISPUTED), LONGEST_WAIT, "settled items")


def _tell(stage: Stage) -> None:
    """Print the batch's card, as the lead sees it after the decision."""
    state = _state(stage).capitalize()

    def card() -> str | None:
        shown = [
            message.plain.removeprefix(message.text).strip()
            for message in stage.box.person(place.CLEO).messages(place.LEADS)
        ]
        return next((words for words in shown if "of texts for" in words and state in words), None)

    words = stage.box.wait_for(card, LONGEST_WAIT, "the batch's card")
    stage.console.print(f"\n[bold]The card in the leads' channel[/]\n{escape(words or '')}", highlight=False)


def _state(stage: Stage) -> SyntheticState:
    with stage.services.database.reading() as session:
        return session.scalars(select(SyntheticBatch.state)).one()


if __name__ == "__main__":
    main()
