"""A desk whose models a service trains, and what that service does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core import jobs
from core.errors import ModelUnavailable
from core.learning.data.inputs import Input
from core.learning.learners.base import FloatArray
from core.learning.learners.external import Ask, checked_table
from core.learning.lifecycle.hand_outs import golden_inputs, handed_out
from core.learning.lifecycle.submissions import Submission, Submitted, submit
from core.learning.lifecycle.training import train
from core.policy import Policy, QueuePolicy
from core.policy.integrations import WebhookEndpoint
from core.records.learning import TrainingRun
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import claimed, requested, run, ticking
from tests.people import LABELS, support_policy

WORDS = {"money": REFUND, "charged": BILLING, "parcel": DELIVERY}
HOOKS = WebhookEndpoint(name="trainer", url="http://127.0.0.1:9/hooks")
EXTERNAL = {"webhook": "trainer", "url": "http://127.0.0.1:9/predict", "answer_hours": 2}

Answers = Callable[[str], Mapping[str, Any]]


def service_policy(**sections: Any) -> Policy:
    """As `support_policy`, with a service that trains the queue's models."""
    policy = support_policy(**sections)
    values: dict[str, Any] = policy.queues[0].model_dump(mode="json")
    values["retraining"]["learner"] = "external"
    values["external"] = {**values["external"], **EXTERNAL, **sections.get("external", {})}
    return Policy(queues=(QueuePolicy.model_validate(values),), webhooks=(HOOKS,))


def by_word(text: str) -> dict[str, float]:
    """What a service that has learned the seeds of tests/core/models.py says."""
    known = next((label for word, label in WORDS.items() if word in text), None)
    if known is None:
        return dict.fromkeys(LABELS, 1 / 3)
    return {label: 0.9 if label == known else 0.05 for label in LABELS}


def connection(answers: Answers = by_word) -> Callable[[QueuePolicy], Ask]:
    """A `Connect` to a service in this process."""

    def ask(version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        return checked_table([answers(one.text) for one in inputs], labels, len(inputs))

    return lambda _queue: ask


def away(_queue: QueuePolicy) -> Ask:
    """A `Connect` to a service that does not answer."""

    def ask(version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        raise ModelUnavailable("The service of support does not answer.", 30)

    return ask


ANSWERING = connection()


def work(desk: Desk, connect: Callable[[QueuePolicy], Ask] = ANSWERING, now: datetime = NOW) -> None:
    """A worker takes the run that waits, and does what can be done."""
    with desk.database.transaction() as session:
        job = jobs.claim(session, "train", "worker", now)
    assert job is not None
    train(desk.database, job, ticking(now), desk.policy, connect=connect)


def handed(desk: Desk, now: datetime = NOW) -> TrainingRun:
    """A run that waits for its service from now on."""
    run_id = requested(desk)
    assert run_id is not None
    train(desk.database, claimed(desk), ticking(now), desk.policy)
    return run(desk, run_id)


def submission(desk: Desk, snapshot_id: int, version: str = "mine-1", answers: Answers = by_word) -> Submission:
    with desk.database.reading() as session:
        found = handed_out(session, desk.queue().id, snapshot_id)
        golden = golden_inputs(session, desk.queue().id, snapshot_id)
    return Submission(version, found.hash, {one.content_hash: answers(one.input.text) for one in golden})


def submitted(desk: Desk, snapshot_id: int, version: str = "mine-1", now: datetime = NOW, **more: Any) -> Submitted:
    given = submission(desk, snapshot_id, version, **more)
    with desk.database.transaction() as session:
        return submit(session, desk.queue().id, snapshot_id, given, now)
