"""The shortcut "Flag for review" on any message: the live model predicts its text, and reviewers see it. All members of
this workspace may use it; guests, bots and people of other workspaces may not."""

import logging

from slack_bolt import Ack, App

from bot.runtime.services import Services
from bot.slack.blocks import View
from bot.slack.directory.colleagues import require_colleague
from bot.slack.inbound import payloads
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.inbound.payloads import FlagRequest, FlagSubmission
from bot.slack.inbound.replies import show_view
from bot.slack.views import forms
from core.errors import Invalid, ModelUnavailable
from core.intake.ingest import flag_for_review
from core.intake.limits import LONGEST_ID
from core.intake.predictions import NewPrediction

log = logging.getLogger(__name__)

NO_MODEL = "none"  # the model version of a text that no model has seen


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    def shortcut_used(ack: Ack, parsed: Payload) -> None:
        asked = payloads.flag_request(parsed)
        ack()
        after_ack.run(open_form, asked, parsed.response_url)

    def open_form(asked: FlagRequest, response_url: str) -> None:
        def draw() -> View:
            require_colleague(services, asked.person, "flag messages for review")
            return forms.flag_form(services.policy.queues, asked.text, f"{asked.channel}|{asked.ts}")

        show_view(services.slack, after_ack.tell, asked.trigger_id, forms.for_those_who_may(draw), response_url)

    def form_submitted(ack: Ack, parsed: Payload) -> None:
        asked = payloads.flag_submission(parsed)
        require_colleague(services, asked.person, "flag messages for review")
        prediction = looked_at(services, asked)
        with services.database.transaction() as session:
            queue = services.in_force.read(session).queue(asked.queue)
            item_id = flag_for_review(session, prediction, asked.person, services.clock(), queue)
        done = f"Thank you. Reviewers of {queue.shown_title} will look at it as item {item_id}. You'll hear the result."
        ack(response_action="update", view=forms.sentence("Flagged", done).body)

    app.shortcut("flag_for_review")(shortcut_used)
    app.view("flag_form")(form_submitted)


def looked_at(services: Services, asked: FlagSubmission) -> NewPrediction:
    """The live model's answer to the text; none, if no model can be used or its service does not answer in time."""
    external_id = f"slack:{asked.origin.replace('|', ':')}"
    if len(external_id) > LONGEST_ID:
        raise Invalid("This message cannot be identified.")
    queue = services.policy.queue(asked.queue)
    prediction = NewPrediction(external_id, NO_MODEL, queue.privacy.stored(asked.text))
    live = services.serving.usable(queue)
    if live is None:
        return prediction
    try:
        return prediction.answered(live.name, live.answers([prediction.input])[0])
    except ModelUnavailable as away:  # a person's flag does not wait for a service
        log.warning("Message flagged without a model", extra={"queue": queue.name, "reason": str(away)})
        return prediction
