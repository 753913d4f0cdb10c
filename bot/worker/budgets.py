"""The periodic step of a queue's budget: update the threshold, then open items as far as today's budget allows."""

from collections.abc import Sequence
from contextlib import suppress

from bot.runtime.services import Services
from core.errors import ModelUnavailable
from core.intake.cuts import CutWork, Unscored, cut_work, store_cut
from core.intake.waiting import PIECE, may_open, open_next
from core.learning.lifecycle.serving import LiveModel
from core.policy import QueuePolicy
from core.storage.database import PATIENT


def budget_piece(services: Services, queue: QueuePolicy) -> bool:
    """Do one step. Returns whether there may be more to open. A queue without a budget has nothing to do."""
    if queue.flagging.limit is None:
        return False
    live = services.serving.usable(queue)
    with services.database.reading(wait=PATIENT) as session:
        work = cut_work(session, queue, live.name if live else None, services.clock())
        if work is None and not may_open(session, queue, services.clock()):
            return False
    if work is not None:
        with suppress(ModelUnavailable):  # unscored items wait until the model's service answers
            _renew(services, queue, work, live)
    with services.database.transaction(wait=PATIENT) as session:
        return open_next(session, queue, services.clock()) == PIECE


def _renew(services: Services, queue: QueuePolicy, work: CutWork, live: LiveModel | None) -> None:
    others, waiting = _scores(live, work.others), _scores(live, work.waiting)
    renewed = {one.prediction_id: waiting.get(one.prediction_id) for one in work.waiting}
    with services.database.transaction(wait=PATIENT) as session:
        scores = [*work.known, *others.values()]
        store_cut(session, queue, work.model, scores, renewed, services.clock(), work.their_scores)


def _scores(live: LiveModel | None, predictions: Sequence[Unscored]) -> dict[int, float]:
    """The score of each prediction that the model can read."""
    if live is None:
        return {}
    readable = [one for one in predictions if one.input.has_any(live.fitted.reads)]
    answers = live.answers([one.input for one in readable]) if readable else []
    return {one.prediction_id: found.suspicion for one, found in zip(readable, answers, strict=True)}
