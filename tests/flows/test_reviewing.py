"""What reviewers and leads can do with a card, and what they are told. On SQLite: nothing here depends on the database
beyond the verbs, which have their own tests on both (tests/core)."""

import pytest

from bot.sandbox.client import Message
from core.delivery import outbox, recipients
from core.queues import queue_named
from core.storage.database import PATIENT
from core.vocabulary import Card
from tests.flows.conftest import StartLoop
from tests.loop import Loop
from tests.people import ANA, BEN, DAN, LEADS, REVIEW, support_policy
from tests.steps import step_of

settle_unanswerable = step_of("unanswerable items")

pytestmark = pytest.mark.usefixtures("sqlite_only")

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


def opened(loop: Loop, number: int = 1, text: str = "the sofa came late") -> Message:
    loop.predict(f"T-{number}", text, UNSURE, fields={"Ticket": f"#{number}"})
    return loop.card(text)


def place(card: Message) -> str:
    """The end of the card's address."""
    return f"/archives/{card.channel}/p{card.ts.replace('.', '')}"


def test_a_card_shows_the_ticket_the_guess_and_the_likeliest_labels_first(loop: Loop) -> None:
    card = opened(loop)
    assert "The model says *delivery* (50%)" in card.plain
    assert "Asked because the model is below 80%." in card.plain
    assert "#1" in card.plain
    assert "ID T-1" in card.plain
    assert card.buttons[:3] == ["delivery", "refund", "billing error"]
    assert card.buttons[-3:] == ["Why?", "Cannot judge", "Skip"]
    assert "sofa" in card.text, "screen readers read only the text"


def test_votes_stay_hidden_until_the_item_is_settled(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.told(loop.ana, "Item 1:")
    assert loop.card("the sofa came late") == card, "others see nothing of it"
    loop.ben.click(card, "refund")
    settled = loop.card("*refund* (2 votes)")
    assert "The model said delivery" in settled.plain
    assert settled.buttons == ["How was this decided?"]
    assert "U_ANA" not in settled.plain, "names are for policies that reveal them"


def test_a_person_may_change_their_mind_until_the_item_is_settled(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "delivery")
    loop.ana.click(card, "refund")
    loop.told(loop.ana, "*refund* (was delivery)")
    loop.ben.click(card, "refund")
    loop.card("*refund* (2 votes)")


def test_undo_takes_a_vote_back(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    receipt = loop.told(loop.ana, "Item 1:")
    loop.ana.click(receipt, "Undo")
    loop.told(loop.ana, "Item 1: your answer is withdrawn.")
    loop.ben.click(card, "refund")
    assert loop.votes() == [BEN]


def test_a_click_on_a_settled_item_is_answered_and_changes_nothing(loop: Loop) -> None:
    card = opened(loop)
    loop.box.fault("chat.update", "ratelimited", times=20, retry_after=1)  # Eva still sees the open card
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    assert loop.eva.click(card, "delivery").ok
    loop.told(loop.eva, "Item 1 is already decided: refund (2 of 2 votes)")
    loop.box.clear_faults()
    loop.card("*refund* (2 votes)")


def test_an_older_click_delivered_late_does_not_undo_a_newer_one(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund", action_ts="1900000000.000200")
    loop.ana.click(card, "delivery", action_ts="1900000000.000100")
    loop.told(loop.ana, "An older click arrived late and changed nothing. Your current answer: refund")
    loop.ben.click(card, "refund")
    loop.card("*refund* (2 votes)")


def test_a_click_that_slack_delivers_three_times_is_one_vote_and_one_receipt(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund", retries=2)
    loop.ana.click(loop.told(loop.ana, "Item 1: *refund*"), "Undo", retries=2)
    loop.told(loop.ana, "withdrawn")
    loop.ana.click(card, "delivery")  # what was to be said before is said by then
    loop.told(loop.ana, "*delivery*")
    said = [one.text for one in loop.ana.messages(REVIEW) if one.ephemeral]
    assert said == ["Item 1: *refund*.", "Item 1: your answer is withdrawn.", "Item 1: *delivery*."]
    assert loop.votes() == [ANA]


def test_a_person_who_may_not_vote_is_told_so(loop: Loop) -> None:
    card = opened(loop)
    assert loop.dan.click(card, "refund").ok
    loop.told(loop.dan, "Only reviewers of Support tickets can vote. Ask <@U_CLEO>.")
    assert loop.cleo.click(card, "refund").ok
    loop.told(loop.cleo, "Reviewers are still voting on item 1")


def test_none_of_these_is_a_vote_without_a_label(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "None of these")
    loop.ben.click(card, "None of these")
    loop.card("*No label fits* (2 votes).")


def test_a_tie_at_the_cap_is_decided_by_the_lead_through_the_same_card(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "delivery")
    loop.eva.click(card, "billing error")
    loop.told(loop.eva, "Item 1: *billing error*. The votes disagree, so a lead decides.")
    disputed = loop.card("A lead decides because 3 votes didn't settle it.")
    assert disputed.ts == card.ts
    loop.cleo.click(disputed, "See votes and reasons")
    seen = loop.box.wait_for(lambda: loop.cleo.view)
    assert seen is not None
    for answer in ("refund", "delivery", "billing error"):
        assert f"• {answer}" in seen.plain
    loop.ben.click(disputed, "See votes and reasons")
    hidden = loop.box.wait_for(lambda: loop.ben.view)
    assert hidden is not None
    assert "• refund" not in hidden.plain
    loop.cleo.click(disputed, "refund")
    settled = loop.card("decided by <@U_CLEO>")
    assert settled.ts == card.ts


def test_two_who_cannot_judge_bring_it_to_a_lead(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "Cannot judge")
    loop.ben.click(card, "Cannot judge")
    loop.card("A lead decides because 2 reviewers can't judge it.")


def test_who_cannot_judge_says_why_without_a_label(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "Cannot judge")
    loop.ana.click(loop.told(loop.ana, "Item 1: you can't judge it."), "Say why")
    loop.box.wait_for(lambda: loop.ana.view)
    sent = loop.ana.submit({"reason": "missing_context", "note": "no invoice"})
    assert sent.ok, "the answer that was given stands in the form"
    loop.told(loop.ana, "Item 1: you can't judge it. Your reason (missing context) and note are saved.")
    loop.ben.click(card, "refund")
    loop.eva.click(card, "refund")
    assert "can't judge _missing context_ no invoice" in loop.card("*refund* (2 votes)").plain


def test_a_lead_decides_when_no_reviewer_is_left(loop: Loop) -> None:
    card = opened(loop)
    for person in (loop.ana, loop.ben, loop.eva):
        person.click(card, "Skip")
    loop.card("A lead decides because no other reviewer is available.")


def test_why_records_a_reason_and_a_note_that_are_shown_when_settled(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "Why?")
    view = loop.box.wait_for(lambda: loop.ana.view)
    assert view is not None
    assert "Money back is a refund" in view.plain
    sent = loop.ana.submit({"label": "refund", "reason": "ambiguous", "note": "late *and* unwanted <!channel>"})
    assert sent.ok
    loop.told(loop.ana, "Item 1: *refund*. Your reason (ambiguous: several labels fit) and note are saved.")
    loop.ben.click(card, "refund")
    settled = loop.card("ambiguous: several labels fit")
    assert "<!channel>" not in settled.plain


def test_the_form_says_at_its_field_what_is_missing(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "Why?")
    loop.box.wait_for(lambda: loop.ana.view)
    sent = loop.ana.submit({"note": "no label chosen"})
    assert not sent.ok
    assert "label" in sent.errors


def test_a_form_sent_after_the_item_was_settled_says_so(loop: Loop) -> None:
    card = opened(loop)
    loop.eva.click(card, "Why?")
    loop.box.wait_for(lambda: loop.eva.view)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    loop.eva.submit({"label": "delivery"})
    told = loop.box.wait_for(lambda: loop.eva.view)
    assert told is not None
    assert "Item 1 is already decided" in told.plain


def test_a_lead_sees_who_voted_what_and_others_do_not(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    settled = loop.card("*refund* (2 votes)")
    loop.cleo.click(settled, "How was this decided?")
    seen = loop.box.wait_for(lambda: loop.cleo.view)
    assert seen is not None
    assert "<@U_ANA> chose refund under guideline 1." in seen.plain
    loop.dan.click(settled, "How was this decided?")
    other = loop.box.wait_for(lambda: loop.dan.view)
    assert other is not None
    assert "U_ANA" not in other.plain.replace("\u200b", "")


def test_a_blind_card_betrays_nothing_of_the_model(start_loop: StartLoop) -> None:
    loop = start_loop(support_policy(review={"blind_share": 1.0}))
    card = opened(loop)
    assert "Blind" in card.plain
    for betrayal in ("50%", "below 80%", "The model says"):
        assert betrayal not in card.plain + card.text
    assert card.buttons[:3] == ["refund", "billing error", "delivery"], "the queue's own order"
    assert not any(block.get("style") for row in card.blocks for block in row.get("elements", []))


def test_names_are_shown_where_the_policy_reveals_them(start_loop: StartLoop) -> None:
    loop = start_loop(support_policy(review={"blind_share": 0.0, "reveal": "names"}))
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    loop.card("refund: <@U_ANA>, <@U_BEN>")


def test_a_person_who_is_shown_an_item_of_their_own_votes_in_direct_messages(loop: Loop) -> None:
    opened(loop)
    with loop.database.transaction(wait=PATIENT) as session:
        queue = queue_named(session, "support")
        outbox.show(session, Card.REVIEW_ITEM, 1, recipients.person(ANA), queue, loop.services.clock())
    direct = loop.services.slack.conversations_open(users=ANA).get("channel", {"id": ""})["id"]
    loop.ana.click(loop.card("the sofa came late", channel=direct), "refund")
    loop.ben.click(loop.card("the sofa came late"), "refund")
    assert len({loop.card("*refund* (2 votes)", channel=where).ts for where in (REVIEW, direct)}) == 2


def test_other_offers_any_number_of_labels_by_typing(start_loop: StartLoop) -> None:
    labels = ["refund", "billing error", "delivery", *(f"rare case {number}" for number in range(150))]
    loop = start_loop(support_policy(labels=labels))
    card = opened(loop)
    loop.ana.click(card, "Other…")
    view = loop.box.wait_for(lambda: loop.ana.view)
    assert view is not None
    offered = loop.ana.suggestions(view, "label", "case 14")
    assert [one["value"] for one in offered][:2] == ["rare case 14", "rare case 140"]
    assert loop.ana.submit({"label": "rare case 149"}).ok
    loop.ben.click(card, "Other…")
    loop.box.wait_for(lambda: loop.ben.view)
    loop.ben.submit({"label": "rare case 149"})
    loop.card("*rare case 149* (2 votes)")


def test_hostile_text_stays_text(loop: Loop) -> None:
    hostile = "<!channel> *bold* <https://evil.example|click> <@U_CLEO> &lt; ` ``` \u202e " + "x" * 20_000
    loop.predict("T-9", hostile, UNSURE, fields={"<!here>": "*x* <@U_DAN>"})
    card = loop.card("Support tickets")
    assert "<!channel>" not in card.text
    shown = next(
        block
        for block in card.blocks
        if block.get("text", {}).get("type") == "plain_text" and block["type"] == "section"
    )
    assert shown["text"]["text"].startswith("<!channel> *bold*"), "plain text: Slack parses nothing in it"
    assert "Read all" in card.buttons
    loop.ana.click(card, "Read all")
    view = loop.box.wait_for(lambda: loop.ana.view)
    assert view is not None
    assert view.plain.count("x") > 19_000


def test_the_home_tab_shows_what_is_open_and_takes_votes_back(loop: Loop) -> None:
    card = opened(loop)
    opened(loop, 2, "the lamp is broken")
    loop.ana.click(card, "refund")
    home = loop.ana.open_home()
    assert "1 open for me · 1 done today (limit 120)" in home.plain
    assert "the lamp is broken" in home.plain
    link = f"{place(card)}|Item 1>"
    loop.box.wait_for(lambda: link in str(loop.ana.open_home().blocks), what="a link to the card")
    loop.ana.click_home("Undo")
    loop.box.wait_for(lambda: loop.ana.home and "2 open for me · 0 done today (limit 120)" in loop.ana.home.plain)


def test_the_list_of_my_work_is_drawn_again_after_each_click_in_it(loop: Loop) -> None:
    card, other = opened(loop), opened(loop, 2, "the lamp is broken")
    loop.ana.click(card, "refund")
    loop.ana.click(other, "delivery")
    loop.box.wait_for(lambda: f"{place(other)}|Item 2>" in str(loop.ana.open_home().blocks))
    loop.ana.command("/goldloop mine", channel=REVIEW)
    mine = loop.told(loop.ana, "My recent answers")
    assert f"{place(card)}|Item 1>: *refund*" in mine.plain
    assert f"{place(other)}|Item 2>: *delivery*" in mine.plain
    assert mine.buttons == ["Pause", "Undo", "Undo"]
    assert mine.buttons.index("Undo") == 1, "the newest answer is first"
    loop.ana.click(mine, "Undo")
    left = loop.told(loop.ana, "Item 2: your answer is withdrawn.")
    assert left.ts == mine.ts, "the list itself, not a line below it"
    assert "*delivery*" not in left.plain
    assert left.buttons == ["Pause", "Undo"]
    loop.ana.click(left, "Pause")
    paused = loop.told(loop.ana, "You're paused.")
    assert (paused.ts, paused.buttons) == (mine.ts, ["Resume", "Undo"])
    assert loop.votes(2) == []


def test_an_undo_that_comes_too_late_draws_the_list_again_without_its_button(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ana.command("/goldloop mine", channel=REVIEW)
    mine = loop.told(loop.ana, "My recent answers")
    loop.box.wait_for(lambda: "Undo" in loop.ana.open_home().buttons)
    assert "Undo" in mine.buttons
    loop.ben.click(card, "refund")
    loop.ana.click(mine, "Undo")
    left = loop.told(loop.ana, "Item 1 is already decided: refund (2 of 2 votes). Your click changed nothing.")
    assert left.ts == mine.ts, "the list itself, not a line below it"
    assert "*refund*" in left.plain
    assert left.buttons == ["Pause"]
    loop.ana.click_home("Undo")
    loop.box.wait_for(
        lambda: loop.ana.home and "Undo" not in loop.ana.home.buttons, what="a Home tab without the button"
    )
    assert "is already decided" in str(loop.ana.view and loop.ana.view.plain)


def test_an_item_does_not_wait_for_a_reviewer_who_pauses(loop: Loop) -> None:
    loop.eva.command("/goldloop pause", channel=REVIEW)
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "delivery")
    loop.card("A lead decides because no other reviewer is available.")


def test_an_item_does_not_wait_for_the_last_one_who_pauses(loop: Loop) -> None:
    card = opened(loop)
    loop.ana.click(card, "refund")
    loop.ben.click(card, "delivery")
    assert loop.votes() == [ANA, BEN]
    loop.eva.command("/goldloop pause", channel=REVIEW)
    settle_unanswerable(loop.services)
    loop.card("A lead decides because no other reviewer is available.")


def test_the_daily_cap_is_kept_with_a_sentence(start_loop: StartLoop) -> None:
    loop = start_loop(support_policy(workload={"daily_cap": 1}))
    first, second = opened(loop), opened(loop, 2, "the lamp is broken")
    loop.ana.click(first, "refund")
    loop.ana.click(second, "refund")
    loop.told(loop.ana, "You've reached today's limit of 1 votes in Support tickets")
    loop.ana.click(first, "delivery")
    loop.told(loop.ana, "*delivery* (was refund)")


@pytest.mark.parametrize("by_form", [False, True])
def test_a_lead_decides_a_dispute_on_the_home_tab(loop: Loop, by_form: bool) -> None:
    card = opened(loop)
    for person, answer in ((loop.ana, "refund"), (loop.ben, "delivery"), (loop.eva, "billing error")):
        person.click(card, answer)
    loop.card("A lead decides because 3 votes didn't settle it.")
    home = loop.cleo.open_home()
    assert "A lead decides because 3 votes didn't settle it." in home.plain
    assert "You're not a reviewer" not in home.plain
    loop.cleo.click_home("See votes and reasons")
    form = loop.box.wait_for(lambda: loop.cleo.view)
    assert form is not None
    assert "• billing error" in form.plain
    if by_form:
        assert loop.cleo.submit({"label": "refund", "note": "rule 4"}).ok
    else:
        loop.cleo.close_view()
        loop.cleo.click_home("refund")
    loop.card("decided by <@U_CLEO>")
    told = f"Item 1: *refund*.{' Your note is saved.' if by_form else ''} You decided it."
    loop.box.wait_for(
        lambda: loop.cleo.home and told in loop.cleo.home.plain and
        "Nothing. Disputed items and candidates appear here." in loop.cleo.home.plain
    )  # fmt: skip


def test_a_click_on_a_home_tab_that_is_out_of_date_is_answered(loop: Loop) -> None:
    card = opened(loop)
    for person, answer in ((loop.ana, "refund"), (loop.ben, "delivery"), (loop.eva, "billing error")):
        person.click(card, answer)
    disputed = loop.card("A lead decides because 3 votes didn't settle it.")
    loop.cleo.open_home()
    loop.cleo.click(disputed, "delivery")
    loop.card("decided by <@U_CLEO>")
    loop.cleo.click_home("refund")
    told = loop.box.wait_for(lambda: loop.cleo.view)
    assert told is not None
    assert "Item 1 is already decided: delivery, by you." in told.plain


def test_flag_for_review_says_that_the_text_is_stored_and_opens_an_item(loop: Loop) -> None:
    message = loop.dan.post(REVIEW, "please look at <this> & that")
    assert loop.dan.shortcut(message, "flag_for_review").ok
    view = loop.box.wait_for(lambda: loop.dan.view)
    assert view is not None
    assert "will be stored" in view.plain
    loop.dan.submit({})
    done = loop.box.wait_for(lambda: loop.dan.view if loop.dan.view and "item 1" in loop.dan.view.plain else None)
    assert done is not None
    card = loop.card("Flagged by <@U_DAN>.")
    assert "please look at <this> & that" in card.plain
    assert "No model has seen this." in card.plain
    loop.ana.click(card, "refund")
    loop.ben.click(card, "refund")
    direct = loop.services.slack.conversations_open(users=DAN).get("channel", {"id": ""})["id"]
    told = loop.card("for review (item 1). The reviewers decided: refund.", person=loop.dan, channel=direct)
    assert f"You flagged a message from <!date^{message.ts[:10]}^" in told.plain
    assert f"in <#{REVIEW}> for review" in told.plain


BUDGETS = ("", " support lots", " support 60 a day")


def test_commands_answer_in_words(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    opened(loop)

    def said(words: str) -> str:
        answer = loop.ana.command(words, channel=REVIEW)
        assert answer.ok
        return str(answer.response)

    assert "To vote, use the cards" in said("/goldloop")
    assert "is not a command" in said("/goldloop *dance*")
    assert "1, plus 0 with a lead" in said("/goldloop stats")
    assert "There is no queue" in said("/goldloop stats nonsense")
    assert "1 open for me" in said("/goldloop mine")
    assert "Only leads of Support tickets can see the budget" in said("/goldloop budget 60 a day")
    assert "Only leads of Support tickets can retrain" in said("/goldloop retrain")
    assert "Only leads of Support tickets can roll back" in said("/goldloop rollback")
    assert "not a valid argument" not in caplog.text, "Bolt misses an argument of what answers refusals"
    of_lead = [str(loop.cleo.command(f"/goldloop budget{words}", channel=LEADS).response) for words in BUDGETS]
    assert ["This queue has no budget" in of_lead[0], "A budget is a number of items" in of_lead[1]] == [True, True]
    assert "There are no predictions from the last four weeks" in of_lead[2]
    promises = [str(loop.cleo.command(f"/goldloop promise{words}", channel=LEADS).response) for words in ("", " yes")]
    assert ["This queue makes no promise" in promises[0], "such as `yes 85`" in promises[1]] == [True, True]
    assert "Searching the settled answers" in str(loop.cleo.command("/goldloop slices", channel=LEADS).response)
    loop.box.wait_for(lambda: [one for one in loop.cleo.messages(LEADS) if "No weak slices: among" in one.plain])
    assert "No label was settled" in str(loop.cleo.command("/goldloop labels", channel=LEADS).response)
    stranger = loop.dan.command("/goldloop stats", channel=LEADS)
    assert "Only reviewers and leads of this queue" in str(stranger.response)


def test_a_control_of_an_older_version_is_answered_in_words(loop: Loop) -> None:
    loop.services.slack.chat_postMessage(
        channel=REVIEW,
        text="old",
        blocks=[
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Old"},
                        "action_id": "gone",
                        "value": "x",
                    },
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Odd"},
                        "action_id": "vote:1",
                        "value": "?",
                    },
                ],
            }
        ],
    )
    old = loop.card("Old")
    for button in ("Old", "Odd"):
        assert loop.ana.click(old, button).ok
    loop.told(loop.ana, "This control is out of date")
