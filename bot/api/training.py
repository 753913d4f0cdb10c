"""The endpoints for a service that trains: it reads golden inputs without their labels, and submits its answers."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from bot.api.bodies import body_of, parsed
from bot.api.callers import Admit
from bot.api.shapes import FURTHEST, submission_body
from bot.files.writing import as_jsonl
from bot.runtime.services import Services
from core.errors import Invalid
from core.learning.data.golden import Golden
from core.learning.lifecycle.hand_outs import golden_inputs
from core.learning.lifecycle.submissions import Submitted, checked_submission, note_refusal, submit
from core.policy import QueuePolicy
from core.queues import queue_named
from core.review.content import shown_input

VALUES = 100  # JSON values of a submission beside those of its answers
Id = Annotated[int, Path(ge=1, le=FURTHEST)]


def training_routes(services: Services, may_train: Admit) -> APIRouter:
    router = APIRouter(tags=["training"])

    @router.get("/snapshots/{snapshot_id}/golden", response_class=Response)
    def golden(queue: Annotated[QueuePolicy, Depends(may_train)], snapshot_id: Id) -> Response:
        """Download the golden inputs that a service has to answer for this snapshot, as JSON Lines: `content_hash`,
        `text`, `image_url` and `fields` (masked as the policy says), without their labels. 404 unless the snapshot was
        handed out."""
        found = _golden(services, queue, snapshot_id)
        content = b"".join(as_jsonl(iter([[_record(one, queue) for one in found]]), {}))
        return Response(content, media_type="application/x-ndjson", headers={"X-Content-Type-Options": "nosniff"})

    @router.post("/snapshots/{snapshot_id}/answers", openapi_extra=submission_body())
    def answers(
        queue: Annotated[QueuePolicy, Depends(may_train)],
        snapshot_id: Id,
        body: Annotated[bytes, Depends(body_of(may_train, services))],
    ) -> Submitted:
        """Submit the answers to all golden inputs of a snapshot, with the version of the model that gave them: the
        training run goes on with them. A snapshot takes one submission. Safe to repeat: the same one again changes
        nothing; another one is a conflict, as is one that comes too late. 422 says what is wrong with it, and the
        service may submit again until the time is over."""
        try:
            return _submit(services, queue, snapshot_id, body)
        except Invalid as refusal:
            _note(services, queue, snapshot_id, refusal)
            raise

    return router


def _golden(services: Services, queue: QueuePolicy, snapshot_id: int) -> Sequence[Golden]:
    with services.database.reading() as session:
        return golden_inputs(session, queue_named(session, queue.name).id, snapshot_id)


def _record(one: Golden, queue: QueuePolicy) -> dict[str, Any]:
    shown = shown_input(one.input, queue)
    return {
        "content_hash": one.content_hash, "text": shown.text, "image_url": shown.image_url, "fields": dict(shown.fields)
    }  # fmt: skip


def _submit(services: Services, queue: QueuePolicy, snapshot_id: int, body: bytes) -> Submitted:
    most = len(_golden(services, queue, snapshot_id)) + 1
    given = checked_submission(parsed(body, VALUES + 2 * most * (len(queue.label_names) + VALUES)))
    with services.database.transaction() as session:
        return submit(session, queue_named(session, queue.name).id, snapshot_id, given, services.clock())


def _note(services: Services, queue: QueuePolicy, snapshot_id: int, refusal: Invalid) -> None:
    with services.database.transaction() as session:
        queue_id = queue_named(session, queue.name).id
        note_refusal(session, queue_id, snapshot_id, str(refusal), services.clock())
