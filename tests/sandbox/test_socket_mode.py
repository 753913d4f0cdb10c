"""Socket Mode with slack-bolt's own handler."""

from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.wire import Json


def test_a_click_reaches_the_app_and_its_update_reaches_the_person(
    connected: App, web: WebClient, ana: Person, box: SandboxClient
) -> None:
    def vote(ack: Json, body: Json) -> None:
        ack()  # type: ignore[operator]
        web.chat_update(channel="C_REVIEW", ts=body["message"]["ts"], text=f"{body['user']['name']} voted", blocks=[])

    connected.action("vote")(vote)
    button = {"type": "button", "action_id": "vote", "text": {"type": "plain_text", "text": "Refund"}}
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=[{"type": "actions", "elements": [button]}])

    outcome = ana.click(ana.messages("review")[-1], "Refund")

    assert outcome.ok
    box.wait_for(lambda: ana.messages("review")[-1].text == "ana voted")
