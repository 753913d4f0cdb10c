"""The invariants: each is a function of the rows and of what was observed from outside.

`check_rows` asks all of them. One that is broken says where; none repairs anything.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from benchmarks.chaos.invariants import items, messages, models, others, votes
from benchmarks.chaos.invariants.scene import Finding, Scene

INVARIANTS: tuple[Callable[[Session, Scene], Finding], ...] = (
    votes.acknowledged_votes_are_stored,
    votes.a_receipt_is_true,
    votes.a_click_counts_once,
    votes.each_stored_answer_was_given,
    votes.acknowledged_reasons_are_stored,
    items.one_current_answer,
    items.one_correction_that_follows_from_the_votes,
    messages.one_post_per_card,
    messages.each_card_shows_its_row,
    messages.nothing_was_given_up,
    others.accepted_predictions_are_stored_once,
    models.each_run_ends,
    models.one_live_model_that_a_lead_approved,
    models.each_decision_is_applied_once,
    models.commands_that_were_answered_were_obeyed,
    others.each_event_is_heard_under_one_id,
    others.no_job_is_left,
)


def check_rows(scene: Scene) -> list[Finding]:
    with scene.place.database.reading() as session:
        return [invariant(session, scene) for invariant in INVARIANTS]
