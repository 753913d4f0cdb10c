"""Modals and the Home tab (docs.slack.dev surfaces/modals, methods views.*)."""

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import ControlError, Person, SandboxClient
from bot.sandbox.wire import Json
from tests.sandbox.conftest import Heard, actions, button, code, modal, note, text
from tests.sandbox.test_chat import refused

HOME = {"type": "home", "blocks": [{"type": "section", "text": text("Your queue")}, actions(button("go", "Start"))]}


def trigger(heard: Heard, ana: Person) -> str:
    ana.global_shortcut("new")
    return str(heard.last["trigger_id"])


def opened(heard: Heard, web: WebClient, ana: Person, view: Json | None = None) -> Json:
    return dict(web.views_open(trigger_id=trigger(heard, ana), view=view or modal(note()))["view"])


def test_a_modal_opens_for_the_person_who_triggered_it(heard: Heard, web: WebClient, ana: Person, ben: Person) -> None:
    view = opened(heard, web, ana, modal(note(), private_metadata="item 42"))
    assert view["state"] == {"values": {"note": {"typed": {"type": "plain_text_input", "value": None}}}}
    assert (view["root_view_id"], view["previous_view_id"], view["app_id"]) == (view["id"], None, "A_LOOP")
    assert ana.view is not None
    assert (ana.view.id, ana.view.title, ana.view.private_metadata) == (view["id"], "Form", "item 42")
    assert ben.view is None


def test_a_trigger_is_good_for_three_seconds_and_one_use(
    heard: Heard, web: WebClient, ana: Person, box: SandboxClient
) -> None:
    identity = trigger(heard, ana)
    view = modal(note())
    web.views_open(trigger_id=identity, view=view)
    assert refused(web, "views.open", trigger_id=identity, view=view) == "exchanged_trigger_id"
    late = trigger(heard, ana)
    box.advance(3.1)
    assert refused(web, "views.open", trigger_id=late, view=view) == "expired_trigger_id"
    assert refused(web, "views.open", trigger_id="made up", view=view) == "invalid_trigger_id"
    assert refused(web, "views.open", view=view) == "invalid_arguments"


def test_a_submission_carries_what_was_entered(heard: Heard, web: WebClient, ana: Person) -> None:
    select = {
        "type": "input",
        "block_id": "why",
        "label": text("Why"),
        "optional": True,
        "element": {
            "type": "static_select",
            "action_id": "reason",
            "options": [{"text": text("Noisy"), "value": "noisy"}],
        },
    }
    opened(heard, web, ana, modal(note(), select, private_metadata="42"))
    assert ana.submit({"note": "odd", "why": "Noisy"}).ok
    body = heard.last
    assert (body["type"], body["view"]["private_metadata"], body["view"]["callback_id"]) == (
        "view_submission",
        "42",
        "form",
    )
    assert body["view"]["state"]["values"]["note"]["typed"]["value"] == "odd"
    assert body["view"]["state"]["values"]["why"]["reason"]["selected_option"]["value"] == "noisy"
    assert body["response_urls"] == []
    assert ana.view is None


@pytest.mark.parametrize(
    ("element", "value", "sentence"),
    [
        ({}, "", "Please complete this required field."),
        ({"min_length": 5}, "four", "Enter at least 5 characters."),
        ({"max_length": 3}, "four", "Enter at most 3 characters."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "Enter a whole number."),
        ({"type": "number_input", "is_decimal_allowed": False, "max_value": "9"}, "10", "Enter a number of at most 9."),
        ({"type": "email_text_input"}, "not an address", "Enter a valid email address."),
        ({"type": "url_text_input"}, "nowhere", "Enter a valid URL."),
    ],
)
def test_slack_checks_the_form_before_the_app_sees_it(
    heard: Heard, web: WebClient, ana: Person, element: Json, value: str, sentence: str
) -> None:
    opened(heard, web, ana, modal(note(**element)))
    before = len(heard.bodies)
    outcome = ana.submit({"note": value})
    assert (outcome.ok, outcome.errors) == (False, {"note": sentence})
    assert len(heard.bodies) == before
    assert ana.view is not None


def answering(connected: App, heard_form: dict[str, Json]) -> None:
    """An app whose form answers with whatever stands under the typed note."""

    def answer(ack: Ack, view: Json) -> None:
        typed = view["state"]["values"]["note"]["typed"]["value"]
        ack(**heard_form[typed])

    connected.view("form")(answer)


def with_modal(connected: App, web: WebClient, ana: Person, answers: dict[str, Json]) -> None:
    answering(connected, answers)

    def open_form(ack: Ack, body: Json) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=modal(note(), notify_on_close=True))

    connected.shortcut("new")(open_form)
    connected.view_closed("form")(lambda ack: ack())
    connected.view_closed("second")(lambda ack: ack())
    assert ana.global_shortcut("new").ok
    ana.box.wait_for(lambda: ana.view)


def test_the_app_may_answer_with_errors_and_the_form_stays(connected: App, web: WebClient, ana: Person) -> None:
    answers: dict[str, Json] = {"bad": {"response_action": "errors", "errors": {"note": "Not that."}}, "good": {}}
    with_modal(connected, web, ana, answers)
    outcome = ana.submit({"note": "bad"})
    assert (outcome.ok, outcome.errors) == (True, {"note": "Not that."})
    assert ana.view is not None
    assert ana.submit({"note": "good"}).errors == {}
    assert ana.view is None


def test_errors_for_a_block_that_is_no_input_are_refused(connected: App, web: WebClient, ana: Person) -> None:
    with_modal(connected, web, ana, {"bad": {"response_action": "errors", "errors": {"elsewhere": "No."}}})
    outcome = ana.submit({"note": "bad"})
    assert (outcome.ok, outcome.error) == (False, "We had some trouble connecting. Try again? (invalid_errors)")


def test_the_app_may_update_push_or_clear(connected: App, web: WebClient, ana: Person) -> None:
    second = modal(note(), callback_id="form", title=text("Second"), notify_on_close=True)
    answers: dict[str, Json] = {
        "update": {"response_action": "update", "view": modal(note(), title=text("Changed"))},
        "push": {"response_action": "push", "view": second},
        "clear": {"response_action": "clear"},
    }
    with_modal(connected, web, ana, answers)
    ana.submit({"note": "update"})
    assert [view.title for view in ana.views] == ["Changed"]
    ana.submit({"note": "push"})
    assert [(view.title, view.depth) for view in ana.views] == [("Changed", 1), ("Second", 2)]
    ana.submit({"note": "push"})
    outcome = ana.submit({"note": "push"})
    assert outcome.error == "We had some trouble connecting. Try again? (push_limit_reached)"
    assert len(ana.views) == 3
    ana.submit({"note": "clear"})
    assert ana.views == []


def test_an_unacknowledged_submission_keeps_the_form(connected: App, web: WebClient, ana: Person) -> None:
    def open_form(ack: Ack, body: Json) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=modal(note()))

    connected.shortcut("new")(open_form)
    ana.global_shortcut("new")
    ana.box.wait_for(lambda: ana.view)
    outcome = ana.submit({"note": "x"})
    assert (outcome.ok, outcome.error) == (False, "We had some trouble connecting. Try again? (operation_timeout)")
    assert ana.view is not None


def test_an_update_with_an_old_hash_is_a_conflict(heard: Heard, web: WebClient, ana: Person) -> None:
    """hash_conflict; the hash changes with every update (docs views.update)."""
    view = opened(heard, web, ana)
    changed = web.views_update(view_id=view["id"], hash=view["hash"], view=modal(note(), title=text("New")))["view"]
    assert changed["hash"] != view["hash"]
    assert refused(web, "views.update", view_id=view["id"], hash=view["hash"], view=modal(note())) == "hash_conflict"
    assert ana.view is not None
    assert ana.view.title == "New"


def test_what_was_typed_stays_where_block_and_action_stay(heard: Heard, web: WebClient, ana: Person) -> None:
    view = opened(heard, web, ana)
    ana.choose(ana.views[-1], "typed", "draft")
    kept = web.views_update(view_id=view["id"], view=modal(note(), title=text("New")))["view"]
    assert kept["state"]["values"]["note"]["typed"]["value"] == "draft"
    lost = web.views_update(view_id=view["id"], view=modal(note("other")))["view"]
    assert lost["state"]["values"]["other"]["typed"]["value"] is None


def test_a_closed_view_is_not_found(heard: Heard, web: WebClient, ana: Person) -> None:
    view = opened(heard, web, ana)
    assert ana.close_view().ok
    assert refused(web, "views.update", view_id=view["id"], view=modal(note())) == "not_found"


def test_an_external_id_finds_a_view_and_is_given_once(heard: Heard, web: WebClient, ana: Person, ben: Person) -> None:
    opened(heard, web, ana, modal(note(), external_id="item-42"))
    found = web.views_update(external_id="item-42", view=modal(note(), external_id="item-42", title=text("New")))
    assert found["view"]["title"]["text"] == "New"
    with pytest.raises(SlackApiError) as error:
        opened(heard, web, ben, modal(note(), external_id="item-42"))
    assert code(error.value) == "duplicate_external_id"


def test_views_push_stacks_up_to_three(heard: Heard, web: WebClient, ana: Person) -> None:
    """docs surfaces/modals: "a maximum of 3 views"."""
    root = opened(heard, web, ana, modal(note(), actions(button("deeper", "Deeper"))))
    for _ in range(2):
        ana.click_view("Deeper")
        deeper = modal(note(), actions(button("deeper", "Deeper")))
        view = web.views_push(trigger_id=heard.last["trigger_id"], view=deeper)["view"]
        assert view["root_view_id"] == root["id"]
    assert view["previous_view_id"] == ana.views[1].id
    ana.click_view("Deeper")
    one_more = {"trigger_id": heard.last["trigger_id"], "view": modal(note())}
    assert refused(web, "views.push", **one_more) == "push_limit_reached"


def test_closing_is_told_where_asked_for(heard: Heard, web: WebClient, ana: Person) -> None:
    opened(heard, web, ana, modal(note(), notify_on_close=True))
    assert ana.close_view().ok
    assert (heard.last["type"], heard.last["is_cleared"]) == ("view_closed", False)
    opened(heard, web, ana, modal(note(), notify_on_close=True, clear_on_close=True))
    ana.close_view()
    assert heard.last["is_cleared"] is True
    opened(heard, web, ana)
    before = len(heard.bodies)
    ana.close_view()
    assert len(heard.bodies) == before


def test_a_button_in_a_modal_carries_the_view_and_no_message(heard: Heard, web: WebClient, ana: Person) -> None:
    view = opened(heard, web, ana, modal(note(), actions(button("more", "More"))))
    ana.choose(ana.views[-1], "typed", "half a sentence")
    ana.click_view("More")
    body = heard.last
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["state"]["values"]["note"]["typed"]["value"] == "half a sentence"
    assert not {"message", "channel", "response_url"} & set(body)


def test_a_dispatching_input_sends_its_value(heard: Heard, web: WebClient, ana: Person) -> None:
    opened(heard, web, ana, modal(note() | {"dispatch_action": True}))
    ana.choose(ana.views[-1], "typed", "quick")
    assert (heard.last["type"], heard.last["actions"][0]["value"]) == ("block_actions", "quick")


def test_an_initial_value_is_submitted_unless_changed(heard: Heard, web: WebClient, ana: Person) -> None:
    opened(heard, web, ana, modal(note(initial_value="as before")))
    ana.submit()
    assert heard.last["view"]["state"]["values"]["note"]["typed"]["value"] == "as before"


def test_the_home_tab_is_published_when_it_is_opened(connected: App, ana: Person, ben: Person, web: WebClient) -> None:
    opened_by: list[Json] = []

    def publish(event: Json) -> None:
        opened_by.append(event)
        web.views_publish(user_id=event["user"], view=HOME)

    connected.event("app_home_opened")(publish)
    connected.action("go")(lambda ack: ack())
    assert ana.open_home().plain == "Your queue\nStart"
    assert (opened_by[0]["tab"], opened_by[0]["user"], "view" in opened_by[0]) == ("home", "U_ANA", False)
    assert ana.click_home("Start").ok
    ana.open_home()
    assert opened_by[1]["view"]["type"] == "home"
    assert ben.home is None


def test_a_home_view_is_for_people_and_has_its_hash(web: WebClient) -> None:
    view = web.views_publish(user_id="U_ANA", view=HOME)["view"]
    web.views_publish(user_id="U_ANA", hash=view["hash"], view=HOME)
    assert refused(web, "views.publish", user_id="U_ANA", hash=view["hash"], view=HOME) == "hash_conflict"
    assert refused(web, "views.publish", user_id="loop", view=HOME) == "user_not_found"
    assert refused(web, "views.publish", user_id="U_ANA", view=HOME | {"submit": text("Go")}) == "invalid_arguments"


def test_without_an_open_modal_there_is_nothing_to_submit(ana: Person) -> None:
    with pytest.raises(ControlError, match="no open modal"):
        ana.submit()
