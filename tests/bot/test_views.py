"""Every card in each of its states: Slack accepts it, it fits, its text contains what it shows, and it reveals nothing
hidden."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.errors import SlackError
from bot.sandbox.limits import check_view, validate
from bot.slack.blocks import Message, View
from bot.slack.views import candidate, forms, home, receipts, review_item, run, scan, stats
from bot.slack.views.mrkdwn import moment
from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place
from core.discovery.cards import ScanCard
from core.discovery.finds import FindCounts
from core.discovery.results import Cluster
from core.discovery.scans import Counts
from core.errors import NotAllowed
from core.learning.data.erased_rows import RowSource
from core.learning.data.inputs import Input
from core.learning.data.synthetic import WrittenRows
from core.learning.evaluation.canary import Paired
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import PinScore, Scorecard
from core.learning.evaluation.stored_texts import TextScore
from core.learning.lifecycle.canary import CanaryLine, StillAnswering
from core.learning.lifecycle.cards import CandidateCard, DecisionLine, RunCard
from core.learning.lifecycle.effort import Effort
from core.learning.lifecycle.open_items import OpenItems
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate
from core.learning.lifecycle.shadow import ShadowLine, report_of
from core.pictures.files import PictureFile
from core.policy import LabelPolicy
from core.review.budget_reading import BudgetReading
from core.review.cards import FlagLine, FormCard, GivenReason, Guess, ItemCard, Outcome
from core.review.history import (
    Answered,
    AskedAgain,
    Drawn,
    Erased,
    Escalated,
    Flagged,
    HistoryLine,
    Opened,
    PredictionMade,
    Settled,
    Step,
)
from core.review.my_work import MyAnswer, MyQueue, MyWorkCard, Waiting
from core.review.promise_reading import PromiseReading
from core.review.stats import StatsCard
from core.review.votes import Receipt
from core.vocabulary import (
    OPERATOR,
    AnswerKind,
    CanaryState,
    Coded,
    DecisionKind,
    Destination,
    DisputeReason,
    ErrorReason,
    GateBlock,
    GateWarning,
    ItemState,
    ModelState,
    Origin,
    PromiseStatus,
    QuestionAbout,
    Reason,
    RunProblem,
    RunState,
    RunStep,
    ScanState,
    Source,
    Stratum,
    Trigger,
    WeightChoice,
)
from tests.bot.hostile import HOSTILE, LIVE
from tests.people import ANA, BEN, CLEO, LABELS, support_policy

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
OURS = {f"<@{person}>" for person in (ANA, BEN, CLEO)} | {moment(AT)}
LINK = re.compile(r"<(https?://[!-~]{1,900}?)(?:\|\1|\|(?:T-|[Ii]tem )\d+)?>")  # that shows where it leads, or is ours
WORKSPACE = "https://acme.slack.com/"
MOST = 13_000  # characters of JSON, above which Slack was seen to refuse a message


def marked(body: Any) -> Iterator[str]:
    """Every text in which Slack looks for marks."""
    if isinstance(body, dict):
        if body.get("type") == "mrkdwn":
            yield body["text"]
        for part in body.values():
            yield from marked(part)
    elif isinstance(body, list):
        for part in body:
            yield from marked(part)


def live(text: str) -> list[str]:
    for mark in OURS:
        text = text.replace(mark, "")
    return LIVE.findall(LINK.sub("", text))


def check(drawn: Message | View) -> str:
    """Slack takes it, it fits, and nothing of a stranger's is live in it. Returns what it says."""
    if isinstance(drawn, View):
        try:
            check_view(drawn.body, drawn.body["type"], {})
        except SlackError as error:
            pytest.fail(str(error))
        assert [mark for text in marked(drawn.body) for mark in live(text)] == []
        return said(drawn.body)
    assert validate(drawn.blocks, "message") == []
    assert len(json.dumps(drawn.blocks)) < MOST
    assert 0 < len(drawn.text) <= 3500
    assert [mark for text in [drawn.text, *marked(drawn.blocks)] for mark in live(text)] == []
    return said(drawn.blocks)


def said(body: Any) -> str:
    """As one reads it: without the zero-width spaces that break marks."""
    return json.dumps(body, ensure_ascii=False).replace("\u200b", "")


def item(**more: Any) -> ItemCard:
    card = ItemCard(
        subject=CardRef(7),
        queue_title="Support tickets",
        external_id="T-7",
        link=None,
        asked_again=False,
        written_for=None,
        state=ItemState.OPEN,
        dispute=None,
        blind=False,
        text="charged twice",
        image_url=None,
        pictures=(),
        fields={"Customer": "gold"},
        predicted_label="billing error",
        confidence=0.5,
        since=None,
        sure=False,
        why_flagged=(FlagLine(Coded(Reason.UNCERTAIN, {"confidence": 0.5, "threshold": 0.8})),),
        labels=("billing error", "refund", "delivery"),
        most_buttons=12,
        outcome=None,
        leads=(CLEO,),
    )
    return replace(card, **more)


PICTURE = PictureFile(3, "picture-3.png", "F_3", ready=True, begun=True)
STORED = f"picture:{'a' * 64}"


class TestACardWithAPicture:
    def drawn(self, **more: Any) -> Any:
        return review_item.render(item(text="", image_url=STORED, pictures=(PICTURE,), **more))

    def test_it_shows_the_file_with_words_that_betray_nothing(self) -> None:
        drawn = self.drawn(blind=True, predicted_label=None, confidence=None)
        assert validate(drawn.blocks, "message") == []
        [image] = [block for block in drawn.blocks if block["type"] == "image"]
        assert (image["slack_file"], image["alt_text"]) == ({"id": "F_3"}, "Support tickets, item 7")
        assert "For labelling, not for diagnosis." in said(drawn.blocks)

    def test_with_two_labels_the_finding_is_confirmed_or_rejected(self) -> None:
        labels = ("pneumonia", "normal")
        words = said(self.drawn(labels=labels, predicted_label="pneumonia").blocks)
        assert "Confirm pneumonia" in words
        assert "Reject, it is normal" in words
        for more in ({"labels": labels, "predicted_label": None, "blind": True}, {"predicted_label": "refund"}):
            words = said(self.drawn(**more).blocks)
            assert "Confirm" not in words
            assert "Reject" not in words

    def test_a_picture_without_a_file_is_left_out_and_never_drawn_by_its_address(self) -> None:
        for pictures in ((), (replace(PICTURE, file_id=None),)):
            words = said(review_item.render(item(text="", image_url=STORED, pictures=pictures)).blocks)
            assert STORED not in words
            assert "slack_file" not in words


def outcome(text: str = "both fit", **more: Any) -> Outcome:
    found = Outcome(
        label="refund",
        tally={"refund": 2, "None of these": 1},
        lead=None,
        reasons=(
            GivenReason("refund", ErrorReason.AMBIGUOUS, text, None),
            GivenReason("None of these", None, text, ANA),
        ),
        model_was_right=False,
        names={},
    )
    return replace(found, **more)


BLIND = {"blind": True, "predicted_label": None, "confidence": None, "why_flagged": ()}
DISPUTED = {"state": ItemState.DISPUTED, "dispute": Coded(DisputeReason.NO_AGREEMENT, {"count": 3})}
SETTLED = {"state": ItemState.SETTLED}
STATES: dict[str, Callable[[str], ItemCard]] = {
    "open": lambda text: item(text=text, fields={text[:80]: text[:500]}),
    "blind": lambda text: item(text=text, **BLIND),
    "asked again": lambda text: item(text=text, asked_again=True, **BLIND),
    "written": lambda text: item(text=text, written_for=text[:60], predicted_label=None, confidence=None),
    "written, closed": lambda text: item(text=text, written_for="refund", state=ItemState.CLOSED),
    "many fields": lambda text: item(text=text, fields={f"{n} {text[:70]}": text[:500] for n in range(20)}),
    "an image": lambda text: item(text="", image_url="https://files.example/A.png"),
    "no guess": lambda text: item(
        text=text, predicted_label=None, confidence=None, why_flagged=(FlagLine(Coded(Reason.PERSON), ANA),)
    ),
    "with a new suggestion": lambda text: item(text=text, since=Guess("refund", 0.9, {}, "v4")),
    "closed": lambda text: item(text=text, state=ItemState.CLOSED),
    "disputed": lambda text: item(text=text, **DISPUTED),
    "disputed, blind": lambda text: item(text=text, **DISPUTED, **BLIND),
    "settled": lambda text: item(text=text, **SETTLED, outcome=outcome(text[:1000])),
    "settled by a lead": lambda text: item(text=text, **SETTLED, outcome=outcome(text[:1000], lead=CLEO)),
    "settled with names": lambda text: item(text=text, **SETTLED, outcome=outcome(names={"refund": (ANA, BEN)})),
    "settled as none of these": lambda text: item(text=text, **SETTLED, outcome=outcome(label=None, tally={})),
    "settled, many whys": lambda text: item(
        text=text,
        **SETTLED,
        outcome=outcome(reasons=(GivenReason("refund", ErrorReason.OTHER, text[:1000], ANA),) * 15),
    ),
    "confirmed": lambda text: item(text=text, **SETTLED, outcome=outcome(model_was_right=True)),
}


@pytest.mark.parametrize("state", STATES)
def test_slack_takes_a_card_in_each_state_with_any_text(state: str) -> None:
    for text in HOSTILE:
        check(review_item.render(STATES[state](text)))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("count", [2, 4, 5, 12, 13, 20, 21, 100, 1000])
def test_slack_takes_a_card_with_any_number_of_labels(state: str, count: int) -> None:
    names = tuple(f"label {number:04} {'<!channel> *' * 4}"[:60] for number in range(count))
    check(review_item.render(replace(STATES[state]("text"), labels=names, most_buttons=20)))


@pytest.mark.parametrize("letter", ["x", "é", "中", "😀", "&", "*", '"'])
def test_slack_takes_a_card_with_the_longest_labels_there_are(letter: str) -> None:
    names = tuple(f"{number:04}{letter * 56}" for number in range(20))
    for blind in ({}, BLIND):
        check(review_item.render(item(labels=names, most_buttons=20, text=letter * 5000, **blind)))
        check(review_item.render(item(labels=names[:12], most_buttons=20, predicted_label=names[0], **DISPUTED)))
    tally = dict.fromkeys(names, 1)
    settled = outcome(label=names[0], tally=tally, names=dict.fromkeys(names, (ANA,)))
    check(review_item.render(item(**SETTLED, predicted_label=names[1], outcome=settled)))


def test_a_card_says_what_the_new_model_and_the_former_one_say() -> None:
    drawn = review_item.render(item(since=Guess("refund", 0.9, {}, "v4")))
    words = "The new model v4 says *refund* (90%). The previous one said *billing error* (50%)."
    assert words in check(drawn)
    assert words.replace("*", "") in drawn.text
    alone = item(since=Guess("refund", 0.9, {}, "v4"), predicted_label=None, confidence=None)
    assert "The new model v4 says *refund* (90%)." in check(review_item.render(alone))


def test_a_blind_card_says_nothing_of_the_model() -> None:
    said = check(review_item.render(item(**BLIND)))
    assert "Blind" in said
    assert "model says" not in said
    assert "primary" not in said
    assert "%" not in said


def test_a_card_about_a_stored_label_says_that_it_is_a_second_look_and_not_at_what() -> None:
    said = check(review_item.render(item(asked_again=True, **BLIND)))
    assert "Second look" in said
    assert "model" not in said


def test_a_card_about_a_written_text_asks_about_its_label_and_names_no_sender() -> None:
    written = {"written_for": "refund", "predicted_label": None, "confidence": None, "why_flagged": ()}
    said = check(review_item.render(item(external_id="synthetic text 5", **written)))
    assert "*Written by a language model: is refund right?*" in said
    assert "synthetic text 5" not in said
    assert "No model has seen this" not in said
    assert "ID" not in said
    settled = check(review_item.render(item(**SETTLED, outcome=outcome(), **written)))
    assert "A language model wrote this for refund." in settled
    over = check(review_item.render(item(state=ItemState.CLOSED, **written)))
    assert "was closed, because its batch of written texts is over" in over


def test_a_report_names_the_rows_that_a_language_model_wrote() -> None:
    assert "Trained with 84 synthetic rows of batches 2, 5, 7." in check(candidate.render(report()))
    one = check(candidate.render(report(written=WrittenRows(1, (2,)))))
    assert "Trained with 1 synthetic row of batch 2." in one
    assert "synthetic" not in check(candidate.render(report(written=WrittenRows(0, ()))))


def test_an_open_card_offers_the_guess_first_and_every_way_to_answer() -> None:
    drawn = review_item.render(item())
    buttons = [button for block in drawn.blocks if block["type"] == "actions" for button in block["elements"]]
    assert [button["text"]["text"] for button in buttons] == [
        "billing error", "refund", "delivery", "None of these", "Why?", "Cannot judge", "Skip",
    ]  # fmt: skip
    assert buttons[0]["value"] == "7|label|billing error"
    assert '"Votes stay hidden until decided."' in check(drawn)
    assert "The model says billing error (50%)" in drawn.text
    assert "charged twice" in drawn.text


def test_only_a_suggestion_that_reaches_the_confidence_is_coloured() -> None:
    def coloured(card: ItemCard) -> list[str]:
        drawn = [part for block in review_item.render(card).blocks for part in block.get("elements", [])]
        return [part["text"]["text"] for part in drawn if part.get("style") == "primary"]

    assert coloured(item()) == []
    assert coloured(item(sure=True)) == ["billing error"]
    assert coloured(item(sure=True, since=Guess("refund", 0.9, {}, "v4"))) == ["refund"]


@pytest.mark.parametrize("more", [{}, BLIND], ids=["guided", "blind"])
def test_twelve_labels_are_twelve_buttons(more: dict[str, Any]) -> None:
    names = tuple(f"label {number}" for number in range(12))
    said = check(review_item.render(item(labels=names, **more)))
    assert all(f'"{name}"' in said for name in names)
    assert "Other…" not in said
    assert "Choose a label…" not in said


def test_a_disputed_card_asks_the_leads_and_offers_no_skip() -> None:
    said = check(review_item.render(item(**DISPUTED)))
    assert said.index("See votes and reasons") < said.index("Label item 7 as refund"), "before deciding"
    assert f"*A lead decides because 3 votes didn't settle it.* <@{CLEO}>, which label is right?" in said
    assert "Skip" not in said
    assert "None of these" in said
    assert "See votes and reasons" in said


def test_a_settled_card_has_verdict_tally_and_whys_and_no_live_vote() -> None:
    drawn = review_item.render(item(**SETTLED, outcome=outcome()))
    said = check(drawn)
    assert "*refund* (2 of 3 votes; 1 × None of these). The model said billing error (50%)." in said
    assert "_ambiguous: several labels fit_ both fit" in said
    assert "vote:" not in said
    assert "How was this decided?" in said
    assert drawn.text.startswith("Item 7: refund (2 of 3 votes; ")
    assert "  " not in drawn.text


def test_a_settled_card_that_no_model_has_seen_says_nothing_of_a_model() -> None:
    unseen = review_item.render(item(**SETTLED, predicted_label=None, outcome=outcome(model_was_right=None)))
    assert '*refund* (2 of 3 votes; 1 × None of these)."' in check(unseen)
    assert unseen.text == "Item 7: refund (2 of 3 votes; 1 × None of these). “charged twice”"


def test_a_settled_card_without_a_fitting_label_says_so_in_words() -> None:
    drawn = review_item.render(item(**SETTLED, outcome=outcome(label=None, tally={"None of these": 2}, reasons=())))
    assert ":pencil2: *No label fits* (2 votes)." in check(drawn)
    assert drawn.text.startswith("Item 7: No label fits (2 votes).")


def test_a_card_says_which_input_it_is_about_and_leads_there() -> None:
    link = "https://desk.example/T-7"
    assert '"ID T-7"' in check(review_item.render(item()))
    assert f'"ID <{link}|T-7>"' in check(review_item.render(item(link=link)))
    assert f'"ID <{link}|T-7>"' in check(review_item.render(item(link=link, **SETTLED, outcome=outcome())))
    assert review_item.render(item(link=link)).text.endswith("“charged twice” ID T-7")
    flagged = review_item.render(item(external_id="slack:C_HELP:1764000000.000100"))
    assert {"A message in <#C_HELP>"} == {part["text"] for part in flagged.blocks[3]["elements"]}
    for hidden in (item(asked_again=True), item(state=ItemState.ERASED)):
        assert "T-7" not in check(review_item.render(hidden)) + review_item.render(hidden).text
    for text in HOSTILE:
        check(review_item.render(item(external_id=text[:200])))
        check(review_item.render(item(external_id=f"slack:C1|{text[:100]}:1.1")))


def test_links_in_fields_can_be_clicked() -> None:
    fields = {"Ticket": "see https://desk.example/t/7?a=1&b=2, please"}
    assert "see <https://desk.example/t/7?a=1&amp;b=2>, please" in check(review_item.render(item(fields=fields)))


def test_a_card_says_why_it_asks() -> None:
    flagged = (*item().why_flagged, FlagLine(Coded(Reason.PERSON), BEN), FlagLine(Coded("of_a_newer_release"), None))
    said = check(review_item.render(item(why_flagged=flagged)))
    for sentence in ("Asked because the model is below 80%.", f"Flagged by <@{BEN}>.", "Flagged for review."):
        assert f'"{sentence}"' in said


def test_a_disputed_card_of_a_newer_release_still_goes_to_the_lead() -> None:
    said = check(review_item.render(item(state=ItemState.DISPUTED, dispute=Coded("raters_disagree", {"kappa": 0.1}))))
    assert f"*A lead decides.* <@{CLEO}>, which label is right?" in said


def test_the_reader_sees_times_in_their_own_zone() -> None:
    said = check(forms.how_decided(7, [HistoryLine(AT, Opened(blind=False))]))
    assert f"{moment(AT)} – Shown to reviewers with the model's prediction." in said


def test_a_long_text_is_behind_a_button_and_shown_whole_there() -> None:
    text = "word " * 20_000
    assert "read_all" in check(review_item.render(item(text=text)))
    assert "read_all" not in check(review_item.render(item(text="short")))
    whole = forms.whole_text(7, text)
    check(whole)
    assert "".join(block["text"]["text"] for block in whole.body["blocks"]) == text


@pytest.mark.parametrize("letter", ["x", "é", "中", "😀"])
def test_the_longest_text_that_is_taken_can_be_read_in_every_script(letter: str) -> None:
    whole = forms.whole_text(7, letter * 100_000)
    said = check(whole)
    shown = sum(len(block["text"]["text"]) for block in whole.body["blocks"] if block["type"] == "section")
    assert shown >= 49_000
    assert (shown == 100_000) != ("Slack shows no more" in said)


def form(labels: int = 3, **more: Any) -> FormCard:
    offered = tuple(LabelPolicy(name=f"label {number}", description="d" * 300) for number in range(labels))
    return replace(
        FormCard(
            CardRef(7, 1764000000123456), "charged twice", None, None, offered, None, None, True, None, "", "Be fair."
        ),
        **more,
    )


@pytest.mark.parametrize("count", [2, 98, 99, 100, 101, 1000])
def test_slack_takes_the_form_with_any_number_of_labels(count: int) -> None:
    label = {"kind": AnswerKind.LABEL}
    unlabelled: list[dict[str, Any]] = [{"kind": kind} for kind in AnswerKind if kind is not AnswerKind.LABEL]
    for said in ({}, label | {"said": "label 1"}, label | {"said": "a label of the past"}, *unlabelled):
        for may_pass in (True, False):
            check(forms.answer_form(form(count, may_pass=may_pass, **said), 0))


def test_slack_takes_the_form_with_any_text() -> None:
    for text in HOSTILE:
        check(forms.answer_form(form(text=text, note=text, guideline=text, reason=ErrorReason.OTHER), 0))


def test_a_form_starts_with_the_persons_own_answer() -> None:
    said = check(forms.answer_form(form(said="label 1", reason=ErrorReason.NEW_CLASS, note="twice"), 0))
    assert answer_of(json.loads(said))["initial_option"]["value"] == "label 1"
    assert '"initial_value": "twice"' in said


@pytest.mark.parametrize("count", [3, 1000])
@pytest.mark.parametrize(
    ("kind", "words"),
    [(AnswerKind.NONE_OF_THESE, "None of these"), (AnswerKind.CANNOT_JUDGE, "Cannot judge"), (AnswerKind.SKIP, None)],
)
def test_a_form_starts_with_an_answer_that_has_no_label(count: int, kind: AnswerKind, words: str | None) -> None:
    element = answer_of(forms.answer_form(form(count, kind=kind), 0).body)
    assert element.get("initial_option", {}).get("text", {}).get("text") == words


def test_a_form_offers_to_say_that_one_cannot_judge_unless_it_is_for_a_lead_to_decide() -> None:
    offered = [option["text"]["text"] for option in answer_of(forms.answer_form(form(), 0).body)["options"]]
    assert offered[-2:] == ["None of these", "Cannot judge"]
    left = [option["text"]["text"] for option in answer_of(forms.answer_form(form(may_pass=False), 0).body)["options"]]
    assert left == offered[:-1]


def answer_of(form: dict[str, Any]) -> dict[str, Any]:
    """The element in which the answer is chosen."""
    [found] = [block["element"] for block in form["blocks"] if block.get("block_id") == "label"]
    return dict(found)


def test_the_form_of_a_dispute_shows_a_lead_what_the_reviewers_said() -> None:
    dispute: dict[str, Any] = {"dispute": Coded(DisputeReason.NO_AGREEMENT, {"count": 3})}
    for text in HOSTILE:
        given = (
            GivenReason("refund", ErrorReason.AMBIGUOUS, text[:1000], ANA),
            GivenReason("delivery", None, "", None),
        )
        check(forms.answer_form(form(answers=given * 15, **dispute), 0))
    given = (GivenReason("refund", ErrorReason.AMBIGUOUS, "both fit", ANA), GivenReason("can't judge", None, "", None))
    said = check(forms.answer_form(form(answers=given, **dispute), 0))
    assert "*A lead decides because 3 votes didn't settle it.*" in said
    assert f'"• <@{ANA}>: refund _ambiguous: several labels fit_ both fit"' in said
    assert "• can't judge" in said
    assert "No reviewer has voted." in check(forms.answer_form(form(answers=(), **dispute), 0))
    assert "Until then, only leads see the votes and reasons." in check(forms.answer_form(form(**dispute), 0))
    assert "lead" not in check(forms.answer_form(form(), 0))


def test_labels_are_found_by_name_first_and_none_of_these_too() -> None:
    labels = [LabelPolicy(name="delivery", description="a late refund"), LabelPolicy(name="refund")]
    found = [option["value"] for option in forms.matching_labels(labels, " REF ")]
    assert found == ["refund", "delivery"]
    assert [option["text"]["text"] for option in forms.matching_labels(labels, "none")] == ["None of these"]
    assert [option["text"]["text"] for option in forms.matching_labels(labels, "judge")] == ["Cannot judge"]
    many = [LabelPolicy(name=f"label {number}") for number in range(1000)]
    assert len(forms.matching_labels(many, "")) == 100
    assert forms.matching_labels(many, "zzz") == []


def history(text: str) -> list[HistoryLine]:
    """A step of every kind."""
    label, reason = text[:60] or "refund", ErrorReason.OTHER
    steps: list[Step] = [
        PredictionMade(text[:200], label, 0.5),
        Drawn(0.05, True, 0.1, False, True),
        Flagged(Coded(Reason.PERSON), ANA, "b" * 16),
        AskedAgain(QuestionAbout.GOLDEN, text[:200], CLEO),
        Opened(blind=True),
        Answered(BEN, AnswerKind.LABEL, label, reason, text[:1000], 1, replaced=True),
        Escalated(Coded(DisputeReason.NO_AGREEMENT, {"count": 3}), {label: 2}, {label: (ANA, BEN)}),
        Escalated(Coded(text), {label: 2}, {}),
        Settled(
            label, {label: 2, text[:59]: 1}, True, CLEO, QuestionAbout.PREDICTION, False, Destination.TRAINING, "b" * 16
        ),
        Settled(label, {}, True, None, QuestionAbout.GOLDEN, None, Destination.GOLDEN, "b" * 16, reason, text[:1000]),
        Settled(label, {label: 2, text[:59]: 1}, False, None, QuestionAbout.GOLDEN, None, Destination.GOLDEN, "b" * 16),
        Erased(was_settled=True),
    ]
    return [HistoryLine(AT, step) for step in steps]


def findings(text: str) -> tuple[Coded, ...]:
    """Those of the gate that quote a stranger, and one of a newer release."""
    label = text[:60]
    right = {"baseline": "live", "label": label, "n": 20, "live": 9, "candidate": 1}
    return (
        Coded(GateBlock.LABEL_WORSE, right | {"p_value": 0.01}),
        Coded(GateBlock.ROWS_GONE, right),
        Coded(GateBlock.SILENT_LABEL, right | {"texts": 3000, "p_value": 0.001}),
        Coded(GateBlock.LABELS_EXCHANGED, {"labels": [label] * 2, "texts": 30, "live": [9, 9], "exchanged": [8, 7]}),
        Coded(GateBlock.LABELS_SWAPPED, {"labels": [label, label]}),
        Coded(GateBlock.LABEL_LOST, right),
        Coded(GateWarning.LIVE_UNUSABLE, {"sentence": text}),
        Coded(text),
    )


def test_slack_takes_the_other_forms_with_any_text() -> None:
    queues = support_policy().queues * 120
    for text in HOSTILE:
        check(forms.how_decided(7, history(text) * 20))
        check(forms.flag_form(queues, text, "C1|17.5"))
        check(forms.sentence(text, text))
        check(forms.refused(text, NotAllowed(text, ask=[CLEO])))
        check(forms.overrule_form(report(text, blocks=findings(text) * 3)))


def test_the_reason_is_asked_for_however_many_problems_the_gate_has() -> None:
    said = check(forms.overrule_form(report(blocks=findings("label") * 100)))
    assert "Why should it go live anyway?" in said


@pytest.mark.parametrize("kind", list(AnswerKind))
def test_a_receipt_says_what_was_recorded_and_offers_undo_while_there_is_one(kind: AnswerKind) -> None:
    label = "refund" if kind is AnswerKind.LABEL else None
    open_ = check(receipts.render(Receipt(CardRef(7), kind, label, before="delivery")))
    settled = check(receipts.render(Receipt(CardRef(7), kind, label, settled=True)))
    assert "Item 7" in open_
    assert ("undo" in open_) == (kind is not AnswerKind.WITHDRAWN)
    assert "undo" not in settled


def test_who_cannot_judge_is_asked_why() -> None:
    cannot = Receipt(CardRef(7), AnswerKind.CANNOT_JUDGE, None)
    assert "Say why" in check(receipts.render(cannot))
    assert "Say why" not in check(receipts.render(replace(cannot, reason=ErrorReason.OTHER)))
    assert "Say why" not in check(receipts.render(replace(cannot, settled=True)))
    assert "Say why" not in check(receipts.render(Receipt(CardRef(7), AnswerKind.SKIP, None)))


def test_receipts_in_words() -> None:
    said = receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, "refund", before="delivery")).text
    assert said == "Item 7: *refund* (was delivery)."
    assert receipts.render(Receipt(CardRef(5), AnswerKind.LABEL, "app bug")).text == "Item 5: *app bug*."
    assert receipts.render(Receipt(CardRef(6), AnswerKind.SKIP, None)).text == "Item 6 skipped."
    assert receipts.render(Receipt(CardRef(6), AnswerKind.CANNOT_JUDGE, None)).text == "Item 6: you can't judge it."
    withdrawn = receipts.render(Receipt(CardRef(6), AnswerKind.WITHDRAWN, None))
    assert withdrawn.text == "Item 6: your answer is withdrawn."
    assert receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, "refund", settled=True)).text.endswith(
        " That decided it."
    )
    decided = Receipt(CardRef(7), AnswerKind.NONE_OF_THESE, None, settled=True, adjudicated=True)
    assert receipts.render(decided).text == "Item 7: *None of these*. You decided it."
    for text in HOSTILE:
        check(receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, text, before=text)))


def test_a_receipt_says_that_reason_and_note_are_saved_and_that_a_lead_decides() -> None:
    split = Coded(DisputeReason.NO_AGREEMENT, {"count": 3})
    why: dict[str, Any] = {"reason": ErrorReason.AMBIGUOUS}

    def told(label: str | None = "refund", kind: AnswerKind = AnswerKind.LABEL, **more: Any) -> str:
        return receipts.render(Receipt(CardRef(5), kind, label, **more)).text

    assert told(dispute=split) == "Item 5: *refund*. The votes disagree, so a lead decides."
    assert told(**why) == "Item 5: *refund*. Your reason (ambiguous: several labels fit) is saved."
    assert told(has_note=True) == "Item 5: *refund*. Your note is saved."
    assert told(**why, has_note=True, settled=True) == (
        "Item 5: *refund*. Your reason (ambiguous: several labels fit) and note are saved. That decided it."
    )
    assert told(None, AnswerKind.CANNOT_JUDGE, **why, dispute=split) == (
        "Item 5: you can't judge it. Your reason (ambiguous: several labels fit) is saved. "
        "The votes disagree, so a lead decides."
    )
    assert told(None, AnswerKind.WITHDRAWN, dispute=split) == (
        "Item 5: your answer is withdrawn. The votes disagree, so a lead decides."
    )


def mine(text: str = "charged twice", **more: Any) -> MyWorkCard:
    place = Place("C_REVIEW", "1764000000.000100")
    queue = MyQueue(text[:80], 2, 3, 120, (Waiting(7, text[:80], place), Waiting(8, text[:80], None)) * 5)
    answers = tuple(
        MyAnswer(CardRef(number), place, "Support", text[:80], text[:60], number % 2 == 0) for number in range(10)
    )
    return replace(MyWorkCard(ANA, False, (queue,), answers), **more)


SHARE = Interval(0.91, 0.88, 0.94)
BUDGET = BudgetReading("60 a day", 60, 41, 12, 3)
PROMISE = PromiseReading(0.02, 0.9, PromiseStatus.NOT_YET, 41, 99, 6, None, None, None)


def numbers(text: str = "Support tickets", **more: Any) -> StatsCard:
    errors = tuple((f"{number} {text[:50]}", 100 - number) for number in range(50))
    labels = tuple(LabelEstimate(f"{number} {text[:50]}", right, 7) for number in range(20) for right in (SHARE, None))
    production = ProductionEstimate("v3", SHARE, 62, 1200, 264, labels)
    card = StatsCard(text[:80], 3, 1, 2, 9, 0.81, 2.3, errors, production, BUDGET, PROMISE, "v3")
    return replace(card, **more)


def test_slack_takes_home_and_numbers_with_any_text() -> None:
    for text in HOSTILE:
        for paused in (True, False):
            check(home.render(mine(text, paused=paused), [numbers(text)] * 3, WORKSPACE))
            check(home.render_my_work(mine(text, paused=paused), WORKSPACE, "Item 1: your answer is withdrawn."))
        check(stats.render(numbers(text)))
        crowded = mine(text, queues=mine(text).queues * 60)
        check(home.render(crowded, [numbers(text)] * 60, WORKSPACE))
        check(home.render_my_work(crowded, WORKSPACE))


def test_home_and_the_list_link_to_the_cards_that_are_posted() -> None:
    card = "https://acme.slack.com/archives/C_REVIEW/p1764000000000100"
    for drawn in (home.render(mine(), [], WORKSPACE), home.render_my_work(mine(), WORKSPACE)):
        said = check(drawn)
        assert f"• <{card}|item 7>: charged twice\\n• item 8: charged twice" in said
        assert f"<{card}|Item 3>: *charged twice*" in said
    assert "archives" not in check(home.render(mine(), [])), "where Slack told no address"


def test_numbers_that_are_not_known_yet_are_said_to_be_unknown() -> None:
    unknown = ProductionEstimate("v3", None, 7, 140, 30, (LabelEstimate("refund", None, 7),))
    empty = numbers(agreement=None, votes_per_item=None, errors_by_label=(), production=unknown, live=None)
    said = check(stats.render(empty))
    for words in (
        "not enough votes yet",
        "not known yet: 7 of 30 audits settled",
        "refund not known yet (7 audits)",
        "none yet",
    ):
        assert words in said
    assert "60 a day: 60 allowed, 41 opened, 12 waiting, 3 dropped unreviewed in 7 days" in check(
        stats.render(numbers())
    )
    unknown_volume = replace(BUDGET, budget="20%", asked=None)
    assert "20%: volume not known yet, 41 opened" in check(stats.render(numbers(budget=unknown_volume)))
    for words in ("91% (88 to 94), 62 audits", "0 Support tickets 91% (88 to 94)"):
        assert words in check(stats.render(numbers()))
    assert "live: v3, agreement: 91% (88 to 94), 62 audits" in check(home.render(mine(), [numbers()]))


def test_open_items_beyond_those_that_are_listed_are_counted() -> None:
    [queue] = mine().queues
    said = check(home.render_my_work(mine(queues=(replace(queue, open=11),))))
    assert "And 1 more." in said
    assert "more." not in check(home.render_my_work(mine(queues=(replace(queue, open=10),))))


def test_who_reviews_nowhere_is_told_how_to_begin() -> None:
    said = check(home.render(MyWorkCard(ANA, False, (), ()), []))
    assert "You're not a reviewer in any queue. To become one, ask the person who runs Goldloop" in said
    assert "`reviewers` in `goldloop.toml`" in said
    check(home.render_my_work(MyWorkCard(ANA, False, (), ())))


def scorecard(labels: int = 3, text: str = "") -> Scorecard:
    names = [f"{number} {text}"[:60] for number in range(labels)] if text else list(LABELS)
    golden = [GoldenRow(n, Input("text"), name, Stratum.RANDOM) for n, name in enumerate(names * 4)]
    golden += [GoldenRow(1000 + n, Input("text"), name, Stratum.PAST_ERROR) for n, name in enumerate(names)]
    right, wrong = [row.label for row in golden], names[-1]
    live = Predicted(tuple(label if n % 3 else wrong for n, label in enumerate(right)))
    new = Predicted(tuple(label if n % 4 else wrong for n, label in enumerate(right)))
    return compare(golden, live, new, support_policy().queues[0], "live")


def report(text: str = "", **more: Any) -> CandidateCard:
    card = CandidateCard(
        subject=CardRef(3),
        name="v3",
        queue_title=text[:80] or "Support tickets",
        state=ModelState.CANDIDATE,
        live_name="v2",
        scorecard=scorecard(text=text),
        effort=Effort(80, 175),
        passed=True,
        outdated=False,
        blocks=(),
        warnings=findings(text) * 2 if text else (),
        rows=40,
        corrections=10,
        written=WrittenRows(84, (2, 5, 7)),
        left_out=2,
        graduated=3,
        random_origins={Origin.SEED: 60, Origin.AUDITED: 20},
        graduates_left_out=1,
        erased=(),
        weighing=Coded(WeightChoice.POLICY, {"weight": 3.0}),
        approvals=(),
        approvals_needed=1,
        evaluation_id=5,
        decisions=(),
        superseded_by=None,
        open_items=OpenItems("ask", 0, 0),
        shadow=None,
        canary=None,
    )
    return replace(card, **more)


def decision(kind: DecisionKind, *leads: str, reason: str = "") -> DecisionLine:
    return DecisionLine(AT, kind, leads, reason, "a" * 64, "b" * 16)


def canary(state: CanaryState, n: int = 40) -> CanaryLine:
    return CanaryLine(state, "v2", 0.2, AT, 1, 4, Paired(n, 9, 1))


REPORTS: dict[str, tuple[Callable[[str], CandidateCard], str]] = {
    "what it stands for": (report, "Random golden examples: 60 from seed data, 20 from audited traffic."),
    "by a service": (
        lambda t: report(t, service_version=t[:80] or "mine-7"),
        "Trained by a service, as its version “mine-7”, on 40 rows, including 10 corrections.",
    ),
    "graduates": (report, "3 past errors moved from the golden set to training."),
    "a graduate left out": (report, "golden examples, including 1 past error that had left the golden set."),
    "graduates left out": (
        lambda t: report(t, left_out=9, graduates_left_out=2),
        "golden examples, including 2 past errors that had left the golden set.",
    ),
    "passed": (report, "react with :white_check_mark: to promote it"),
    "one of two": (lambda t: report(t, approvals=(CLEO,), approvals_needed=2), f"1 of 2 leads (<@{CLEO}>)."),
    "refused": (lambda t: report(t, passed=False, blocks=findings(t) * 8), "A check mark won't promote it."),
    "outdated": (lambda t: report(t, outdated=True), "The live model has changed."),
    "soon in shadow": (lambda t: report(t, shadow=ShadowLine(None, None)), "It is in shadow from now on:"),
    "in shadow": (lambda t: report(t, shadow=ShadowLine(AT, None)), "To reject it now, react with :x:."),
    "after its shadow": (
        lambda t: report(t, shadow=ShadowLine(AT, report_of([(t[:60] or "refund", "delivery", 3), ("a", "a", 7)]))),
        "In shadow, it agreed with the stored answers on 7 of 10 predictions (70.0%).",
    ),
    "after a shadow without traffic": (
        lambda t: report(t, shadow=ShadowLine(AT, report_of([]))),
        "No predictions arrived during its shadow",
    ),
    "in its canary": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.RUNNING, n=12)),
        "v3 answers 20% of the requests, v2 the rest.* Not yet: 12 of 30 settled items",
    ),
    "proposed for rollback": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.PROPOSED)),
        "Of 40 settled items, 9 newly wrong and 1 newly right.",
    ),
    "live in part": (
        lambda t: report(t, state=ModelState.LIVE, canary=canary(CanaryState.RUNNING, n=12)),
        "v3 is live for 20% of the requests.",
    ),
    "beside a canary": (
        lambda t: report(t, state=ModelState.RETIRED, still_answers=StillAnswering("v4", 0.9)),
        "v3 still answers 90% of the requests*, until the canary of v4 is over. v4 answers the rest.",
    ),
    "after its canary": (
        lambda t: report(t, state=ModelState.RETIRED, canary=canary(CanaryState.PASSED)),
        "v3 was not worse than v2 in its canary",
    ),
    "what it does to open items": (report, "If it goes live, open items stay open and show its suggestion."),
    "what it closes": (
        lambda t: report(t, open_items=OpenItems("close", 0, 0)),
        "If it goes live, unanswered items that were flagged only because a model was unsure are closed.",
    ),
    "what it did to open items": (
        lambda t: report(t, state=ModelState.LIVE, open_items=OpenItems("close", 1, 3)),
        "Its suggestion was added to 1 open item. 3 unanswered items closed when it went live.",
    ),
    "live": (
        lambda t: report(t, state=ModelState.LIVE, decisions=(decision(DecisionKind.OVERRULE, CLEO, reason=t),)),
        f"promoted against the gate by <@{CLEO}>",
    ),
    "retired": (
        lambda t: report(t, state=ModelState.RETIRED, decisions=(decision(DecisionKind.ROLL_BACK, OPERATOR),) * 20),
        "brought back by the operator",
    ),
    "rejected": (
        lambda t: report(t, state=ModelState.REJECTED, decisions=(decision(DecisionKind.REJECT, CLEO),)),
        "*Rejected.*",
    ),
    "superseded": (lambda t: report(t, state=ModelState.SUPERSEDED, superseded_by="v4"), "*Superseded by v4.*"),
}


@pytest.mark.parametrize("state", REPORTS)
def test_slack_takes_a_report_in_each_state_and_it_says_where_things_stand(state: str) -> None:
    make, words = REPORTS[state]
    assert words in check(candidate.render(make("")))
    for text in HOSTILE[1:]:
        check(candidate.render(make(text[:3000])))


def test_a_report_says_its_numbers_in_words_too() -> None:
    drawn = candidate.render(report())
    check(drawn)
    assert "Random golden examples: 8 of 12 right before, " in drawn.text
    assert "Past errors: " in drawn.text


def test_a_report_opens_with_what_it_means_and_says_what_its_counts_mean() -> None:
    drawn = candidate.render(report())
    said = check(drawn)
    assert [block["type"] for block in drawn.blocks[:3]] == ["header", "section", "section"]
    assert drawn.blocks[1]["text"]["text"] == "*No measurable difference.*"
    assert "No measurable difference. *The golden gate passes it.*" in drawn.text
    counts = "Of 15 golden examples that count, 1 is newly wrong and 3 newly right. "
    assert counts in said
    assert counts in drawn.text
    assert "What counts: 12 random examples and 3 past errors." in said
    refused = candidate.render(report(passed=False, blocks=findings("refund")[:2]))
    assert "Worse: refused, because “refund” gets worse, and for 1 more reason." in check(refused)


def test_a_report_about_a_model_that_is_no_longer_live_does_not_say_what_it_means() -> None:
    drawn = candidate.render(report(outdated=True))
    assert "No measurable difference" not in check(drawn) + drawn.text


@pytest.mark.parametrize(
    ("passed", "why"),
    [(False, "the golden gate refused it"), (True, "it had learned from text that was erased")],
)
def test_the_card_of_an_overruled_model_says_so_first(passed: bool, why: str) -> None:
    line = decision(DecisionKind.OVERRULE, CLEO, reason="the errors were mislabelled")
    for state in (ModelState.LIVE, ModelState.RETIRED):
        drawn = candidate.render(report(passed=passed, state=state, decisions=(line,)))
        said = f":warning: *Promoted although {why}.* By <@{CLEO}>: “the errors were mislabelled”."
        assert drawn.blocks[1]["text"]["text"] == said
        assert f"compared with v2. Promoted although {why}. By <@{CLEO}>" in drawn.text


def test_a_model_that_took_over_from_an_overruled_one_says_nothing_of_it() -> None:
    line = replace(decision(DecisionKind.OVERRULE, CLEO, reason="a reason of its own"), instead="v4")
    assert "Promoted although" not in check(candidate.render(report(state=ModelState.RETIRED, decisions=(line,))))


def test_a_candidate_that_lost_all_its_labels_can_still_be_overruled() -> None:
    blocks = findings("refund")[:1] * 77
    said = check(candidate.render(report(passed=False, blocks=blocks)))
    assert "And 65 more reasons: `goldloop explain model 3` lists all." in said
    assert "Overrule…" in said


def test_a_report_shows_its_pinned_past_errors_and_the_stored_texts() -> None:
    texts = TextScore(40, ("refund",), (), ())
    pinned = replace(scorecard(), pins=PinScore((1000, 1001), ()), texts=texts)
    said = check(candidate.render(report(scorecard=pinned)))
    assert "Pinned past errors (2)" in said
    assert "none wrong again" in said
    assert "On the last 40 stored inputs, no label disappears and no two labels change places." in said
    broken = replace(pinned, pins=PinScore((1000, 1001), (1001,)))
    assert "wrong again: #1001" in check(candidate.render(report(scorecard=broken)))


def test_a_report_says_what_the_candidate_cost_and_what_it_gained() -> None:
    drawn = candidate.render(report())
    cost = "80 items, 175 votes since v2: +16.7 points (−19.2 to +47.8)."
    assert f"*Cost and gain:* {cost}" in check(drawn)
    assert f"Cost and gain: {cost}" in drawn.text
    assert "Cost and gain" not in check(candidate.render(report(effort=None)))
    first = check(candidate.render(report(live_name=None, scorecard=replace(scorecard(), baseline="majority"))))
    assert '*Cost and gain:* 80 items, 175 votes."' in first, "there was no model to be better than"


def test_a_report_names_the_confusions_that_changed() -> None:
    said = check(candidate.render(report()))
    assert "*Confusions that changed most*" in said
    assert "“delivery” where “refund” is right: 4 before, 1 now (better)" in said
    assert "“delivery” where “billing error” is right: 0 before, 1 now (worse)" in said


@pytest.mark.parametrize("state", CanaryState)
def test_a_canary_has_buttons_while_there_is_something_to_decide(state: CanaryState) -> None:
    for of_model in (ModelState.LIVE, ModelState.RETIRED):
        said = check(candidate.render(report(state=of_model, canary=canary(state))))
        undecided = state in (CanaryState.RUNNING, CanaryState.PROPOSED) and of_model is ModelState.LIVE
        assert ("Let v3 answer all" in said) == undecided
        assert ("Roll back to v2" in said) == (undecided and state is CanaryState.PROPOSED)


def test_a_report_says_which_of_its_rows_were_erased_since() -> None:
    said = check(candidate.render(report(erased=tuple(RowSource(Source.CORRECTION, number) for number in range(1, 8)))))
    assert "7 rows of its training data erased since (correction 1, correction 2, correction 3, correction 4, " in said
    assert "correction 5 and 2 more)." in said
    assert "A check mark won't promote it." in said


def test_only_what_the_gate_refused_and_is_current_can_be_overruled() -> None:
    for card, offered in (
        (report(passed=False, blocks=findings("refund")), True),
        (report(erased=(RowSource(Source.SEED, 7),)), True),
        (report(passed=False, blocks=findings("refund"), outdated=True), False),
        (report(passed=False, blocks=findings("refund"), state=ModelState.REJECTED), False),
        (report(), False),
    ):
        assert ("Overrule…" in check(candidate.render(card))) == offered


@pytest.mark.parametrize("count", [2, 20, 300])
def test_slack_takes_a_report_on_any_number_of_labels(count: int) -> None:
    check(candidate.render(report(scorecard=scorecard(count, "label"))))


def test_a_report_without_golden_examples_says_so() -> None:
    empty = compare([], Predicted(()), Predicted(()), support_policy().queues[0], "majority")
    said = check(candidate.render(report(scorecard=empty, live_name=None)))
    assert "no golden examples yet" in said
    assert "compared with always guessing the most common label of its training rows" in said


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_slack_takes_the_card_of_a_run(state: RunState, trigger: Trigger) -> None:
    for text in HOSTILE:
        for person in (CLEO, OPERATOR, None):
            phrase, problem = {"phrase": text}, Coded(RunProblem.REFUSED, {"sentence": text})
            drawn = RunCard(5, text[:80], state, trigger, person, Coded(RunStep.OTHER, phrase), problem, "v5")
            check(run.render(drawn))
    waiting = RunCard(5, "Support", state, Trigger.CRON, None, Coded(RunStep.WAITING), None, "v5")
    assert "by schedule" in check(run.render(waiting))


def scan_of(state: ScanState, text: str = "/archive", **more: Any) -> ScanCard:
    counts = Counts(1000, 300, 4, 700, 12, 5, 3, 1) if state is ScanState.DONE else None
    values: dict[str, Any] = {
        "scan_id": 3, "queue_title": text[:80], "source": text[:1000], "model": "v5", "label": None, "foreign": False,
        "state": state, "requested_by": CLEO, "done": 0.25, "rows": 400_000, "seconds": 10.0, "left": 30.0,
        "counts": counts, "finds": FindCounts(4, 1, 0), "digest": "", "unread": (text,),
        "clusters": (Cluster(30, (text[:60], "money")), Cluster(5, ("card",))),
        "problem": Coded(RunProblem.REFUSED, {"sentence": text[:500]}),
    }  # fmt: skip
    return ScanCard(**(values | more))


@pytest.mark.parametrize("state", list(ScanState))
def test_slack_takes_the_card_of_a_scan(state: ScanState) -> None:
    for text in HOSTILE:
        for label in (None, text[:60]):
            check(scan.render(scan_of(state, text, label=label)))
    check(scan.render(scan_of(state, foreign=True, requested_by=OPERATOR, clusters=(), unread=())))


def test_the_card_of_a_scan_says_how_far_it_is_and_what_it_found() -> None:
    running = check(scan.render(scan_of(ScanState.RUNNING)))
    assert "25% read: 400,000 rows, 40,000 a second, 30 seconds left." in running
    done = check(scan.render(scan_of(ScanState.DONE)))
    counted = (
        "1,000 rows read, 300 of another kind, 4 already known, 12 near-duplicates, 700 ranked, 1 opened, 4 waiting."
    )
    assert counted in done
    assert "30  /archive, money" in done
    assert "1 of 3 parts of the source could not be read." in done
