"""Training runs: requested once, one at a time, finished whatever happens to the worker."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from core import jobs
from core.errors import Invalid
from core.jobs import LostLease
from core.learning.data.golden import golden_set
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import snapshot_rows
from core.learning.evaluation.scorecard import Scorecard
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.text import TextLearner
from core.learning.lifecycle.decisions import approve, reject
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.runs import TRAIN, give_up_evaluation, locked_run, request_run_if_due
from core.learning.lifecycle.serving import Serving
from core.learning.lifecycle.training import Clock, train
from core.records.delivery import Notice
from core.records.learning import Artifact, ModelVersion, Snapshot, TrainingRun
from core.vocabulary import (
    Card,
    Coded,
    GateWarning,
    ModelState,
    NoticeKind,
    RunProblem,
    RunState,
    RunStep,
    Trigger,
)
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, Desk, sent
from tests.core.models import candidate, claimed, requested, run, seeded, ticking, trained, waiting_jobs
from tests.people import ANA, BEN, CLEO, LEADS

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


class Killed(BaseException):
    """The worker's process ends here."""


def killed_after(looks: int) -> Clock:
    """A clock that ends the process when it is looked at once too often; verbs look at it all along their way."""
    tick = ticking()
    left = iter(range(looks))

    def look() -> datetime:
        if next(left, None) is None:
            raise Killed
        return tick()

    return look


def runs(desk: Desk) -> list[TrainingRun]:
    with desk.database.reading() as session:
        return list(session.scalars(select(TrainingRun).order_by(TrainingRun.id)))


def models(desk: Desk) -> list[ModelVersion]:
    with desk.database.reading() as session:
        return list(session.scalars(select(ModelVersion).order_by(ModelVersion.id)))


def test_a_run_is_asked_for_once_until_it_has_started(desk: Desk) -> None:
    seeded(desk)
    first = requested(desk)
    assert first is not None
    assert requested(desk, Trigger.CRON, None) is None
    assert waiting_jobs(desk, TRAIN) == 1
    assert desk.wanted(Card.RUN, first) == 1
    train(desk.database, claimed(desk), ticking(), desk.policy)
    assert requested(desk) not in (None, first)


def test_many_at_once_ask_for_one_run(desk: Desk) -> None:
    start = Barrier(8)

    def ask(_number: int) -> int | None:
        start.wait(10)
        return requested(desk)

    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(ask, range(8)))
    assert len([run_id for run_id in asked if run_id is not None]) == len(runs(desk)) == 1
    assert waiting_jobs(desk, TRAIN) == 1


def test_a_run_is_due_when_enough_corrections_with_a_label_have_come(open_desk: OpenDesk) -> None:
    desk = open_desk(retraining={"corrections": 2})
    steps = ((BILLING, 0), (NONE, 0), (REFUND, 1), (BILLING, 1), (NONE, 1), (NONE, 1))
    for number, (answer, asked) in enumerate(steps):
        desk.settled(ANA, BEN, answer=answer)
        assert len(runs(desk)) == asked, number
    [waiting] = runs(desk)
    assert (waiting.trigger, waiting.requested_by) == (Trigger.CORRECTIONS, None)
    reject_candidate(desk)
    desk.settled(ANA, BEN, answer=REFUND)
    assert len(runs(desk)) == 2, "the one that came while the run waited counts towards the next"


def reject_candidate(desk: Desk) -> None:
    """The run that waits makes a candidate, and a lead refuses it."""
    train(desk.database, claimed(desk), ticking(), desk.policy)
    with desk.database.transaction() as session:
        reject(session, models(desk)[-1].id, CLEO, NOW, desk.policy)


def corrected(desk: Desk, now: datetime = NOW) -> int:
    """Two more corrections, as many as start a run here. Returns how many runs there are then."""
    for answer in (BILLING, REFUND):
        desk.settled(ANA, BEN, answer=answer)
    with desk.database.transaction() as session:
        request_run_if_due(session, desk.queue(), now, desk.rules)
    return len(runs(desk))


def test_new_corrections_do_not_supersede_a_candidate_in_review_within_the_interval(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"corrections": 2}))
    assert corrected(desk) == 1
    train(desk.database, claimed(desk), ticking(), desk.policy)
    created = models(desk)[0].created_at
    for hours in (0, 12, 23):
        assert corrected(desk, created + timedelta(hours=hours)) == 1, hours
    assert corrected(desk, created + timedelta(hours=24)) == 2
    assert [one.state for one in models(desk)] == [ModelState.CANDIDATE]


def test_the_interval_ends_with_the_decision(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"corrections": 2}))
    corrected(desk)
    reject_candidate(desk)
    assert corrected(desk) == 2


def test_a_candidate_that_is_asked_for_does_not_wait_for_the_interval(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"corrections": 2}))
    trained(desk)
    for trigger in (Trigger.COMMAND, Trigger.CRON):
        assert requested(desk, trigger, None) is not None
        train(desk.database, claimed(desk), ticking(), desk.policy)
    assert models(desk)[-1].name == "v3"


def test_the_interval_is_policy(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"corrections": 2, "interval_hours": 0}))
    corrected(desk)
    train(desk.database, claimed(desk), ticking(), desk.policy)
    assert corrected(desk, models(desk)[0].created_at) == 2


def test_corrections_ask_for_no_second_run_while_one_is_under_way(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"corrections": 2}))
    corrected(desk)
    job = claimed(desk)
    with pytest.raises(Killed):
        train(desk.database, job, killed_after(3), desk.policy)
    assert runs(desk)[0].state is RunState.RUNNING
    assert corrected(desk) == 1
    train(desk.database, job, ticking(), desk.policy)
    with desk.database.transaction() as session:
        reject(session, 1, CLEO, NOW, desk.policy)
        request_run_if_due(session, desk.queue(), NOW, desk.rules)
    assert len(runs(desk)) == 2, "they count when it is over, though no other came"


def test_labels_with_few_training_rows_are_named_on_the_report(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"seed_share": 0.0})
    texts = [
        (f"{word} {number}", label) for word, label in (("money", REFUND), ("late", DELIVERY)) for number in range(3)
    ]
    with desk.database.transaction() as session:
        add_seeds(session, texts, NOW, desk.rules)
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice")
    desk.settled(ANA, BEN, answer=BILLING, **image(1))  # not for what reads text
    trained(desk)
    floor = Coded(GateWarning.FEW_TRAINING_ROWS, {"rows": {BILLING: 1}, "floor": 3})
    with desk.database.reading() as session:
        assert floor.as_dict() in newest_evaluation(session, 1).warnings
    for number in range(2):
        desk.settled(ANA, BEN, answer=BILLING, text=f"charged {number} times")
    trained(desk)
    with desk.database.reading() as session:
        codes = [one["code"] for one in newest_evaluation(session, 2).warnings]
    assert GateWarning.FEW_TRAINING_ROWS not in codes


def test_no_run_comes_of_corrections_where_the_policy_does_not_want_it(open_desk: OpenDesk) -> None:
    desk = open_desk(retraining={"corrections": 0})
    for _number in range(3):
        desk.settled(ANA, BEN)
    assert runs(desk) == []


def test_of_a_queue_one_run_is_in_work(desk: Desk) -> None:
    seeded(desk)
    requested(desk)
    first = claimed(desk)
    with pytest.raises(Killed):
        train(desk.database, first, killed_after(3), desk.policy)
    assert runs(desk)[0].state is RunState.RUNNING
    assert requested(desk) is not None
    with desk.database.transaction() as session:
        assert jobs.claim(session, TRAIN, "other", NOW) is None
    train(desk.database, first, ticking(), desk.policy)
    train(desk.database, claimed(desk), ticking(), desk.policy)
    assert [one.state for one in runs(desk)] == [RunState.DONE, RunState.DONE]


def test_a_run_ends_as_a_candidate_with_everything_to_explain_it(desk: Desk) -> None:
    seeded(desk)
    desk.settled(ANA, BEN, answer=BILLING, text="why did you take it twice")
    done = trained(desk)
    assert (done.state, done.progress, done.problem) == (RunState.DONE, RunStep.DONE, "")
    [model] = models(desk)
    assert (model.state, model.version, model.run_id, model.learner) == (ModelState.CANDIDATE, 1, done.id, "text")
    with desk.database.reading() as session:
        snapshot = session.get_one(Snapshot, done.snapshot_id)
        golden = golden_set(session, done.queue_id)
        assert snapshot.golden_up_to == golden[-1].id
        assert session.get_one(Artifact, model.id).sha256
        evaluation = newest_evaluation(session, model.id)
        assert Scorecard.from_dict(evaluation.scorecard).random.n == len(golden)
        assert evaluation.policy_fingerprint == desk.rules.fingerprint
    assert desk.wanted(Card.CANDIDATE, model.id) == desk.wanted(Card.CHART, model.id) == 1
    assert desk.wanted(Card.RUN, done.id) > 2, "its progress was shown"


def test_the_next_candidate_supersedes_one_that_waits(desk: Desk) -> None:
    seeded(desk)
    trained(desk)
    trained(desk)
    assert [(one.name, one.state) for one in models(desk)] == [
        ("v1", ModelState.SUPERSEDED),
        ("v2", ModelState.CANDIDATE),
    ]
    assert desk.wanted(Card.CANDIDATE, models(desk)[0].id) == 2


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "There is nothing to learn from"),
        ([("money back", REFUND), ("refund me", REFUND)], "have the label “refund”. At least two labels are needed"),
    ],
    ids=["no rows", "one label"],
)
def test_a_run_that_cannot_learn_fails_with_a_sentence(
    open_desk: OpenDesk, rows: list[tuple[str, str]], words: str
) -> None:
    desk = open_desk(golden={"seed_share": 0.0})
    with desk.database.transaction() as session:
        add_seeds(session, rows, NOW, desk.rules)
    failed = trained(desk)
    assert failed.state is RunState.FAILED
    assert words in failed.problem_values["sentence"]
    assert failed.finished_at is not None
    assert models(desk) == []
    assert waiting_jobs(desk, TRAIN) == 0
    assert requested(desk) is not None, "the next one may come"


def test_an_unknown_learner_fails_the_run_with_a_sentence(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"learner": "oracle"}))
    assert "There is no learner “oracle”. Choose from: " in trained(desk).problem_values["sentence"]


def image(number: int) -> dict[str, Any]:
    return {"text": None, "image_url": f"https://files.example/{number}.png"}


def test_images_take_no_part_in_the_fit_and_the_evaluation_of_what_reads_text(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(golden={"random_share": 1.0, "seed_share": 0.3}))
    alone = trained(desk)
    for number in range(4):
        desk.settled(ANA, BEN, answer=BILLING, **image(number))
    blind = desk.under(review={"blind_share": 1.0}, golden={"random_share": 1.0, "seed_share": 0.3})
    for number in range(4, 9):
        blind.settled(ANA, BEN, answer=BILLING, **image(number))
    beside = trained(desk)
    with desk.database.reading() as session:
        before, after = (session.get_one(Snapshot, one.snapshot_id) for one in (alone, beside))
        assert after.rows == before.rows + 4
        new = golden_set(session, beside.queue_id)[len(golden_set(session, beside.queue_id, before.golden_up_to)) :]
        assert [one.input.image is not None for one in new] == [True] * 5
        first, second = (Scorecard.from_dict(newest_evaluation(session, one).scorecard) for one in (1, 2))
        assert second.random == first.random
        assert second.past_errors == first.past_errors
        examples = [row.example for row in snapshot_rows(session, alone.snapshot_id or 0)]
    expected = fingerprint(TextLearner().fit(examples, beside.seed, lambda _words: None))
    assert models(desk)[-1].parameters_fingerprint == expected


def test_a_queue_of_images_alone_fails_the_run_of_what_reads_text_with_a_sentence(desk: Desk) -> None:
    for number in range(3):
        desk.settled(ANA, BEN, answer=(BILLING, REFUND, BILLING)[number], **image(number))
    failed = trained(desk)
    assert failed.state is RunState.FAILED
    assert failed.problem == RunProblem.REFUSED
    said = failed.problem_values["sentence"]
    assert said == "The learner “text” reads text, and none of the 3 training rows has any."


class AddedLearner(TextLearner):
    name = "added"


ADDED = {AddedLearner.name: f"{__name__}:AddedLearner"}


def test_a_run_and_what_serves_its_model_use_a_learner_that_the_process_added(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(retraining={"learner": AddedLearner.name}))
    assert "There is no learner “added”" in trained(desk).problem_values["sentence"]
    for model_id in (1, 2):  # the second one is compared with the first
        run_id = requested(desk)
        train(desk.database, claimed(desk), ticking(), desk.policy, extra_learners=ADDED)
        assert run(desk, run_id or 0).state is RunState.DONE
        with desk.database.transaction() as session:
            assert approve(session, model_id, CLEO, model_id, NOW, desk.policy)
        with desk.database.reading() as session:
            baseline = Scorecard.from_dict(newest_evaluation(session, model_id).scorecard).baseline
        assert (baseline == "live") == (model_id == 2)
    served = Serving(desk.database, ADDED).live(desk.rules)
    assert served is not None
    assert served.name == "v2"
    with pytest.raises(Invalid, match="There is no learner “added”"):
        Serving(desk.database).live(desk.rules)


def test_a_run_that_is_killed_is_taken_up_with_the_same_snapshot_and_gives_the_same_model(desk: Desk) -> None:
    seeded(desk)
    snapshots = 0
    for looks in (0, 1, 4, 7):  # before the snapshot, within its transaction, while fitting, while storing
        run_id = requested(desk)
        assert run_id is not None
        with pytest.raises(Killed):
            train(desk.database, claimed(desk, f"killed after {looks}"), killed_after(looks), desk.policy)
        before = run(desk, run_id).snapshot_id
        assert (before is not None) == (looks >= 3)
        desk.settled(ANA, BEN, answer=BILLING)
        with desk.database.transaction() as session:
            jobs.reap(session, NOW, lambda name: name.startswith("killed"))
        train(desk.database, claimed(desk, "second"), ticking(), desk.policy)
        done = run(desk, run_id)
        assert done.state is RunState.DONE
        assert before in (None, done.snapshot_id)
        with desk.database.reading() as session:
            examples = [row.example for row in snapshot_rows(session, done.snapshot_id or 0)]
            snapshots += 1
            assert session.scalar(select(func.count()).select_from(Snapshot)) == snapshots
        expected = fingerprint(TextLearner().fit(examples, done.seed, lambda _words: None))
        assert models(desk)[-1].parameters_fingerprint == expected
    assert len(models(desk)) == 4


def test_who_lost_the_job_stores_nothing(desk: Desk) -> None:
    seeded(desk)
    run_id = requested(desk)
    lost = claimed(desk, "slow")
    with desk.database.transaction() as session:
        jobs.reap(session, NOW, lambda _name: True)
    new = claimed(desk, "quick")
    train(desk.database, new, ticking(), desk.policy)
    with desk.database.reading() as session:
        before = session.get_one(TrainingRun, run_id).snapshot_id
    with pytest.raises(LostLease):
        train(desk.database, lost, ticking(), desk.policy)
    assert len(models(desk)) == 1
    assert run(desk, run_id or 0).snapshot_id == before


def test_a_run_has_one_snapshot_even_if_two_workers_take_one_at_once(desk: Desk) -> None:
    """The slower of two had read that there is none; what it would have taken must not replace what is trained on."""
    seeded(desk)
    run_id = requested(desk) or 0
    slow = claimed(desk, "slow")
    with desk.database.transaction() as session:
        jobs.reap(session, NOW, lambda _name: True)
    quick = claimed(desk, "quick")
    start = Barrier(2)

    def work(job: jobs.Claim) -> bool:
        start.wait(10)
        try:
            train(desk.database, job, ticking(), desk.policy)
        except LostLease:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, (slow, quick))) == [False, True]
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Snapshot)) == 1
        assert run(desk, run_id).snapshot_id is not None


def test_texts_come_in_while_a_run_is_written(open_on_postgresql: OpenDesk) -> None:
    """On SQLite, which has one writer at a time, they wait."""
    desk = open_on_postgresql()
    seeded(desk)
    run_id = requested(desk) or 0
    with desk.database.transaction() as session:
        locked_run(session, run_id)
        assert desk.ingest(sent("where is my parcel")).new == 1


def test_the_seed_differs_from_run_to_run_and_is_stored(desk: Desk) -> None:
    seeded(desk)
    assert [trained(desk).seed, trained(desk).seed] == [1, 2]
    assert [one.requested_by for one in runs(desk)] == [CLEO, CLEO]


def test_the_leads_are_told_where_a_candidate_cannot_be_compared_again(desk: Desk) -> None:
    model_id = candidate(seeded(desk))
    with desk.database.transaction() as session:
        for _ in range(2):
            give_up_evaluation(session, model_id, Coded(RunProblem.FAILED_REPEATEDLY, {"attempts": 5}), NOW)
        [notice] = session.scalars(select(Notice))
        assert (notice.channel, notice.person) == (LEADS, None)
        problem = {"code": "failed_repeatedly", "values": {"attempts": 5}}
        assert notice.kind == NoticeKind.COMPARISON_FAILED
        assert notice.values == {"queue": "support", "model": "v1", "problem": problem}
