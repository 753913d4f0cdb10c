"""The endpoints for reading: items, corrections, models and statistics."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from bot.api.callers import Admit
from bot.api.shapes import FURTHEST, CorrectionPage, GateFinding, ItemPage, Model, Models
from bot.runtime.services import Services
from bot.wording.format import PLAIN
from bot.wording.gate import gate_sentence
from core.errors import Invalid
from core.learning.lifecycle.listing import ModelLine, model_lines
from core.policy import QueuePolicy
from core.queues import queue_named
from core.review.listing import correction_page, item_page
from core.review.stats import StatsCard, stats_card
from core.vocabulary import Coded, ItemState

SETTLED_FOR = timedelta(seconds=10)  # much longer than a click's transaction; see `correction_page`

Cursor = Annotated[int, Query(ge=0, le=FURTHEST, description="`next` of the previous page; 0 for the first page.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)  # RFC 3339
Since = Annotated[
    str | None,
    Query(
        description="Only corrections settled at this time or later. Needs a time zone.",
        json_schema_extra={"format": "date-time"},
    ),
]


def reading_routes(services: Services, may_read: Admit) -> APIRouter:
    router = APIRouter(tags=["reading"])
    database = services.database

    @router.get("/items")
    def items(
        queue: Annotated[QueuePolicy, Depends(may_read)],
        state: ItemState | None = None,
        cursor: Cursor = 0,
        limit: Limit = 100,
    ) -> ItemPage:
        """List review items, oldest first. Votes are not included: they stay hidden until an item is settled."""
        with database.reading() as session:
            found = item_page(session, queue_named(session, queue.name).id, state, cursor, limit + 1)
        shown = tuple(found[:limit])
        return ItemPage(shown, shown[-1].id if shown else cursor, len(found) > limit)

    @router.get("/corrections")
    def corrections(
        queue: Annotated[QueuePolicy, Depends(may_read)],
        since: Since = None,
        cursor: Cursor = 0,
        limit: Limit = 100,
    ) -> CorrectionPage:
        """List settled labels in reading order, with the text and what each reviewer said (masked as the policy says;
        names where it reveals them). A page holds fewer than `limit` where texts are long. A correction appears ten
        seconds after it was settled, so that a reader never skips one; webhooks are faster."""
        from_then = None if since is None else _time(since)
        ripe = services.clock() - SETTLED_FOR
        with database.reading() as session:
            found = correction_page(session, queue, from_then, cursor, limit, ripe)
        return CorrectionPage(tuple(found.lines), found.lines[-1].id if found.lines else cursor, found.more)

    @router.get("/models")
    def models(queue: Annotated[QueuePolicy, Depends(may_read)]) -> Models:
        """List the queue's models, newest first, with the golden gate's result, shadow and canary."""
        with database.reading() as session:
            return Models(tuple(map(_model, model_lines(session, queue))))

    @router.get("/stats")
    def stats(queue: Annotated[QueuePolicy, Depends(may_read)]) -> StatsCard:
        """Get the statistics that leads see: backlog, agreement, errors caught, the live model. `errors_by_label` is
        empty for a queue whose models a service trains: asked again and again, it would tell golden labels."""
        with database.reading() as session:
            found = stats_card(session, queue, services.clock())
        return replace(found, errors_by_label=()) if queue.trains_elsewhere else found

    return router


def _time(since: str) -> datetime:
    """The time, in UTC. Numbers are refused: 0.5 would be read as half a second after 1970 began."""
    if not DATE_TIME.fullmatch(since):
        words = "since must be a time with its zone, as in 2026-11-24T09:00:00Z (in a URL, write “+” as %2B)."
        raise Invalid(words, field="since")
    try:
        return datetime.fromisoformat(since).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"since is not a time between the years 1 and 9999: {error}.", field="since") from None


def _model(line: ModelLine) -> Model:
    return Model(
        id=line.id,
        name=line.name,
        state=line.state,
        learner=line.learner,
        created_at=line.created_at,
        snapshot_id=line.snapshot_id,
        passed=line.passed,
        blocks=tuple(map(_finding, line.blocks)),
        warnings=tuple(map(_finding, line.warnings)),
        shadow=line.shadow,
        canary=line.canary,
        canary_share=line.canary_share,
    )


def _finding(found: Coded) -> GateFinding:
    return GateFinding(found.code, dict(found.values), gate_sentence(found, PLAIN))
