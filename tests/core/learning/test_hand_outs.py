"""A snapshot is handed out to a service, and the run waits for its answers, whatever happens meanwhile."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.errors import AlreadySettled, Invalid, ModelUnavailable, NotFound
from core.learning.learners.external import ExternalModel
from core.learning.learners.fingerprints import fingerprint
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.hand_outs import golden_inputs, wait_for_other_run
from core.learning.lifecycle.model_card import model_card
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.submissions import (
    Submission,
    checked_submission,
    note_refusal,
    submit,
    submitted_answers,
)
from core.learning.lifecycle.training import evaluate_again, train
from core.privacy.erasure import erase
from core.records.external import HandOut
from core.records.learning import Artifact, ModelVersion, SeedExample
from core.records.webhooks import Event
from core.storage.database import Database
from core.vocabulary import EventKind, GateWarning, RunProblem, RunState, RunStep, WeightChoice
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk, opened
from tests.core.models import claimed, requested, run, seeded, ticking, trained, waiting_jobs
from tests.core.pictures.test_stored import seeds as picture_seeds
from tests.core.services import away, connection, handed, service_policy, submission, submitted, work
from tests.people import ANA, BEN, CLEO, LABELS
from tests.pictures import drawn

pytestmark = pytest.mark.slow  # models are stored in most of them

SOON = NOW + timedelta(minutes=2)
LATE = NOW + timedelta(hours=2, minutes=1)


@pytest.fixture
def desk(database: Database) -> Desk:
    return seeded(opened(database, service_policy()))


def models(desk: Desk) -> list[ModelVersion]:
    with desk.database.reading() as session:
        return list(session.scalars(select(ModelVersion).order_by(ModelVersion.id)))


def events(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.reading() as session:
        found = session.scalars(select(Event).where(Event.kind == EventKind.TRAINING_REQUESTED).order_by(Event.id))
        return [event.data for event in found]


def warnings(desk: Desk, model_id: int) -> list[str]:
    with desk.database.reading() as session:
        return [warning["code"] for warning in newest_evaluation(session, model_id).warnings]


def approved(desk: Desk, model_id: int) -> None:
    with desk.database.transaction() as session:
        assert approve(session, model_id, CLEO, 1, NOW, desk.policy)


def test_the_service_is_told_what_it_may_fetch_and_no_text(desk: Desk) -> None:
    waiting = handed(desk)
    [told] = events(desk)
    with desk.database.reading() as session:
        golden = golden_inputs(session, waiting.queue_id, waiting.snapshot_id or 0)
    where = f"/api/v1/queues/support/snapshots/{waiting.snapshot_id}"
    assert told | {"snapshot_hash": ""} == {
        "queue": "support",
        "run_id": waiting.id,
        "snapshot_id": waiting.snapshot_id,
        "snapshot_hash": "",
        "rows": 18 - len(golden),
        "golden_inputs": len(golden),
        "labels": list(LABELS),
        "due_at": (waiting.requested_at + timedelta(hours=2)).isoformat()[:11] + told["due_at"][11:],
        "snapshot": f"{where}?format=jsonl",
        "golden": f"{where}/golden",
        "answers": f"{where}/answers",
    }
    assert waiting.progress == RunStep.SERVICE_ASKED
    assert (waiting.progress_values["rows"], waiting.progress_values["golden"]) == (told["rows"], len(golden))
    assert [one.content_hash for one in golden] == sorted(one.content_hash for one in golden)


def test_a_run_that_waits_holds_no_lease_and_looks_again_every_minute(desk: Desk) -> None:
    waiting = handed(desk)
    assert (waiting.state, waiting_jobs(desk, "train")) == (RunState.RUNNING, 1)
    with desk.database.transaction() as session:
        assert jobs.claim(session, "train", "worker", NOW) is None, "it is not due yet"
    for minutes in (2, 4, 6):
        work(desk, now=NOW + timedelta(minutes=minutes))
    assert len(events(desk)) == 1
    assert models(desk) == []


def test_pictures_alone_are_not_handed_out_and_the_run_says_why(database: Database) -> None:
    desk = opened(database, service_policy(golden={"seed_share": 0.0}))
    picture_seeds(desk, (drawn(1), DELIVERY), (drawn(2), REFUND))
    failed = trained(desk)
    assert (failed.state, events(desk)) == (RunState.FAILED, [])
    assert failed.problem_values == {
        "sentence": "The learner “external” reads text, and none of the 2 training rows has any."
    }


def test_a_worker_that_dies_while_it_hands_out_is_replaced(desk: Desk) -> None:
    run_id = requested(desk)
    job = claimed(desk)

    class Killed(BaseException):
        pass

    def dies(looks: int) -> Any:
        tick, left = ticking(), iter(range(looks))

        def look() -> Any:
            if next(left, None) is None:
                raise Killed
            return tick()

        return look

    for looks in (0, 1, 2, 3):
        with pytest.raises(Killed):
            train(desk.database, job, dies(looks), desk.policy)
    with desk.database.transaction() as session:
        jobs.reap(session, NOW + timedelta(minutes=5), lambda _process: False)
    work(desk, now=NOW + timedelta(minutes=5))
    assert len(events(desk)) == 1, "handed out once"
    assert run(desk, run_id or 0).progress == RunStep.SERVICE_ASKED


def test_the_answers_make_a_candidate_at_once(desk: Desk) -> None:
    waiting = handed(desk)
    done = submitted(desk, waiting.snapshot_id or 0)
    assert (done.run_id, done.version, done.repeated) == (waiting.id, "mine-1", False)
    work(desk)  # now, not in a minute
    [model] = models(desk)
    assert run(desk, waiting.id).state is RunState.DONE
    assert run(desk, waiting.id).weighing in (WeightChoice.POLICY, WeightChoice.EXTERNAL)
    with desk.database.reading() as session:
        artifact, evaluation = session.get_one(Artifact, model.id), newest_evaluation(session, model.id)
        digest = session.scalars(select(HandOut)).one()
        card = model_card(session, model.id, desk.policy)
    assert (model.learner, artifact.runtime, evaluation.passed) == ("external", "external", True)
    assert digest.version == "mine-1"
    assert card.fit.service_version == "mine-1"
    expected = ExternalModel(card.training.snapshot_hash, "mine-1", LABELS)
    assert model.parameters_fingerprint == fingerprint(expected)
    assert GateWarning.NO_HELD_OUT not in warnings(desk, model.id), "there is no model to compare with"


def test_the_gate_judges_what_was_submitted_and_says_what_it_cannot_see(desk: Desk) -> None:
    first = handed(desk)
    submitted(desk, first.snapshot_id or 0)
    work(desk)
    approved(desk, models(desk)[0].id)

    def refund(_text: str) -> dict[str, float]:
        return {REFUND: 1.0}

    second = handed(desk)
    submitted(desk, second.snapshot_id or 0, "mine-2", answers=refund)
    work(desk, away)
    worse = models(desk)[1]
    with desk.database.reading() as session:
        evaluation = newest_evaluation(session, worse.id)
    assert not evaluation.passed, "the answers that both services submitted are compared without a call"
    assert GateWarning.NO_HELD_OUT in warnings(desk, worse.id)
    assert evaluation.scorecard["training"] is None


def test_a_service_that_is_away_while_the_candidate_is_compared_is_waited_for(desk: Desk) -> None:
    first = handed(desk)
    submitted(desk, first.snapshot_id or 0)
    work(desk)
    approved(desk, models(desk)[0].id)
    desk.ticket("my money please")  # a stored text, about which both models are asked
    second = handed(desk)
    submitted(desk, second.snapshot_id or 0, "mine-2")
    with pytest.raises(ModelUnavailable):
        work(desk, away)
    stopped = run(desk, second.id)
    assert (stopped.state, stopped.progress) == (RunState.RUNNING, RunStep.SERVICE_AWAY)
    assert stopped.progress_values == {"sentence": "The service of support does not answer."}
    with desk.database.transaction() as session:
        jobs.reap(session, SOON, lambda _process: True)
    work(desk, now=SOON)
    assert run(desk, second.id).state is RunState.DONE
    approved(desk, models(desk)[1].id)


def test_a_service_that_stays_away_ends_the_run_with_a_sentence(desk: Desk) -> None:
    waiting = handed(desk)
    submitted(desk, waiting.snapshot_id or 0)
    with desk.database.transaction() as session:
        session.get_one(HandOut, waiting.id).submitted_at = NOW - timedelta(hours=3)
    desk.ticket("my money please")
    work(desk)
    approved(desk, models(desk)[0].id)
    second = handed(desk)
    submitted(desk, second.snapshot_id or 0, "mine-2", now=NOW)
    with desk.database.transaction() as session:
        session.get_one(HandOut, second.id).submitted_at = NOW - timedelta(hours=3)
    work(desk, away)
    ended = run(desk, second.id)
    assert (ended.state, ended.problem_values["sentence"]) == (
        RunState.FAILED, "The service of support does not answer.",
    )  # fmt: skip


def test_a_service_that_answers_too_late_ends_the_run_and_the_queue_goes_on(desk: Desk) -> None:
    waiting = handed(desk)
    work(desk, now=LATE)
    ended = run(desk, waiting.id)
    assert (ended.state, ended.problem) == (RunState.FAILED, RunProblem.REFUSED)
    assert "sent no usable answers to snapshot 1 by 2026-11-24 11:00 UTC" in ended.problem_values["sentence"]
    with pytest.raises(AlreadySettled, match="were due by 2026-11-24 11:00 UTC, and its training run is over"):
        submitted(desk, waiting.snapshot_id or 0, now=LATE)
    again = handed(desk)
    submitted(desk, again.snapshot_id or 0)
    work(desk)
    assert run(desk, again.id).state is RunState.DONE


def test_answers_a_moment_too_late_are_refused_before_the_run_has_noticed(desk: Desk) -> None:
    waiting = handed(desk)
    with pytest.raises(AlreadySettled, match="were due by"):
        submitted(desk, waiting.snapshot_id or 0, now=LATE)


def test_the_same_submission_again_changes_nothing_and_another_one_is_refused(desk: Desk) -> None:
    waiting = handed(desk)
    first = submitted(desk, waiting.snapshot_id or 0)
    assert submitted(desk, waiting.snapshot_id or 0) == replace(first, repeated=True)
    for other in ({"version": "mine-2"}, {"answers": lambda _text: {REFUND: 1.0}}):
        with pytest.raises(AlreadySettled, match=r"Snapshot 1 has been answered by “mine-1”\. A snapshot takes one"):
            submitted(desk, waiting.snapshot_id or 0, **other)
    work(desk)
    assert submitted(desk, waiting.snapshot_id or 0, now=LATE).repeated, "also when all is over"


def broken(given: Submission, what: str) -> Submission:
    names = list(given.answers)
    match what:
        case "NaN":
            return replace(given, answers={**given.answers, names[0]: {REFUND: math.nan, DELIVERY: 1.0}})
        case "other labels":
            return replace(given, answers={**given.answers, names[0]: {"parcel": 1.0}})
        case "too few":
            return replace(given, answers={name: given.answers[name] for name in names[1:]})
        case "unknown":
            return replace(given, answers={**given.answers, "f" * 64: {REFUND: 1.0}})
        case "no probabilities":
            return replace(given, answers={**given.answers, names[0]: None})
        case _:
            return replace(given, snapshot="0" * 64)


UNUSABLE = [
    ("NaN", "predictions", "gives “refund” nan, which is not a number from 0 to 1"),
    ("other labels", "predictions", "has “parcel”, which is none of the labels"),
    ("too few", "predictions", r"Answers to 1 of \d+ golden inputs are missing, such as "),
    ("unknown", "predictions", "ffffffffffff… is no golden input of snapshot 1"),
    ("no probabilities", "predictions", "is not an object of labels and probabilities"),
    ("other snapshot", "snapshot", "snapshot is not the hash of snapshot 1"),
]


@pytest.mark.parametrize(("what", "field", "words"), UNUSABLE)
def test_answers_of_no_use_are_a_sentence_and_better_ones_may_follow(
    desk: Desk, what: str, field: str, words: str
) -> None:
    waiting = handed(desk)
    queue_id, snapshot_id = desk.queue().id, waiting.snapshot_id or 0
    good = submission(desk, snapshot_id)
    with pytest.raises(Invalid, match=words) as refusal, desk.database.transaction() as session:
        submit(session, queue_id, snapshot_id, broken(good, what), NOW)
    assert refusal.value.field == field
    with desk.database.transaction() as session:
        assert submitted_answers(session, waiting.id) == {}
        note_refusal(session, queue_id, snapshot_id, str(refusal.value), NOW)
    assert run(desk, waiting.id).progress == RunStep.SERVICE_REFUSED
    assert submitted(desk, snapshot_id).answers == len(good.answers)
    work(desk)
    assert run(desk, waiting.id).state is RunState.DONE


def test_each_model_of_a_queue_has_a_version_of_its_own(desk: Desk) -> None:
    submitted(desk, handed(desk).snapshot_id or 0)
    work(desk)
    second = handed(desk)
    with pytest.raises(
        Invalid, match=r"“mine-1” is the model of snapshot 1\. Give each a version of its own"
    ) as refusal:
        submitted(desk, second.snapshot_id or 0)
    assert refusal.value.field == "version"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "Send one JSON object"),
        ({"snapshot": "x", "predictions": []}, "version must be a non-empty string"),
        ({"version": " ", "snapshot": "x", "predictions": []}, "version must be a non-empty string"),
        ({"version": "a\nb", "snapshot": "x", "predictions": []}, "at most 80 printable characters"),
        ({"version": "a" * 81, "snapshot": "x", "predictions": []}, "at most 80 printable characters"),
        ({"version": "1", "predictions": []}, "snapshot must be a non-empty string"),
        ({"version": "1", "snapshot": "x"}, "predictions must be a list"),
        ({"version": "1", "snapshot": "x", "predictions": [1]}, "Prediction 1 has no content_hash"),
        (
            {"version": "1", "snapshot": "x", "predictions": [{"content_hash": "a"}, {"content_hash": "a"}]},
            "Prediction 2 is a second answer to a…",
        ),
    ],
)
def test_a_submission_that_cannot_be_read_is_refused_with_a_sentence(sent: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checked_submission(sent)


def test_what_was_not_handed_out_cannot_be_answered(desk: Desk) -> None:
    with pytest.raises(NotFound, match="has handed out no snapshot 7"), desk.database.transaction() as session:
        submit(session, desk.queue().id, 7, Submission("1", "x", {}), NOW)


def test_an_older_run_is_answered_before_a_newer_one_begins(desk: Desk) -> None:
    first = handed(desk)
    second = requested(desk)
    job = claimed(desk)
    with desk.database.transaction() as session:
        assert wait_for_other_run(session, job, NOW)
    assert (run(desk, second or 0).progress, run(desk, second or 0).state) == (RunStep.OTHER_RUN, RunState.REQUESTED)
    submitted(desk, first.snapshot_id or 0)
    work(desk)
    with desk.database.transaction() as session:
        job = jobs.claim(session, "train", "worker", SOON) or job
        assert not wait_for_other_run(session, job, SOON)


def test_rows_that_are_erased_while_the_service_has_them_end_the_run(desk: Desk) -> None:
    desk.settled(ANA, BEN, answer=BILLING, text="charged for the hat", external_id="T-1")
    with desk.database.reading() as session:
        assert session.scalars(select(SeedExample)).all()
    waiting = handed(desk)
    with desk.database.transaction() as session:
        erase(session, "support", "T-1", NOW)
    with pytest.raises(AlreadySettled, match="Rows of snapshot 1 have been erased since"):
        submitted(desk, waiting.snapshot_id or 0)
    work(desk, now=SOON)
    ended = run(desk, waiting.id)
    assert ended.state is RunState.FAILED
    assert "1 row of snapshot 1 was erased while the service had" in ended.problem_values["sentence"]


def test_a_golden_input_that_is_erased_takes_its_answer_along(desk: Desk) -> None:
    waiting = handed(desk)
    queue_id, snapshot_id = desk.queue().id, waiting.snapshot_id or 0
    full = submission(desk, snapshot_id)
    with desk.database.reading() as session:
        first, second = golden_inputs(session, queue_id, snapshot_id)[:2]
    desk.ticket(first.input.text, external_id="T-1")
    desk.ticket(second.input.text, external_id="T-2")
    with desk.database.transaction() as session:
        erase(session, "support", "T-1", NOW)
    with desk.database.transaction() as session:
        assert submit(session, queue_id, snapshot_id, full, NOW).answers == len(full.answers) - 1, "not stored"
        assert first.content_hash not in submitted_answers(session, waiting.id)
    with desk.database.transaction() as session:
        erase(session, "support", "T-2", NOW)
        assert second.content_hash not in submitted_answers(session, waiting.id)


def test_a_candidate_is_compared_again_with_what_was_submitted(desk: Desk) -> None:
    for number in (1, 2):
        submitted(desk, handed(desk).snapshot_id or 0, f"mine-{number}")
        work(desk)
    third = handed(desk)
    submitted(desk, third.snapshot_id or 0, "mine-3")
    approved(desk, models(desk)[1].id)
    work(desk)
    assert [one.state for one in models(desk)][1] == "live"
    assert waiting_jobs(desk, "evaluate") in (0, 1)
    with desk.database.transaction() as session:
        job = jobs.claim(session, "evaluate", "worker", SOON)
    if job is not None:
        evaluate_again(desk.database, job, ticking(), desk.policy, connect=connection())
    assert run(desk, third.id).state is RunState.DONE
