"""Every payload becomes a value or raises Invalid."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.slack.blocks import escape
from bot.slack.controls import NONE_VALUE
from bot.slack.inbound import payloads
from bot.slack.inbound.payload_schema import Payload, parse
from bot.slack.inbound.payloads import STALE, FlagRequest, FlagSubmission, Overruling, PeopleChange, Reaction, Vote
from bot.slack.views import forms
from core.delivery.card_refs import CardRef
from core.errors import Invalid
from core.policy import LabelPolicy
from core.review.cards import FormCard
from core.review.votes import NewAnswer
from core.vocabulary import AnswerKind, ErrorReason
from tests.people import ANA, DAN, LEADS, REVIEW

T = TypeVar("T")


def read(reader: Callable[[Payload], T], body: Any) -> T:
    """As a listener gets it; what never comes so far is refused in the words for what is out of date."""
    parsed = parse(body)
    if parsed is None:
        raise Invalid(STALE)
    return reader(parsed)


def clicked(value: str, **more: Any) -> dict[str, Any]:
    action = {"action_id": "vote:0", "value": value, "action_ts": "1764000000.123456"} | more
    return {
        "type": "block_actions",
        "user": {"id": ANA},
        "actions": [action],
        "trigger_id": "t",
        "response_url": "https://r",
    }


def submitted(metadata: str = "7", **values: Any) -> dict[str, Any]:
    """values: block id -> what was typed, or a list with the value that was chosen."""

    def state(value: Any) -> dict[str, Any]:
        return {"selected_option": {"value": value[0]}} if isinstance(value, list) else {"value": value}

    blocks = {block: {block: state(value)} for block, value in values.items()}
    return {"user": {"id": ANA}, "view": {"type": "modal", "private_metadata": metadata, "state": {"values": blocks}}}


AT = 1_764_000_000_123_456


@pytest.mark.parametrize(
    ("value", "kind", "label"),
    [
        ("7|label|refund", AnswerKind.LABEL, "refund"),
        ("7|label|a|b", AnswerKind.LABEL, "a|b"),
        ("7|label|", AnswerKind.LABEL, ""),
        ("7|none", AnswerKind.NONE_OF_THESE, None),
        ("7|cannot", AnswerKind.CANNOT_JUDGE, None),
        ("7|skip", AnswerKind.SKIP, None),
        ("7|skip|refund", AnswerKind.SKIP, None),
    ],
)
def test_a_button_is_a_vote(value: str, kind: AnswerKind, label: str | None) -> None:
    assert read(payloads.vote_click, clicked(value)) == Vote(ANA, CardRef(7), NewAnswer(kind, AT, label))


def test_a_control_names_its_row_by_number_and_by_when_it_came_to_be() -> None:
    born = CardRef.of(7, datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC))
    assert str(born) == "7.1795510800123456"
    said = NewAnswer(AnswerKind.NONE_OF_THESE, AT)
    assert read(payloads.vote_click, clicked(f"{born}|none")) == Vote(ANA, born, said)
    assert read(payloads.click, clicked(str(born))).subject == born
    assert read(payloads.form_submission, submitted(f"{born}|{AT}", label=[NONE_VALUE])).item == born
    assert read(payloads.overrule_submission, submitted(str(born), reason="why")).model == born


@pytest.mark.parametrize(
    "body",
    [
        clicked("7"),
        clicked("7.x|none"),
        clicked("7.1.2|none"),
        clicked(".1|none"),
        clicked("7|"),
        clicked("7|approve"),
        clicked("|label|refund"),
        clicked("-7|none"),
        clicked("٧|none"),
        clicked("9" * 19 + "|none"),
        clicked("7|none", action_ts="yesterday"),
        clicked("7|none", action_ts=None),
        clicked("7|none") | {"user": None},
        clicked("7|none") | {"user": {"id": ""}},
        clicked("7|none") | {"actions": []},
        clicked("7|none") | {"actions": ["x"]},
        {},
    ],
)
def test_a_control_that_is_not_ours_is_out_of_date(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        read(payloads.vote_click, body)
    assert str(refusal.value) == STALE


def test_a_form_is_a_vote_with_reason_and_note() -> None:
    body = submitted(f"7|{AT}", label=["refund"], reason=["ambiguous"], note="  both fit ")
    said = NewAnswer(AnswerKind.LABEL, AT, "refund", ErrorReason.AMBIGUOUS, "both fit", in_form=True)
    assert read(payloads.form_submission, body) == Vote(ANA, CardRef(7), said)
    none = read(payloads.form_submission, submitted(f"7|{AT}", label=[NONE_VALUE], note=None))
    assert none.answer == NewAnswer(AnswerKind.NONE_OF_THESE, AT, in_form=True)


def test_a_form_of_a_former_release_does_not_know_when_it_was_opened() -> None:
    assert read(payloads.form_submission, submitted("7", label=["refund"])).answer.clicked_at == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (submitted(note="x"), "label"),
        ({"user": {"id": ANA}}, "label"),
        (submitted(label=["refund"], reason=["boredom"]), "reason"),
    ],
)
def test_a_form_that_lacks_something_names_the_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(payloads.form_submission, body)
    assert refusal.value.field == field


def test_what_a_form_offers_comes_back_as_what_was_meant() -> None:
    labels = (LabelPolicy(name="a|none"), LabelPolicy(name="b"))
    card = FormCard(CardRef(7), "text", None, None, labels, None, None, True, None, "", "")
    [choice] = [block for block in forms.answer_form(card, AT).body["blocks"] if block.get("block_id") == "label"]
    values = [one["value"] for one in choice["element"]["options"]]
    kinds = [read(payloads.form_submission, submitted(label=[value])).answer for value in values]
    assert [(said.kind, said.label) for said in kinds] == [
        (AnswerKind.LABEL, "a|none"),
        (AnswerKind.LABEL, "b"),
        (AnswerKind.NONE_OF_THESE, None),
        (AnswerKind.CANNOT_JUDGE, None),
    ]


def test_a_form_takes_a_reason_why_one_cannot_judge_and_asks_for_no_label() -> None:
    sent = submitted(label=["|cannot"], reason=["missing_context"], note="the invoice is not attached")
    said = read(payloads.form_submission, sent).answer
    assert (said.kind, said.label, said.reason) == (AnswerKind.CANNOT_JUDGE, None, ErrorReason.MISSING_CONTEXT)
    assert said.note == "the invoice is not attached"


def test_overruling_and_flagging_are_read_from_their_forms() -> None:
    said = Overruling(ANA, CardRef(3), 5, "it is right")
    assert read(payloads.overrule_submission, submitted("3|5", reason=" it is right ")) == said
    assert read(payloads.overrule_submission, submitted("3", reason="why")).seen == 0, "of a former release"
    flagged = read(payloads.flag_submission, submitted("C1|17.5", queue=["support"], text=" hello "))
    assert flagged == FlagSubmission(ANA, "support", "hello", "C1|17.5")
    for lacking, field in (({"text": "x"}, "queue"), ({"queue": ["support"], "text": " "}, "text")):
        with pytest.raises(Invalid) as refusal:
            read(payloads.flag_submission, submitted("C1|17.5", **lacking))
        assert refusal.value.field == field


@pytest.mark.parametrize(
    ("emoji", "approves", "rejects"),
    [
        ("white_check_mark", True, False),
        ("heavy_check_mark::skin-tone-3", True, False),
        ("ballot_box_with_check", True, False),
        ("x", False, True),
        ("negative_squared_cross_mark", False, True),
        ("tada", False, False),
        ("white_check_mark_2", False, False),
        ("", False, False),
    ],
)
def test_a_reaction_approves_rejects_or_is_none_of_our_business(emoji: str, approves: bool, rejects: bool) -> None:
    item = {"type": "message", "channel": LEADS, "ts": "17.5"}
    event = {"type": "reaction_added", "user": DAN, "item": item, "reaction": emoji, "event_ts": "1764000000.5"}
    reaction = read(payloads.reaction, {"type": "event_callback", "event": event})
    assert reaction == Reaction(DAN, LEADS, "17.5", emoji.split("::")[0], 1_764_000_000_500_000)
    assert (reaction.approves, reaction.rejects) == (approves, rejects)


def test_a_shortcut_brings_the_text_as_it_was_typed() -> None:
    message = {"text": " a &lt;b&gt; &amp;amp; c ", "ts": "17.5"}
    body = {"user": {"id": DAN}, "message": message, "channel": {"id": REVIEW, "name": "review"}, "trigger_id": "t"}
    assert read(payloads.flag_request, body) == FlagRequest(DAN, REVIEW, "17.5", "a <b> &amp; c", "t")
    with pytest.raises(Invalid, match="no text to review"):
        read(payloads.flag_request, body | {"message": {"text": " "}})


def test_a_command_is_its_words() -> None:
    body = {"user_id": ANA, "channel_id": REVIEW, "text": "  rollback  support "}
    assert read(payloads.command, body).words == ("rollback", "support")
    assert read(payloads.command, {}).words == ()


@pytest.mark.parametrize(
    ("timestamp", "microseconds"),
    [
        ("1764000000.123456", AT),
        ("1764000000.1", 1_764_000_000_100_000),
        ("1764000000", 1_764_000_000_000_000),
        ("0.000001", 1),
    ],
)
def test_a_timestamp_is_exact(timestamp: str, microseconds: int) -> None:
    assert payloads.microseconds(timestamp) == microseconds


@pytest.mark.parametrize("timestamp", ["", "now", "nan", "inf", "1e999999", "-1", "1.1234567", "1" * 13, "１"])
def test_what_is_no_timestamp_is_refused(timestamp: str) -> None:
    with pytest.raises(Invalid):
        payloads.microseconds(timestamp)


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ({"type": "user_change", "user": {"id": ANA}}, PeopleChange(person=ANA)),
        ({"type": "member_joined_channel", "user": ANA, "channel": REVIEW}, PeopleChange(channel=REVIEW)),
        ({"type": "subteam_updated", "subteam": {"id": "S1"}}, PeopleChange(group="S1")),
        ({"type": "subteam_members_changed", "subteam_id": "S1"}, PeopleChange(group="S1")),
        ({"type": "user_change"}, PeopleChange()),
    ],
)
def test_news_about_people_are_a_person_a_group_or_a_channel(event: dict[str, Any], change: PeopleChange) -> None:
    assert read(payloads.people_change, {"type": "event_callback", "event": event}) == change


@pytest.mark.parametrize(
    ("event", "person"),
    [({"user": ANA}, ANA), ({"user": ANA, "tab": "home"}, ANA), ({"user": ANA, "tab": "messages"}, None)],
)
def test_only_the_home_tab_is_drawn(event: dict[str, Any], person: str | None) -> None:
    body = {"type": "event_callback", "event": {"type": "app_home_opened"} | event}
    assert read(payloads.home_opened, body) == person


@pytest.mark.parametrize(
    ("body", "team"),
    [
        ({"user": {"id": ANA, "team_id": "T2"}, "team": {"id": "T1"}}, "T2"),
        ({"user": {"id": ANA}, "team": {"id": "T1"}, "team_id": "T3"}, "T1"),
        ({"team": "T1", "team_id": "T3"}, "T3"),
        ({"command": "/goldloop"}, None),
        ({"type": "event_callback", "event": {"type": "reaction_added"}, "team_id": "T2"}, "T2"),
    ],
)
def test_the_workspace_is_that_of_the_person_who_acts(body: dict[str, Any], team: str | None) -> None:
    assert read(payloads.team, body) == team


@pytest.mark.parametrize("text", ["a\x00", "\ud800", "x" * 100_001, 7])
def test_a_text_that_cannot_be_stored_is_refused_with_the_whole_payload(text: Any) -> None:
    assert parse({"message": {"text": text}, "user": {"id": ANA}}) is None
    assert parse(submitted(note=text)) is None


def test_what_was_parsed_does_not_change() -> None:
    parsed = parse(clicked("7|none"))
    assert parsed is not None
    with pytest.raises(ValidationError, match="frozen"):
        parsed.value = "8|none"  # type: ignore[misc]


KEYS = (
    "type", "user", "id", "user_id", "actions", "value", "action_ts", "trigger_id", "response_url", "view", "state",
    "private_metadata", "values", "label", "reason", "note", "queue", "text", "selected_option", "item", "channel",
    "ts", "event_ts", "reaction", "message", "name", "channel_id",
)  # fmt: skip
words = st.text(max_size=8) | st.sampled_from(["7", "7|none", "7|label|refund", "17.5", "refund", "ambiguous", ANA])
garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
bodies = st.dictionaries(st.sampled_from(KEYS), garbage, max_size=8)
READERS: list[Callable[[Payload], object]] = [
    payloads.click,
    payloads.vote_click,
    payloads.form_submission,
    payloads.overrule_submission,
    payloads.flag_submission,
    payloads.reaction,
    payloads.command,
    payloads.flag_request,
    payloads.suggestion,
    payloads.person,
    payloads.team,
    payloads.home_opened,
    payloads.people_change,
]


INPUTS: list[Any] = [None, {}, {"value": "x"}, {"selected_option": {"value": "refund"}}]
well_shaped = st.builds(
    lambda kind, word, more, said, at: clicked(word, action_ts=at)
    | {
        "type": kind, "view": {"type": "modal", "private_metadata": more, "state": {"values": said}}, "text": word,
        "message": {"text": more}, "channel": {"id": word}, "team": {"id": more},
        "event": {"type": kind, "user": word, "item": {"channel": word, "ts": more}, "reaction": more, "event_ts": at},
    },
    st.sampled_from(["block_actions", "view_submission", "event_callback", "user_change", "subteam_updated"]),
    words.filter(lambda text: "\x00" not in text),
    words.filter(lambda text: "\x00" not in text),
    st.dictionaries(
        st.sampled_from(["label", "reason", "note", "queue", "text"]),
        st.dictionaries(st.just("element"), st.sampled_from(INPUTS)),
    ),
    st.sampled_from(["1764000000.123456", "", "soon"]),
)  # fmt: skip


@pytest.mark.slow
@given(bodies)
def test_garbage_is_read_or_refused_and_nothing_else_happens(body: dict[str, Any]) -> None:
    for reader in READERS:
        try:
            read(reader, body)
        except Invalid:
            continue


@pytest.mark.slow
@given(well_shaped)
def test_strange_words_in_the_right_shape_are_read_or_refused_too(body: dict[str, Any]) -> None:
    assert parse(body) is not None
    test_garbage_is_read_or_refused_and_nothing_else_happens.hypothesis.inner_test(body)


@given(st.text())
def test_escaping_is_what_slack_undoes(text: str) -> None:
    assert payloads.unescape(escape(text)) == text
