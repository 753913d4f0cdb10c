"""Export of a snapshot as a file, and of the pictures in it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response, StreamingResponse

from bot.api.callers import Admit
from bot.api.shapes import FURTHEST
from bot.files.snapshots import TYPES, snapshot_pieces
from bot.files.writing import FORMATS, Format
from bot.runtime.services import Services
from core.learning.lifecycle.listing import snapshot_head
from core.pictures.stored import display_picture
from core.policy import QueuePolicy
from core.queues import queue_named

Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
Id = Annotated[int, Path(ge=1, le=FURTHEST)]


def export_routes(services: Services, may_read: Admit) -> APIRouter:
    router = APIRouter(tags=["reading"])

    @router.get("/snapshots/{snapshot_id}", response_class=StreamingResponse)
    def snapshot(
        queue: Annotated[QueuePolicy, Depends(may_read)], snapshot_id: Id, format: Format = "jsonl"
    ) -> StreamingResponse:
        """Download the rows that a model was trained on, in order: text, image, group and fields (masked as the policy
        says), label, weight and origin. `fields` is an object in JSON Lines, and JSON text in CSV and Parquet. In CSV,
        all cells are quoted, and what a spreadsheet would run as a formula has an apostrophe before it; for training,
        use JSON Lines or Parquet."""
        with services.database.reading() as session:
            head = snapshot_head(session, queue_named(session, queue.name).id, snapshot_id)
        media_type, write = FORMATS[format]
        headers = {
            "Content-Disposition": f'attachment; filename="{queue.name}-snapshot-{head.id}.{format}"',
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{head.content_hash}-{queue.fingerprint}-{head.erased}-{format}"',  # masks and erasures change it
        }
        content = write(snapshot_pieces(services.database, head, queue), TYPES)
        return StreamingResponse(content, headers=headers, media_type=media_type)

    @router.get("/pictures/{sha256}", response_class=Response)
    def picture(queue: Annotated[QueuePolicy, Depends(may_read)], sha256: Sha256) -> Response:
        """Download a stored picture as people see it: a PNG, its longest side 1,024 pixels at most. Rows name it by an
        `image_url` of the form `picture:SHA256`. 404 once it was erased."""
        with services.database.reading() as session:
            queue_id = queue_named(session, queue.name).id
            content = display_picture(session, queue_id, sha256)
        return Response(content, media_type="image/png", headers={"X-Content-Type-Options": "nosniff"})

    return router
