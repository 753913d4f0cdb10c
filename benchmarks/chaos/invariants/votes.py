"""Clicks and forms against the stored answers."""

from collections import Counter, defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.refusals import ITEM, RECORDED, WORDS_SECONDS, History
from benchmarks.chaos.invariants.scene import Finding, Scene
from core.records.reviews import Answer, Correction


def acknowledged_votes_are_stored(session: Session, scene: Scene) -> Finding:
    """Each click that was acknowledged is stored, or it was refused: in words to the person, or (where a kill swallowed
    the words) as the rows say it must have been."""
    stored = {(one.item_id, one.person, one.clicked_at) for one in session.scalars(select(Answer))}
    by_leads = {(one.item_id, one.lead, one.label) for one in session.scalars(select(Correction)) if one.lead}
    history = History(session, scene)
    held, broken, refused = 0, [], Counter[str]()
    for click in scene.ledger.clicks:
        if not click.heard:
            refused["never acknowledged"] += 1
        elif (click.item_id, click.person, click.clicked_at) in stored or (
            click.by_lead and (click.item_id, click.person, click.label) in by_leads
        ):
            held += 1
        elif why := history.why_refused(click):
            refused[why] += 1
        else:
            broken.append(f"acknowledged at {click.answered:.3f} and neither stored nor refused: {click}")
    scene.notes.update({f"clicks: {why}": count for why, count in refused.items()})
    scene.notes["clicks: acknowledged and stored"] = held
    return Finding("an acknowledged vote is stored", held, tuple(broken))


def a_click_counts_once(session: Session, scene: Scene) -> Finding:
    counted = Counter((one.item_id, one.person, one.clicked_at) for one in session.scalars(select(Answer)))
    broken = tuple(f"stored {count} times: {click}" for click, count in counted.items() if count > 1)
    return Finding("a click is stored at most once", len(counted), broken)


def each_stored_answer_was_given(session: Session, scene: Scene) -> Finding:
    clicked = {(one.item_id, one.person, one.clicked_at, one.kind, one.label) for one in scene.ledger.clicks}
    filled = {(one.item_id, one.person, one.note) for one in scene.ledger.forms}
    rows = session.scalars(select(Answer)).all()
    broken = [
        f"answer {row.id} of {row.person} about item {row.item_id} was never given"
        for row in rows
        if (row.item_id, row.person, row.clicked_at, row.kind, row.label) not in clicked
        and (row.item_id, row.person, row.note) not in filled
    ]
    return Finding("what is stored was said by that person", len(rows), tuple(broken))


def acknowledged_reasons_are_stored(session: Session, scene: Scene) -> Finding:
    rows = {
        (one.item_id, one.person, one.note): one for one in session.scalars(select(Answer).where(Answer.note != ""))
    }
    held, broken = 0, []
    for form in scene.ledger.forms:
        row = rows.get((form.item_id, form.person, form.note))
        if form.recorded and (row is None or row.label != form.label or row.reason is None):
            broken.append(f"the form closed and is not stored as sent: {form}")
        held += form.recorded
    return Finding("an acknowledged reason is stored", held, tuple(broken))


def a_receipt_is_true(session: Session, scene: Scene) -> Finding:
    """Who was told that something was recorded finds it stored, about that item and at that time."""
    stored: dict[tuple[str, int], list[float]] = defaultdict(list)
    for answer in session.scalars(select(Answer)):
        stored[answer.person, answer.item_id].append(answer.created_at.timestamp())
    for row in session.scalars(select(Correction)):
        if row.lead is not None:
            stored[row.lead, row.item_id].append(row.settled_at.timestamp())
    receipts = [
        (who, int(about[1]), words)
        for who, told in scene.told.items()
        for words in told
        if RECORDED.search(words.text) and (about := ITEM.search(words.text))
    ]
    broken = [
        f"{who} was told at {words.at:.3f}: {words.text[:80]!r}, and nothing is stored"
        for who, item_id, words in receipts
        if not any(at - 1.0 <= words.at <= at + WORDS_SECONDS for at in stored[who, item_id])
    ]
    return Finding("a receipt is true", len(receipts), tuple(broken))
