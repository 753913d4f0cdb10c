"""Submissions: a service's answers to the golden inputs of a snapshot. A snapshot takes one submission, and its run
goes on with that."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import AlreadySettled, Invalid
from core.learning.data.erased_rows import erased_rows
from core.learning.learners.external import checked_row
from core.learning.lifecycle.hand_outs import golden_inputs, handed_out
from core.learning.lifecycle.runs import locked_run, say_progress, train_key
from core.records.external import HandOut, SubmittedAnswer
from core.records.learning import GoldenExample, Snapshot, TrainingRun
from core.storage.bulk import Bulk, insert_all
from core.vocabulary import Coded, RunState, RunStep

LONGEST_VERSION = 80  # characters
NAMED = 12  # digits of a hash in a sentence

_ANSWERS = Bulk(
    cast(Table, SubmittedAnswer.__table__), same=("run_id",), each=("content_hash", "probabilities")
)  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """A submission that is not checked yet. version: the name that the service has for its model. snapshot: the hash of
    the snapshot it learned from. answers: content hash of a golden input -> what was received for it."""

    version: str
    snapshot: str
    answers: Mapping[str, Any]

    @property
    def digest(self) -> str:
        content = [self.version, self.snapshot, sorted(self.answers.items())]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Submitted:
    """answers: stored. repeated: the same submission was stored before."""

    run_id: int
    snapshot_id: int
    version: str
    answers: int
    repeated: bool


def checked_submission(sent: Any) -> Submission:
    """A submission from its JSON. Raises Invalid, naming what is missing or wrong."""
    if not isinstance(sent, Mapping):
        raise Invalid("Send one JSON object.", field="body")
    for name in ("version", "snapshot"):
        if not isinstance(sent.get(name), str) or not sent[name].strip():
            raise Invalid(f"{name} must be a non-empty string.", field=name)
    if len(sent["version"]) > LONGEST_VERSION or not sent["version"].isprintable():
        raise Invalid(f"version must be at most {LONGEST_VERSION} printable characters.", field="version")
    return Submission(sent["version"], sent["snapshot"], _answers(sent.get("predictions")))


def submit(session: Session, queue_id: int, snapshot_id: int, given: Submission, now: datetime) -> Submitted:
    """Store the answers, and have the run go on at once. Locks the hand-out. The same submission again changes nothing.

    Raises NotFound if the snapshot was not handed out; AlreadySettled if it has other answers already, if they come too
    late, or if some of its rows were erased since; Invalid, naming the field, if answers are missing, unknown or
    unusable, or if the snapshot or the version is another model's. After Invalid, the service may submit again.
    """
    found = handed_out(session, queue_id, snapshot_id)
    row = session.get_one(HandOut, found.run_id, with_for_update=True, populate_existing=True)
    wanted = {one.content_hash for one in golden_inputs(session, queue_id, snapshot_id)}
    if row.version is not None:
        return _again(row, given, len(wanted))
    _check_open(session, row, now)
    _check_same_model(session, row, given, found.hash)
    _check_complete(session, queue_id, snapshot_id, given, wanted)
    rows = [_row(name, answer, found.labels) for name, answer in given.answers.items() if name in wanted]
    insert_all(session, _ANSWERS, {"run_id": row.run_id}, rows)
    row.version, row.digest, row.submitted_at = given.version, given.digest, now
    jobs.bring_forward(session, train_key(row.run_id), now)
    return Submitted(row.run_id, snapshot_id, given.version, len(rows), repeated=False)


def note_refusal(session: Session, queue_id: int, snapshot_id: int, sentence: str, now: datetime) -> None:
    """Show on the card of the waiting run why a submission was refused."""
    found = handed_out(session, queue_id, snapshot_id)
    run = locked_run(session, found.run_id)
    if run.state is RunState.RUNNING and found.version is None:
        values = {"sentence": sentence, "until": found.due_at.isoformat()}
        say_progress(session, run, Coded(RunStep.SERVICE_REFUSED, values), now)


def submitted_answers(session: Session, run_id: int) -> dict[str, Mapping[str, float]]:
    """The submitted answers by content hash, without inputs that were erased since. Empty for a run that no service
    answered."""
    found = select(SubmittedAnswer.content_hash, SubmittedAnswer.probabilities)
    return dict(session.execute(found.where(SubmittedAnswer.run_id == run_id)).all())


def erase_submitted(session: Session, queue_id: int, hashes: Sequence[str]) -> None:
    """Erase the answers to these inputs."""
    runs = select(HandOut.run_id).where(HandOut.queue_id == queue_id)
    session.execute(
        delete(SubmittedAnswer).where(SubmittedAnswer.run_id.in_(runs), SubmittedAnswer.content_hash.in_(hashes))
    )


def _answers(sent: Any) -> Mapping[str, Any]:
    if not isinstance(sent, list):
        raise Invalid("predictions must be a list.", field="predictions")
    answers: dict[str, Any] = {}
    for place, one in enumerate(sent, 1):
        if not isinstance(one, Mapping) or not isinstance(one.get("content_hash"), str):
            raise Invalid(f"Prediction {place} has no content_hash.", field="predictions")
        if one["content_hash"] in answers:
            raise Invalid(f"Prediction {place} is a second answer to {_short(one['content_hash'])}.", "predictions")
        answers[one["content_hash"]] = one.get("probabilities")
    return answers


def _again(row: HandOut, given: Submission, answers: int) -> Submitted:
    if row.digest == given.digest and row.version is not None:
        return Submitted(row.run_id, row.snapshot_id, row.version, answers, repeated=True)
    raise AlreadySettled(
        f"Snapshot {row.snapshot_id} has been answered by “{row.version}”. A snapshot takes one submission; the next "
        "training run hands out another."
    )


def _check_open(session: Session, row: HandOut, now: datetime) -> None:
    run = session.get_one(TrainingRun, row.run_id, populate_existing=True)
    if now > row.due_at or run.state is not RunState.RUNNING:
        raise AlreadySettled(
            f"The answers to snapshot {row.snapshot_id} were due by {row.due_at:%Y-%m-%d %H:%M} UTC, and its training "
            "run is over. Nothing was stored; the next run hands out another snapshot."
        )
    if erased_rows(session, row.snapshot_id)[0]:
        raise AlreadySettled(
            f"Rows of snapshot {row.snapshot_id} have been erased since. Delete your copy; the next training run hands "
            "out another."
        )


def _check_same_model(session: Session, row: HandOut, given: Submission, digest: str) -> None:
    if given.snapshot != digest:
        raise Invalid(f"snapshot is not the hash of snapshot {row.snapshot_id}, {digest}.", field="snapshot")
    other = session.scalar(
        select(HandOut.snapshot_id).where(HandOut.queue_id == row.queue_id, HandOut.version == given.version)
    )
    if other is not None:
        raise Invalid(f"“{given.version}” is the model of snapshot {other}. Give each a version of its own.", "version")


def _check_complete(
    session: Session, queue_id: int, snapshot_id: int, given: Submission, wanted: set[str]
) -> None:  # fmt: skip
    """Raise Invalid if answers are missing, or if an input is unknown. Answers to inputs that were erased since the
    hand-out are no error."""
    up_to = session.get_one(Snapshot, snapshot_id).golden_up_to
    known = select(GoldenExample.content_hash).where(
        GoldenExample.queue_id == queue_id, GoldenExample.id <= up_to, GoldenExample.erased_at.is_not(None)
    )
    unknown = given.answers.keys() - wanted - set(session.scalars(known))
    if unknown:
        raise Invalid(f"{_short(min(unknown))} is no golden input of snapshot {snapshot_id}.", field="predictions")
    missing = wanted - given.answers.keys()
    if missing:
        some = f"Answers to {len(missing)} of {len(wanted)} golden inputs are missing, such as {_short(min(missing))}."
        raise Invalid(some, field="predictions")


def _row(name: str, answer: Any, labels: Sequence[str]) -> dict[str, Any]:
    try:
        row = checked_row(answer, labels, f"The answer to {_short(name)}")
    except Invalid as refusal:
        raise Invalid(str(refusal), field="predictions") from None
    return {"content_hash": name, "probabilities": dict(zip(labels, row, strict=True))}


def _short(content_hash: str) -> str:
    return f"{content_hash[:NAMED]}…"
