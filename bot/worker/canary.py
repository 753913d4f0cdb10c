"""The periodic steps of a canary: the model that did not answer a request predicts its input too, so that a caller
waits for one model only; and the looks that are due."""

from bot.runtime.services import Services
from core.intake.disagreements import flag_disagreements
from core.learning.lifecycle.canary import CanaryWork, canary_went_on, canary_work, has_canary, look
from core.learning.lifecycle.parallel import Answered, answered_since, store_parallel
from core.learning.lifecycle.serving import LiveModel
from core.policy import QueuePolicy
from core.storage.database import PATIENT


def canary_piece(services: Services, queue: QueuePolicy) -> bool:
    """Predict a part of the inputs. Returns whether there may be more. Raises Invalid if one of the models cannot be
    opened."""
    now = services.clock()
    with services.database.reading(wait=PATIENT) as session:
        work = canary_work(session, queue)
        if work is None:
            return False
        names = (work.new[1], work.former[1])
        piece = answered_since(session, work.queue_id, work.done_up_to, now, now, names)
    if piece:
        _predict(services, queue, work, piece)
    return bool(piece)


def _predict(services: Services, queue: QueuePolicy, work: CanaryWork, piece: list[Answered]) -> None:
    predictions = {}
    for other, (_id, answered_by) in ((work.former, work.new), (work.new, work.former)):
        model = services.serving.other(queue, other[0])
        predictions[other] = _predictions(model, [one for one in piece if one.model_version == answered_by])
    with services.database.transaction(wait=PATIENT) as session:
        for (model_id, name), predicted in predictions.items():
            store_parallel(session, model_id, predicted, services.clock())
            flag_disagreements(session, name, predicted, services.clock(), queue)
        canary_went_on(session, work.new[0], piece[-1].prediction_id)


def _predictions(model: LiveModel, answered: list[Answered]) -> dict[int, dict[str, float]]:
    readable = [one for one in answered if one.input.has_any(model.fitted.reads)]
    predictions = model.predict([one.input for one in readable])
    return {one.prediction_id: chances for one, chances in zip(readable, predictions, strict=True)}


def canary_look_piece(services: Services, queue: QueuePolicy) -> None:
    """Take the look that is due, if one is."""
    with services.database.reading(wait=PATIENT) as session:
        if not has_canary(session, queue):
            return
    with services.database.transaction(wait=PATIENT) as session:
        look(session, queue, services.clock())
