"""The live models and learners: each must load with the packages that are installed here."""

from collections.abc import Sequence

from bot.checks.finding import Finding, Findings, bad, good, note
from bot.runtime.clock import utc_now
from bot.runtime.model_services import ModelServices
from bot.runtime.services import tls
from core.errors import Invalid, ModelUnavailable, Refusal
from core.learning.data.inputs import Input
from core.learning.learners.external import is_external
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.serving import LiveModel, Serving
from core.policy import Policy, QueuePolicy
from core.storage.database import Database


def live_models(database: Database, policy: Policy) -> Findings:
    serving = Serving(database, connect=ModelServices(utc_now, tls))
    for queue in policy.queues:
        subject = f"model of {queue.name}"
        try:
            find_learner(queue.retraining.learner, with_own_encoder(queue))
        except Invalid as refusal:
            yield bad(subject, str(refusal), f"Set queues.{queue.name}.retraining.learner to an installed learner.")
        try:
            model = serving.live(queue)
        except Refusal as refusal:
            yield bad(subject, str(refusal), "Until this is fixed, `predict` requests fail; reviewing goes on.")
            continue
        if model is None:
            yield note(
                subject,
                "No model is live yet.",
                f"Run `goldloop seed FILE -q {queue.name}`, then `goldloop retrain -q {queue.name}`.",
            )
        else:
            yield _known_labels(subject, model, queue)
            if is_external(model.fitted):
                yield _service(model, queue)


def _service(model: LiveModel, queue: QueuePolicy) -> Finding:
    """Check a model that a service computes: request a prediction of one text."""
    subject = f"service of {queue.name}"
    try:
        model.predict([Input("goldloop doctor")])
    except ModelUnavailable as away:
        return bad(subject, str(away), "Until this is fixed, `predict` requests fail with 503; reviewing goes on.")
    return good(subject, f"it answers for {model.name}")


def _known_labels(subject: str, model: LiveModel, queue: QueuePolicy) -> Finding:
    """A note if the labels of the model and of the policy differ."""
    lacking = [label for label in queue.label_names if label not in model.fitted.classes]
    said = []
    if lacking:
        said.append(f"It never predicts {_named(lacking)}: there were no examples when it was trained.")
    if model.dropped:
        said.append(f"It also learned {_named(model.dropped)}, not in the policy; the next best label is predicted.")
    if not said:
        return good(subject, f"{model.name} is live")
    remedy = f"Run `goldloop retrain -q {queue.name}` once there are examples of the policy's labels."
    return note(subject, f"{model.name} is live. {' '.join(said)}", remedy)


def _named(labels: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(f"“{label}”" for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
