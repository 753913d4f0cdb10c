"""A short run of `make chaos`; and each kind of loss that it looks for, made by hand, is found."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from benchmarks.chaos import results, rounds
from benchmarks.chaos.__main__ import rounds as planned
from benchmarks.chaos.invariants import check_rows
from benchmarks.chaos.invariants.scene import Finding, Scene
from benchmarks.chaos.ledger import Click, Ledger, Sent
from benchmarks.chaos.place import REVIEW, REVIEWERS, Kind, Way, laid_out
from benchmarks.chaos.rounds import Round
from benchmarks.chaos.texts import ticket
from bot.runtime.clock import utc_now
from bot.runtime.services import slack_client
from core.delivery.card_refs import CardRef
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.records.delivery import Posting
from core.records.jobs import Job
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.votes import NewAnswer, cast_vote
from core.vocabulary import AnswerKind, ItemState

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


SEED = 11  # with it every process is forked, so none takes three seconds to start


@pytest.mark.parametrize(("kind", "way"), [("sqlite", "http"), ("postgresql", "socket")])
def test_three_kills_during_work_break_no_guarantee(kind: Kind, way: Way, tmp_path: Path) -> None:
    result = rounds.play(Round(0, SEED, 3, kind, way, workers=1, items=3), tmp_path, lambda what: None, doctor=False)
    assert result.broken == []
    assert sum(result.kills.values()) == 3
    assert result.notes["clicks: acknowledged and stored"] > 0


def test_the_long_run_has_both_databases_and_both_connections() -> None:
    these = planned(200, seed=5)
    assert sum(one.kills for one in these) == 200
    assert len({(one.kind, one.way) for one in these}) == 4
    assert len({one.seed for one in these}) == len(these)


def test_what_was_played_is_kept_and_what_was_broken_is_played_again(tmp_path: Path) -> None:
    whole, harmed, later = planned(60, seed=5)
    results.keep(tmp_path, rounds.Result(whole, {"web": 20}, findings=[Finding("no job is left", 3)]))
    results.keep(tmp_path, rounds.Result(harmed, findings=[Finding("no job is left", 3, ("job 1 is running",))]))
    kept = results.of_these(results.kept_results(tmp_path), [whole, harmed, later])
    assert [result.round for result in kept] == [whole]
    assert kept[0].findings == [Finding("no job is left", 3)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An item that two people settled, as it is stored and as it was seen from outside. No process runs."""
    with laid_out(tmp_path / "round", "sqlite", "socket") as place:
        ledger, queue = Ledger(), place.policy.queues[0]
        text, label = ticket(1, random.Random(1))
        row = {"external_id": "T-1", "model_version": "m", "text": text, "label": label, "confidence": 0.5}
        with place.database.transaction() as session:
            record_predictions(session, [checked_prediction(row, queue)], utc_now(), queue)
            item_id = session.scalars(select(ReviewItem.id)).one()
        ledger.note(Sent("T-1", "m", text, uncertain=True))
        for person in REVIEWERS[:2]:
            sent = time.time()
            said = NewAnswer(AnswerKind.LABEL, int(sent * 1_000_000), label)
            with place.database.transaction() as session:
                cast_vote(session, CardRef(item_id), person, said, utc_now(), place.policy)
            ledger.note(Click(person, item_id, said.kind, label, said.clicked_at, sent, time.time(), heard=True))
        yield Scene(place, ledger)


def broken(scene: Scene) -> set[str]:
    return {finding.name for finding in check_rows(scene) if finding.broken}


def lose_a_vote(session: Session) -> None:
    session.delete(session.scalars(select(Answer).order_by(Answer.id)).first())


def invent_a_vote(session: Session) -> None:
    session.add(
        Answer(
            item_id=1, person="U_GUS", kind=AnswerKind.LABEL, label="refund", suggestion_shown=False,
            guideline_version=1, clicked_at=1, created_at=utc_now(),
        )
    )  # fmt: skip


def lose_what_is_current(session: Session) -> None:
    session.execute(update(Answer).where(Answer.person == REVIEWERS[0]).values(is_current=False))


def lose_the_correction(session: Session) -> None:
    session.execute(delete(Correction))


def change_the_label(session: Session) -> None:
    session.execute(update(Correction).values(label=None))


def open_it_again(session: Session) -> None:
    session.execute(update(ReviewItem).values(state=ItemState.OPEN))


def lose_the_prediction_s_text(session: Session) -> None:
    session.execute(update(Prediction).values(text=""))


def leave_a_job_running(session: Session) -> None:
    session.add(
        Job(
            name="train",
            key="x",
            mutex=None,
            payload={},
            state="running",
            next_attempt_at=utc_now(),
            leased_by="gone:1:x",
        )
    )


def give_a_card_up(session: Session) -> None:
    session.execute(update(Posting).values(failure_reason="is_archived"))


WITHOUT_WORKER = {"one post per card", "each card shows its row as it is", "each event is heard, under one id"}


def test_what_is_whole_is_found_whole(scene: Scene) -> None:
    assert broken(scene) == WITHOUT_WORKER, "no worker runs here; else all is well"
    assert scene.notes["clicks: acknowledged and stored"] == 2


@pytest.mark.parametrize(
    ("harm", "promise"),
    [
        (lose_a_vote, "an acknowledged vote is stored"),
        (invent_a_vote, "what is stored was said by that person"),
        (lose_what_is_current, "one current answer per item and person"),
        (lose_the_correction, "one correction per item, as its votes say"),
        (change_the_label, "one correction per item, as its votes say"),
        (open_it_again, "one correction per item, as its votes say"),
        (lose_the_prediction_s_text, "an accepted prediction is stored once"),
        (leave_a_job_running, "no job is left"),
        (give_a_card_up, "no message was given up"),
    ],
)
def test_a_loss_is_found(scene: Scene, harm: Callable[[Session], None], promise: str) -> None:
    with scene.place.database.transaction() as session:
        harm(session)
    assert promise in broken(scene)


def test_a_receipt_for_what_is_not_stored_is_found(scene: Scene) -> None:
    app = scene.place.sandbox.workspace.config.apps[0]
    slack = slack_client(app.bot_token, f"{scene.place.box.address}/api/")
    slack.chat_postEphemeral(channel=REVIEW, user=REVIEWERS[2], text="Item 1: *refund*.")
    assert "a receipt is true" in broken(scene)
