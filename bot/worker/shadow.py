"""The periodic step of a candidate's shadow: the candidate predicts inputs that were already answered. Because the
worker does this, no caller waits for it, and predictions that were sent or imported are covered too."""

from bot.runtime.services import Services
from core.errors import Invalid
from core.intake.disagreements import flag_disagreements
from core.learning.lifecycle.parallel import Answered, answered_since, store_parallel
from core.learning.lifecycle.serving import LiveModel
from core.learning.lifecycle.shadow import Running, finish, go_on, has_ended, may_have_shadow, running_shadow
from core.policy import QueuePolicy
from core.storage.database import PATIENT


def shadow_piece(services: Services, queue: QueuePolicy) -> bool:
    """Predict a part of the inputs, or end the shadow. Returns whether there may be more."""
    now = services.clock()
    with services.database.reading(wait=PATIENT) as session:
        if not may_have_shadow(session, queue):
            return False
    with services.database.transaction(wait=PATIENT) as session:
        running = running_shadow(session, queue, now)
        ended = running is not None and has_ended(session, running, now, queue)
    if running is None:
        return False
    with services.database.reading(wait=PATIENT) as session:
        piece = answered_since(session, running.queue_id, running.done_up_to, running.ends_at, now)
    candidate = _candidate(services, queue, running)
    if candidate is not None and piece:
        _predict(services, queue, running, candidate, piece)
        return True
    if ended or candidate is None:
        with services.database.transaction(wait=PATIENT) as session:
            finish(session, running.model_id, now, queue)
    return False


def _candidate(services: Services, queue: QueuePolicy, running: Running) -> LiveModel | None:
    """The candidate's model. None: it cannot be opened here, so its shadow ends."""
    try:
        return services.serving.other(queue, running.model_id)
    except Invalid:
        return None


def _predict(
    services: Services, queue: QueuePolicy, running: Running, candidate: LiveModel, piece: list[Answered]
) -> None:
    readable = [one for one in piece if one.input.has_any(candidate.fitted.reads)]
    predictions = candidate.predict([one.input for one in readable])
    predicted = {one.prediction_id: chances for one, chances in zip(readable, predictions, strict=True)}
    with services.database.transaction(wait=PATIENT) as session:
        store_parallel(session, running.model_id, predicted, services.clock())
        flag_disagreements(session, candidate.name, predicted, services.clock(), queue)
        go_on(session, running.model_id, piece[-1].prediction_id)
