"""Whether what is live can be served by what is installed here."""

from bot.checks.finding import Findings, bad, good, note
from core.database import Database
from core.errors import Refusal
from core.learning.serving import Serving
from core.policy import Policy


def live_models(database: Database, policy: Policy) -> Findings:
    serving = Serving(database)
    for queue in policy.queues:
        subject = f"model of {queue.name}"
        try:
            model = serving.live(queue.name)
        except Refusal as refusal:
            yield bad(subject, str(refusal), "Until then predictions are not answered; reviewing goes on.")
            continue
        if model is None:
            yield note(subject, "None is live yet.", f"`goldloop seed FILE -q {queue.name}`, then `goldloop retrain`.")
        else:
            yield good(subject, f"{model.name} is live and loads")
