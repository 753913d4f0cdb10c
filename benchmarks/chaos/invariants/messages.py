"""The workspace's messages against the postings."""

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Finding, Scene
from bot.sandbox.blocks import plain
from bot.slack.delivery.sender import DRAWN
from core.records.delivery import Notice, Posting
from core.records.learning import TrainingRun
from core.vocabulary import Card, RunState

EVENT_TYPE = "goldloop_posting"  # of the metadata by which a post is found again
IN_THREAD_OF = {Card.CHART: Card.CANDIDATE, Card.DRIFT_CHART: Card.DRIFT}  # pictures, by the card that they belong to


def one_post_per_card(session: Session, scene: Scene) -> Finding:
    """By the metadata that each first post carries; a chart, which is a file, by the thread that it is in."""
    posted = Counter(number for post in scene.posts if (number := _posting(post)) is not None)
    charts = Counter(post["thread_ts"] for post in scene.posts if post["files"])
    postings = session.scalars(select(Posting)).all()
    places = {(one.card, one.subject_id): one.ts for one in postings}
    broken = []
    for row in postings:
        found = posted[row.id]
        if row.card in IN_THREAD_OF:
            found = charts[places[IN_THREAD_OF[Card(row.card)], row.subject_id]]
        if found != (0 if _is_gone(session, row) else 1):
            broken.append(f"posting {row.id} ({row.card} {row.subject_id}) was posted {found} times")
    unknown = set(posted) - {row.id for row in postings}
    broken += [f"there is a message of posting {number}, but no such posting" for number in unknown]
    return Finding("one post per card", len(postings), tuple(broken))


def each_card_shows_its_row(session: Session, scene: Scene) -> Finding:
    """Drawn anew from the row, word for word; and nothing that was wanted is not shown."""
    seen: dict[tuple[str, str], dict[str, Any]] = {(post["channel"], post["ts"]): post for post in scene.posts}
    postings = session.scalars(select(Posting)).all()
    broken = []
    for row in postings:
        if row.delivered_version != row.requested_version or row.leased_until is not None:
            broken.append(f"posting {row.id} ({row.card}): version {row.delivered_version} of {row.requested_version}")
        if Card(row.card) not in DRAWN or _is_gone(session, row):  # a picture's message has no words to compare
            continue
        post = seen.get((row.channel, row.ts or ""))
        if post is None:
            broken.append(f"posting {row.id} ({row.card}) is not at {row.ts}")
        elif plain(post["text"], post["blocks"]) != _as_drawn(session, row, scene):
            broken.append(f"posting {row.id} ({row.card} {row.subject_id}) shows {post['text'][:120]!r}")
    return Finding("each card shows its row as it is", len(postings), tuple(broken))


def _is_gone(session: Session, row: Posting) -> bool:
    """The card of a run goes when its report is there."""
    run = session.get(TrainingRun, row.subject_id) if row.card == Card.RUN else None
    return run is not None and run.state is RunState.DONE


def _as_drawn(session: Session, row: Posting, scene: Scene) -> str:
    """The words of the card as it would be drawn now; other words where the row cannot be drawn any more."""
    try:
        drawn = DRAWN[Card(row.card)](session, row.subject_id, scene.place.policy)
    except AssertionError:
        return "cannot be drawn"
    return plain(drawn.text, drawn.blocks)


def nothing_was_given_up(session: Session, scene: Scene) -> Finding:
    rows = [*session.scalars(select(Posting)), *session.scalars(select(Notice))]
    broken = tuple(f"{type(row).__name__} {row.id}: {row.failure_reason}" for row in rows if row.failure_reason)
    return Finding("no message was given up", len(rows), broken)


def _posting(post: dict[str, Any]) -> int | None:
    metadata = post["metadata"] or {}
    return metadata["event_payload"]["posting"] if metadata.get("event_type") == EVENT_TYPE else None
