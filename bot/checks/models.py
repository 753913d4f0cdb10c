"""Whether what is live can be served, and the next one trained, by what is installed here."""

from collections.abc import Sequence

from bot.checks.finding import Finding, Findings, bad, good, note
from core.errors import Invalid, Refusal
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.serving import LiveModel, Serving
from core.policy import Policy, QueuePolicy
from core.storage.database import Database


def live_models(database: Database, policy: Policy) -> Findings:
    serving = Serving(database)
    for queue in policy.queues:
        subject = f"model of {queue.name}"
        try:
            find_learner(queue.retraining.learner)
        except Invalid as refusal:
            yield bad(subject, str(refusal), f"Set queues.{queue.name}.retraining.learner to one of those.")
        try:
            model = serving.live(queue)
        except Refusal as refusal:
            yield bad(subject, str(refusal), "Until then predictions are not answered; reviewing goes on.")
            continue
        if model is None:
            yield note(subject, "None is live yet.", f"`goldloop seed FILE -q {queue.name}`, then `goldloop retrain`.")
        else:
            yield _known_labels(subject, model, queue)


def _known_labels(subject: str, model: LiveModel, queue: QueuePolicy) -> Finding:
    """A model knows the labels of the policy that it was trained under."""
    lacking = [label for label in queue.label_names if label not in model.fitted.classes]
    said = []
    if lacking:
        said.append(f"It never answers {_named(lacking)}, which it has not learnt.")
    if model.dropped:
        said.append(f"{_named(model.dropped)}, which it has learnt, is not in the policy, so it answers the next best.")
    if not said:
        return good(subject, f"{model.name} is live and loads")
    remedy = f"`goldloop retrain -q {queue.name}` when there are examples of what the policy has now."
    return note(subject, f"{model.name} is live and loads. {' '.join(said)}", remedy)


def _named(labels: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(f"“{label}”" for label in labels[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
