"""The periodic step of a queue's promise: the live model predicts inputs that other models answered, then the cut that
keeps the promise is computed. No transaction is open while the model works."""

from collections.abc import Sequence

from bot.runtime.services import Services
from core.intake.cuts import Unscored
from core.intake.promises import promise_work, store_promise
from core.learning.lifecycle.serving import LiveModel
from core.policy import QueuePolicy
from core.storage.database import PATIENT


def promise_piece(services: Services, queue: QueuePolicy) -> None:
    if queue.flagging.promised is None:
        return
    live, now = services.serving.usable(queue), services.clock()
    with services.database.reading(wait=PATIENT) as session:
        work = promise_work(session, queue, now)
    if work is None:
        return
    unscored = [row.unscored for row in work.sample.rows if row.unscored is not None]
    answers = _answers(live, unscored) if live is not None and live.name == work.model else {}
    with services.database.transaction(wait=PATIENT) as session:
        store_promise(session, queue, work, answers, now)


def _answers(live: LiveModel, unscored: Sequence[Unscored]) -> dict[int, tuple[str, float]]:
    """Label and score of each prediction that the model can read."""
    readable = [one for one in unscored if one.input.has_any(live.fitted.reads)]
    answers = live.answers([one.input for one in readable]) if readable else []
    return {one.prediction_id: (found.label, found.suspicion) for one, found in zip(readable, answers, strict=True)}
