"""The periodic step of a queue's promise: the present model answers again what other models answered, then the cut that
keeps the promise is computed. The model works while no transaction is open."""

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
    asked = [row.unscored for row in work.sample.rows if row.unscored is not None]
    said = _answers(live, asked) if live is not None and live.name == work.model else {}
    with services.database.transaction(wait=PATIENT) as session:
        store_promise(session, queue, work, said, now)


def _answers(live: LiveModel, asked: Sequence[Unscored]) -> dict[int, tuple[str, float]]:
    """Label and score of each prediction that the model can read."""
    readable = [one for one in asked if one.input.has_any(live.fitted.reads)]
    said = live.predict([one.input for one in readable]) if readable else []
    best = [max(chances.items(), key=lambda pair: pair[1]) for chances in said]
    return {one.prediction_id: (label, 1 - sure) for one, (label, sure) in zip(readable, best, strict=True)}
