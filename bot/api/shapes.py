"""The API's response types, apart from those of the core. client/goldloop_client/shapes.py has them
for senders; a test compares both."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from core.intake.limits import MOST_PICTURES
from core.intake.predictions import NewPrediction
from core.review.listing import CorrectionLine, ItemLine
from core.vocabulary import CanaryState, ModelState, ShadowState

PICTURE = {"type": "string", "format": "binary"}
MOST_ROWS = 1000  # rows per request, which keeps its transaction short
FURTHEST = 2**62  # larger ids and cursors do not fit into the database


@dataclass(frozen=True)
class Problem:
    """An error (RFC 9457). code: stable, for programs; detail: a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not stored. row: its place in the request, from 1; field: the invalid field."""

    row: int
    field: str | None
    reason: str


@dataclass(frozen=True)
class Received:
    """new: rows stored now; repeated: rows already stored; flagged: new rows sent to the reviewers. unknown_labels: the
    labels outside the policy, with the number of rows that were rejected because of each."""

    new: int
    repeated: int
    flagged: int
    rejected: tuple[RejectedRow, ...] = ()
    unknown_labels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Predicted:
    """A prediction of the live model. item_id: the review item, if it was flagged; repeated: it was already stored."""

    external_id: str
    model_version: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    flagged: bool
    item_id: int | None
    repeated: bool


@dataclass(frozen=True)
class ItemPage:
    """next: the cursor of the next page; more: whether that page already has items."""

    items: tuple[ItemLine, ...]
    next: int
    more: bool


@dataclass(frozen=True)
class CorrectionPage:
    """next, more: as for items. Continue from `next` later: no correction is skipped or repeated."""

    corrections: tuple[CorrectionLine, ...]
    next: int
    more: bool


@dataclass(frozen=True)
class GateFinding:
    """What the golden gate found. code: stable, with its values for programs; sentence: for people."""

    code: str
    values: dict[str, Any]
    sentence: str


@dataclass(frozen=True)
class Model:
    """One model of the queue, and what the golden gate found last. shadow, canary: null: it never was in one.
    canary_share: of the requests that it answers while a canary goes on, its own or that of the model that took over
    from it, which leaves it this share although its state is retired."""

    id: int
    name: str
    state: ModelState
    learner: str
    created_at: datetime
    snapshot_id: int | None
    passed: bool
    blocks: tuple[GateFinding, ...]
    warnings: tuple[GateFinding, ...]
    shadow: ShadowState | None
    canary: CanaryState | None
    canary_share: float | None


@dataclass(frozen=True)
class Models:
    models: tuple[Model, ...]


def row_schema(*names: str) -> dict[str, Any]:
    """The JSON schema of a prediction in a request, with these fields; without names, with all fields."""
    schema = TypeAdapter(NewPrediction).json_schema()
    chosen = {name: value for name, value in schema["properties"].items() if not names or name in names}
    name = {"type": "string", "description": "The file name of a picture in the same form."}
    chosen["image"] = {"oneOf": [name, {"type": "array", "items": name, "minItems": 1, "maxItems": MOST_PICTURES}]}
    required = ["external_id"] if names else ["external_id", "model_version"]
    return {"type": "object", "properties": chosen, "required": required, "additionalProperties": False}


def submission_body() -> dict[str, Any]:
    """The request body of a service's answers, for `openapi_extra`."""
    answer = {
        "type": "object",
        "properties": {
            "content_hash": {"type": "string", "description": "Of the golden input."},
            "probabilities": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}},
        },
        "required": ["content_hash", "probabilities"],
    }
    schema = {
        "type": "object",
        "properties": {
            "version": {"type": "string", "minLength": 1, "description": "As the service calls its model."},
            "snapshot": {"type": "string", "description": "The hash of the snapshot that it learned from."},
            "predictions": {"type": "array", "items": answer},
        },
        "required": ["version", "snapshot", "predictions"],
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def sent_as(schema: dict[str, Any]) -> dict[str, Any]:
    """The request body for `openapi_extra`. FastAPI cannot derive it, because bodies are parsed by hand."""
    form = {
        "type": "object",
        "properties": {
            "predictions": schema,
            "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
        "required": ["predictions"],
    }
    content = {"application/json": {"schema": schema}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}
