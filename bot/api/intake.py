"""The endpoints for predictions: sent by a caller, or made by the live model on request."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy.orm import Session

from bot.api.bodies import Sent, parsed, sent_of
from bot.api.callers import Admit
from bot.api.problems import Conflict, Unavailable, problem
from bot.api.shapes import MOST_ROWS, Predicted, Received, RejectedRow, row_schema, sent_as
from bot.runtime.services import Services
from core.errors import Invalid, NotFound
from core.intake.ingest import record_predictions
from core.intake.limits import MOST_FIELDS
from core.intake.names import KNOWN
from core.intake.predictions import LabelsOutsidePolicy, NewPrediction, checked_prediction
from core.intake.recorded import recorded
from core.intake.unknown_labels import count_unknown_labels
from core.learning.data.pixels import with_greys
from core.learning.lifecycle.serving import LiveModel
from core.pictures.decoded import Decoded
from core.pictures.decoder import decoded
from core.policy import QueuePolicy
from core.storage import deadlines
from core.storage.database import CLICK, Database
from core.text.picture_address import found_at

ASKED = ("external_id", "text", "image", "fields", "group", "link")
BRACKETS = 4  # brackets and commas of a prediction: its own, those of its fields and probabilities, the comma before it
ONE_OR_MANY = {"oneOf": [row_schema(), {"type": "array", "items": row_schema(), "minItems": 1, "maxItems": MOST_ROWS}]}


def intake_routes(services: Services, may_ingest: Admit, may_predict: Admit) -> APIRouter:
    router, turns = APIRouter(tags=["predictions"]), _Turns(services.database)

    @router.post("/predictions", response_model=Received, openapi_extra=sent_as(ONE_OR_MANY))
    def send_predictions(
        queue: Annotated[QueuePolicy, Depends(may_ingest)],
        sent: Annotated[Sent, Depends(sent_of(may_ingest, services))],
    ) -> Response:
        """Send one prediction, or a list of up to 1,000. Valid rows are stored, and invalid rows are reported by
        number, from 1. Safe to repeat: a row with the same external id and model version is stored once. 422 if no
        row is valid.

        With pictures, send multipart/form-data: the part `predictions` holds the JSON, and each of up to 100 files is a
        picture that a row names in `image`."""
        pictures = _decoded(sent.files)
        with turns.taken() as turn:
            rows = _rows(parsed(sent.json, _most_values(queue, MOST_ROWS)))
            good, bad, unknown = _checked(rows, queue, pictures)
            if good or unknown:
                with services.database.transaction() as session:
                    stored = record_predictions(session, good, services.clock(), queue, _readable(pictures))
                    count_unknown_labels(session, unknown, services.clock(), queue)
                    turn.close()  # the next batch is checked while this one is committed
        if good:
            return _answered(Received(stored.new, stored.repeated, stored.flagged, bad, unknown))
        detail = bad[0].reason if len(bad) == 1 else f"None of the {len(bad)} rows is valid."
        return problem(422, Invalid.code, detail, rejected=[asdict(row) for row in bad], unknown_labels=unknown)

    @router.post("/predict", openapi_extra=sent_as(row_schema(*ASKED)))
    def predict(
        queue: Annotated[QueuePolicy, Depends(may_predict)],
        sent: Annotated[Sent, Depends(sent_of(may_predict, services))],
    ) -> Predicted:
        """Ask the live model about a text, or about a picture, which is sent as for `predictions`. The prediction is
        stored, and flagged if people should review it. Safe to repeat with the same external id and content; another
        one is a conflict. While a newly promoted model is in its canary, the external id decides whether it answers or
        the one before it; `model_version` says which."""
        row = parsed(sent.json, _most_values(queue, 1))
        pictures = _decoded(sent.files)
        asked = _requested_prediction(row, queue, pictures)
        prediction = _predicted(asked, _answering(services, queue, asked.external_id), pictures)
        with services.database.transaction() as session:
            new = record_predictions(session, [prediction], services.clock(), queue, _readable(pictures)).new
            return _answer(session, prediction, queue, repeated=not new)

    return router


def _answered(received: Received) -> Response:
    """FastAPI would check a `Received` in one more thread, for which the request would have to wait."""
    return Response(to_json(received), media_type="application/json")


class _Turns:
    """On SQLite, batches take turns, so that two at once take no longer than one after the other: SQLite's driver
    releases the interpreter after each row, and a thread that checks another batch would keep it for 5 ms."""

    def __init__(self, database: Database) -> None:
        self._lock = threading.Lock() if database.is_sqlite else None

    def taken(self) -> ExitStack:
        """A turn, which ends when the caller closes it. Raises DatabaseBusy after as long as a transaction waits."""
        turn = ExitStack()
        if self._lock is not None:
            with deadlines.waiting_at_most(CLICK):
                turn.enter_context(deadlines.taken(self._lock))
        return turn


def _most_values(queue: QueuePolicy, rows: int) -> int:
    """The largest number of JSON values in so many predictions: one per key, field and label, and the brackets around
    them."""
    return rows * (len(KNOWN) + MOST_FIELDS + len(queue.label_names) + BRACKETS)


def _rows(sent: Any) -> Sequence[Any]:
    rows = [sent] if isinstance(sent, Mapping) else sent
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid(f"Send one prediction, or a list of 1 to {MOST_ROWS:,} predictions.", field="body")
    return rows


def _decoded(files: Mapping[str, bytes]) -> dict[str, Decoded | Invalid]:
    """The decoded files, by name. Decoding needs a process and time, so it is done before the transaction."""
    return dict(zip(files, decoded(list(files.values())), strict=True))


def _readable(pictures: Mapping[str, Decoded | Invalid]) -> list[Decoded]:
    return [picture for picture in pictures.values() if isinstance(picture, Decoded)]


def _checked(
    rows: Sequence[Any], queue: QueuePolicy, pictures: Mapping[str, Decoded | Invalid]
) -> tuple[list[NewPrediction], tuple[RejectedRow, ...], dict[str, int]]:
    """The valid rows; the rejected rows; and, for each label outside the policy, how many rejected rows have it."""
    good, bad, unknown = [], [], Counter[str]()
    for number, row in enumerate(rows, 1):
        try:
            if not isinstance(row, Mapping):
                raise Invalid("A prediction must be a JSON object.")
            good.append(checked_prediction(row, queue, pictures))
        except Invalid as refusal:
            bad.append(RejectedRow(number, refusal.field, str(refusal)))
            unknown.update(refusal.labels if isinstance(refusal, LabelsOutsidePolicy) else ())
    return good, tuple(bad), dict(unknown.most_common())


def _requested_prediction(sent: Any, queue: QueuePolicy, pictures: Mapping[str, Decoded | Invalid]) -> NewPrediction:
    """The request, validated like a prediction; the label is a placeholder until the model has answered."""
    if not isinstance(sent, Mapping):
        raise Invalid("Send one JSON object.", field="body")
    unknown = next((str(name) for name in sent if name not in ASKED), None)
    if unknown is not None:
        raise Invalid(f"“{unknown[:80]}” is not a known field. Valid fields: {', '.join(ASKED)}.", field=unknown[:80])
    if not sent.get("image") and (not isinstance(sent.get("text"), str) or not sent["text"].strip()):
        raise Invalid("text must be a non-empty string.", field="text")
    placeholder = {"model_version": "?", "label": queue.label_names[0], "confidence": 0}
    return checked_prediction({**sent, **placeholder}, queue, pictures)


def _answering(services: Services, queue: QueuePolicy, external_id: str) -> LiveModel:
    try:
        live = services.serving.answering(queue, external_id)
    except Invalid as unusable:  # a fault of Goldloop, not of the caller
        raise Unavailable(f"The live model of {queue.name} cannot be used: {unusable}") from unusable
    if live is None:
        raise NotFound(f"No model of {queue.name} is live yet. A lead must approve one first.")
    return live


def _predicted(asked: NewPrediction, live: LiveModel, pictures: Mapping[str, Decoded | Invalid]) -> NewPrediction:
    seen = {picture.sha256: picture.grey for picture in _readable(pictures)}
    greys = found_at([asked.image_url], seen).get(asked.image_url or "", ())
    seen_input = with_greys(asked.input, greys)
    live.require_readable([seen_input])
    [said] = live.answers([seen_input])
    return asked.answered(live.name, said)


def _answer(session: Session, prediction: NewPrediction, queue: QueuePolicy, repeated: bool) -> Predicted:
    """The stored prediction as a response. A repeated request gets the first answer."""
    found = recorded(session, prediction, queue)
    if not found.same_content:
        raise Conflict(f"The external id “{prediction.external_id}” was already used for another text.")
    return Predicted(
        external_id=prediction.external_id,
        model_version=prediction.model_version,
        label=found.label,
        confidence=found.confidence,
        probabilities=found.probabilities,
        flagged=found.item_id is not None,
        item_id=found.item_id,
        repeated=repeated,
    )
