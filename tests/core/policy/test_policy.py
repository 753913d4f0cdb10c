"""The policy file: what is refused and in which words, what is frozen, and what the fingerprint covers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from core.errors import Invalid, NotFound
from core.policy import LabelPolicy, Policy, QueuePolicy
from core.policy.file import load_policy, parse_policy
from core.policy.retraining import RetrainingPolicy
from core.vocabulary import Role

SMALLEST = {"channel": "C1", "leads_channel": "C2", "leads": ["U1", "U2"], "labels": ["spam", "ham"]}


def document(path: str = "", value: Any = None) -> dict[str, Any]:
    """The smallest policy with one value set, e.g. "consensus.votes"."""
    queue: dict[str, Any] = dict(SMALLEST)
    if path:
        *sections, key = path.split(".")
        for section in sections:
            queue = queue | {section: {key: value}}
        queue = queue if sections else queue | {key: value}
    return {"queues": {"support": queue}}


def queue_with(path: str = "", value: Any = None) -> QueuePolicy:
    return parse_policy(document(path, value), "goldloop.toml").queues[0]


REFUSED: list[tuple[str, Any, str]] = [
    ("labels", [], "at least 2 items"),
    ("labels", ["spam", "ham", "spam"], "'spam' is listed twice"),
    ("labels", ["spam", "None of these"], "is reserved for votes without a label"),
    ("labels", ["spam", "|none"], "is reserved for votes without a label"),
    ("labels", "spam", "a valid tuple"),
    ("labels.1.name", "", "at least 1 character"),
    ("labels.1.name", "x" * 61, "at most 60 characters"),
    ("labels.1.confidence", 1.01, "less than or equal to 1"),
    ("labels.1.confidence", float("nan"), "less than or equal to 1"),
    ("leads", [], "at least 1 item"),
    ("channel", "", "at least 1 character"),
    ("title", "x" * 81, "at most 80 characters"),
    ("guideline", "x" * 20_001, "at most 20000 characters"),
    ("time_zone", "Berlin", "IANA time zone such as Europe/Berlin"),
    ("flagging.budget", "60", 'must be like "60 a day" or "20%"'),
    ("flagging.budget", "0 a day", 'must be like "60 a day" or "20%"'),
    ("flagging.budget", "0%", 'must be like "60 a day" or "20%"'),
    ("flagging.budget", "101%", 'must be like "60 a day" or "20%"'),
    ("flagging.promise", "2 in 100", 'must be like "2%"'),
    ("flagging.promise", "0%", "above 0 and at most 50%"),
    ("flagging.promise", "51%", "above 0 and at most 50%"),
    ("flagging.promise_sure", 1, "less than 1"),
    ("flagging.held_back_share", 1.1, "less than or equal to 1"),
    ("flagging.confidence", -0.1, "greater than or equal to 0"),
    ("flagging.confidence", "high", "valid number"),
    ("flagging.margin", 2, "less than or equal to 1"),
    ("flagging.audit_share", 1.5, "less than or equal to 1"),
    ("review.blind_share", -1, "greater than or equal to 0"),
    ("review.buttons", 21, "less than or equal to 20"),
    ("review.link", "https://desk.example/", "must contain {external_id}"),
    ("review.link", "https://{external_id}.example/", "must be an http:// or https:// address"),
    ("review.link", "javascript:alert({external_id})", "must be an http:// or https:// address"),
    ("review.link", "https://desk.example/{external_id}|x", "percent-encode them"),
    ("review.link", "http://[1/{external_id}", "invalid IPv6 URL"),
    ("review.buttons", 0, "greater than or equal to 1"),
    ("review.reveal", "everything", "'tally' or 'names'"),
    ("consensus.rule", "dictator", "'lead_by_2' or 'majority'"),
    ("consensus.votes", 16, "less than or equal to 15"),
    ("consensus.votes", 2.5, "valid integer"),
    ("consensus.cannot_judge", 0, "greater than or equal to 1"),
    ("workload.daily_cap", 0, "greater than or equal to 1"),
    ("golden.near_duplicate", 0.4, "greater than or equal to 0.5"),
    ("retraining.corrections", -1, "greater than or equal to 0"),
    ("retraining.error_weight", 0, "greater than 0"),
    ("retraining.error_weight", 11, "less than or equal to 10"),
    ("retraining.error_weight", "most", 'or "auto"'),
    ("retraining.error_weight", True, 'or "auto"'),
    ("retraining.interval_hours", -1, "greater than or equal to 0"),
    ("retraining.cron", "0 3 * *", "needs five fields: minute (0-59) hour (0-23)"),
    ("retraining.cron", "30 0 3 * * mon", "needs five fields: minute (0-59) hour (0-23)"),
    ("retraining.cron", "0 3 * * 8", "bad day-of-week; the fields are minute (0-59)"),
    ("retraining.cron", "0 3 * * someday", "day-of-week (0-7, sun-sat)"),
    ("retraining.cron", "61 3 * * mon", "bad minute; the fields are minute (0-59)"),
    ("retraining.cron", "0 24 * * mon", "bad hour; the fields are minute (0-59) hour (0-23)"),
    ("retraining.cron", "0 3 0 * mon", "day-of-month (1-31)"),
    ("retraining.cron", "0 3 * 13 mon", "month (1-12, jan-dec)"),
    ("retraining.cron", "0 3 31 feb *", "bad day-of-month"),
    ("retraining.cron", "0 3 * * " + "9" * 5000, "the fields are minute (0-59)"),
    ("encoder.model_sha256", "5f0c", "should match pattern"),
    ("external.url", "http://models.example/predict", "must be an https:// address"),
    ("external.url", "https://me:secret@models.example", "must not contain a user name or password"),
    ("external.answer_hours", 0, "greater than 0"),
    ("external.batch", 1001, "less than or equal to 1000"),
    ("promotion.approvals", 11, "less than or equal to 10"),
    ("promotion.alpha", 0.5, "less than 0.5"),
    ("promotion.pooled_alpha", 0, "greater than 0"),
    ("promotion.class_rows", 1, "greater than or equal to 2"),
    ("promotion.reminder_hours", 721, "less than or equal to 720"),
    ("synthetic.address", "http://llm.example/v1", "must be an https:// address"),
    ("synthetic.address", "https://key@llm.example", "must not contain a user name or password"),
    ("synthetic.address", "https://llm.example/?key=1", "must not contain a query"),
    ("synthetic.weight", 0.6, "less than or equal to 0.5"),
    ("synthetic.readers", [{"language": "fr", "people": ["U1"]}] * 2, "the language 'fr' is listed twice"),
    ("privacy.phone_region", "de", "must be a country code of two capital letters"),
    ("privacy.patterns", ["KD-("], "is not valid RE2 syntax"),
    ("privacy.patterns", ["(?=KD)x"], "no look-around and no back-references"),
    ("privacy.patterns", ["x*"], "must not match an empty text"),
    ("privacy.patterns", ["x" * 501], "at most 500 characters"),
    ("privacy.retention_days", -1, "greater than or equal to 0"),
]


@pytest.mark.parametrize(
    ("path", "value", "allowed"), REFUSED, ids=[f"{path}={value!s:.12}" for path, value, _ in REFUSED]
)
def test_an_error_names_file_key_value_and_what_is_allowed(path: str, value: Any, allowed: str) -> None:
    if path.startswith("labels.1."):
        content = document("labels", ["ham", {"name": "spam", path.removeprefix("labels.1."): value}])
    else:
        content = document(path, value)
    with pytest.raises(Invalid) as refusal:
        parse_policy(content, "goldloop.toml")
    sentence = str(refusal.value)
    assert sentence.startswith(f"goldloop.toml: queues.support.{path} = ")
    assert repr(value)[:70] in sentence
    assert allowed in sentence


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("consensus.votes", 1, "consensus.votes = 1: must be at least 2 for lead_by_2"),
        ("promotion.approvals", 3, "promotion.approvals = 3: must be at most the number of leads, which is 2"),
        (
            "retraining.learner",
            "external",
            'retraining.learner = "external": needs external.webhook and external.url',
        ),
        (
            "retraining.learner",
            "blend-onnx",
            'retraining.learner = "blend-onnx": needs encoder.model and encoder.model_sha256 and encoder.tokenizer and',
        ),
    ],
)
def test_settings_that_exclude_each_other_are_named(path: str, value: Any, words: str) -> None:
    with pytest.raises(Invalid, match=f"^goldloop.toml: queues.support: {words}"):
        queue_with(path, value)


def with_service(**webhook: Any) -> dict[str, Any]:
    content = document("external", {"webhook": "trainer", "url": "https://models.example/predict"})
    content["queues"]["support"]["retraining"] = {"learner": "external"}
    return content | {"webhooks": {"trainer": {"url": "https://models.example/hooks"} | webhook}}


def test_a_service_that_trains_is_told_of_it_by_a_webhook() -> None:
    assert parse_policy(with_service(), "goldloop.toml").queue("support").trains_elsewhere
    assert parse_policy(with_service(events=["training.requested"]), "goldloop.toml")
    for content, words in (
        (with_service() | {"webhooks": {}}, r"there is no section \[webhooks\.trainer\]"),
        (with_service(events=["item.settled"]), "webhooks.trainer is not sent training.requested for support"),
    ):
        with pytest.raises(Invalid, match=f"^goldloop.toml: queues.support.external.webhook: {words}"):
            parse_policy(content, "goldloop.toml")


def test_an_admin_is_a_lead_too() -> None:
    content = document("promotion.approvals", 3)
    content["queues"]["support"] |= {"admins": ["U2", "U3"]}
    assert parse_policy(content, "goldloop.toml").queues[0].named(Role.LEAD) == ("U1", "U2", "U2", "U3")


def test_a_channel_of_two_queues_is_one_channel() -> None:
    content = document("title", "Support")
    content["queues"]["sales"] = content["queues"]["support"] | {"channel": "C3"}
    policy = parse_policy(content, "goldloop.toml")
    assert policy.channels == ["C1", "C2", "C3"]
    assert policy.queue("sales").channels == ("C3", "C2")


def test_how_many_leads_a_user_group_holds_is_not_guessed() -> None:
    content = document("promotion.approvals", 3)
    content["queues"]["support"] |= {"leads": ["S_LEADS"], "admins": ["S_ADMINS", "U1"]}
    assert parse_policy(content, "goldloop.toml").groups == ["S_LEADS", "S_ADMINS"]


def test_a_lead_who_is_named_twice_is_one_lead() -> None:
    content = document("promotion.approvals", 2)
    content["queues"]["support"]["leads"] = ["U1", "U1"]
    with pytest.raises(Invalid, match="which is 1"):
        parse_policy(content, "goldloop.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "the [queues.NAME] section is missing; define at least one queue"),
        ({"queues": {}}, "the [queues.NAME] section is missing"),
        ({"queues": []}, "the [queues.NAME] section is missing"),
        ({"queues": {"support": 1}}, "queues.support must be a section, like [queues.support]"),
        ({"queue": {}, "queues": {}}, "queue is not a known section"),
        (document("reveiwers", []), "queues.support.reveiwers is not a known setting"),
        (document("flagging.confidense", 1), "queues.support.flagging.confidense is not a known setting"),
        (document("labels", [{"name": "a", "colour": "red"}, "b"]), "labels.0.colour is not a known setting"),
        ({"queues": {"Support!": SMALLEST}}, "queues.Support!.name = 'Support!'"),
        ({"queues": {"support": {"channel": "C1"}}}, "queues.support.leads is missing"),
    ],
)
def test_what_is_unknown_missing_or_misplaced_is_named(content: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_policy(content, "goldloop.toml")
    assert str(refusal.value).startswith("goldloop.toml: ")
    assert words in str(refusal.value)


def test_a_list_with_a_bad_entry_is_not_called_too_short() -> None:
    with pytest.raises(Invalid) as refusal:
        queue_with("labels", ["spam", {"name": ""}])
    assert len(str(refusal.value).splitlines()) == 1
    assert "labels.1.name" in str(refusal.value)


def test_all_errors_are_said_at_once() -> None:
    content = {"queues": {"support": {"labels": ["spam"], "title": "x" * 100, "leads": []}}}
    with pytest.raises(Invalid) as refusal:
        parse_policy(content, "goldloop.toml")
    lines = str(refusal.value).splitlines()
    assert len(lines) == 5
    assert all(line.startswith("goldloop.toml: queues.support.") and len(line) < 300 for line in lines)


def test_a_file_is_read_or_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "goldloop.toml"
    with pytest.raises(Invalid, match=r"There is no policy file .* Create one with `goldloop init`"):
        load_policy(path)
    path.write_text("[queues.support\n")
    with pytest.raises(Invalid, match=r"goldloop\.toml: not valid TOML"):
        load_policy(path)
    path.write_bytes(b'[queues.support]\ntitle = "\xff"\n')
    with pytest.raises(Invalid, match=r"goldloop\.toml: not valid TOML"):
        load_policy(path)
    path.write_text('[queues.support]\nchannel="C1"\nleads_channel="C2"\nleads=["U1","U2"]\nlabels=["spam","ham"]\n')
    assert load_policy(path).queue("support").fingerprint == queue_with().fingerprint


def test_a_queue_that_is_not_in_the_file_is_refused_with_those_that_are() -> None:
    with pytest.raises(NotFound, match=r"There is no queue “sales”\. The policy file defines: support\."):
        Policy(queues=(queue_with(),)).queue("sales")


def test_the_policy_is_frozen_in_memory() -> None:
    queue = queue_with()
    with pytest.raises(ValidationError, match="frozen"):
        queue.flagging.confidence = 0.1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        queue.labels = ()  # type: ignore[misc]


def test_a_label_has_its_own_threshold_or_that_of_all() -> None:
    queue = queue_with("labels", ["spam", {"name": "ham", "confidence": 0.0, "margin": 0.0}])
    assert (queue.confidence_threshold("spam"), queue.confidence_threshold("ham")) == (0.8, 0.0)
    assert (queue.margin_threshold("spam"), queue.margin_threshold("ham")) == (0.1, 0.0)


def idle(**flagging: float) -> tuple[str, ...]:
    return queue_with("flagging", flagging).idle_margins


def test_a_margin_that_can_never_flag_is_named_where_it_was_typed() -> None:
    """With confidence .8 the two highest probabilities are at least .6 apart."""
    assert idle() == (), "the default was not typed"
    assert idle(margin=0.1) == idle(margin=0.6) == ("flagging.margin",)
    assert idle(margin=0.61) == idle(margin=0.1, confidence=0.5) == idle(margin=0.0) == ()
    labels = ["spam", {"name": "ham", "confidence": 0.9, "margin": 0.7}]
    assert queue_with("labels", labels).idle_margins == ("labels.ham.margin",)


def test_loading_says_which_margins_can_never_flag(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "goldloop.toml"
    text = '[queues.support]\nchannel="C1"\nleads_channel="C2"\nleads=["U1"]\nlabels=["spam","ham"]\n'
    path.write_text(text)
    load_policy(path)
    assert caplog.records == []
    path.write_text(f"{text}[queues.support.flagging]\nmargin = 0.1\n")
    load_policy(path)
    [record] = caplog.records
    assert (record.getMessage(), vars(record)["setting"]) == ("A margin can never flag a prediction", "flagging.margin")


OTHER_VALUES: dict[str, Any] = {
    "title": "Support",
    "channel": "C9",
    "leads_channel": "C9",
    "reviewers": ["U3"],
    "leads": ["U1", "U3"],
    "admins": ["U1"],
    "labels": ["ham", "spam"],
    "guideline": "Be fair.",
    "time_zone": "Europe/Berlin",
    "flagging.budget": "60 a day",
    "flagging.promise": "2%",
    "flagging.promise_sure": 0.95,
    "flagging.held_back_share": 0.2,
    "flagging.disagreement": False,
    "flagging.drift": False,
    "flagging.confidence": 0.81,
    "flagging.margin": 0.11,
    "flagging.audit_share": 0.06,
    "review.blind_share": 0.5,
    "review.buttons": 5,
    "review.link": "https://desk.example/tickets/{external_id}",
    "review.reveal": "names",
    "consensus.rule": "majority",
    "consensus.votes": 7,
    "consensus.cannot_judge": 3,
    "workload.daily_cap": 121,
    "golden.seed_share": 0.2,
    "golden.random_share": 0.2,
    "golden.audited_share": 0.4,
    "golden.past_errors": 101,
    "golden.past_errors_beyond": 201,
    "golden.second_looks": 6,
    "golden.near_duplicate": 0.93,
    "retraining.cron": "0 3 * * mon",
    "retraining.corrections": 51,
    "retraining.interval_hours": 12,
    "retraining.error_weight": 2.5,
    "retraining.confirmed_weight": 1.5,
    "retraining.learner": "other",
    "encoder.model": "/models/minilm/model.onnx",
    "encoder.model_sha256": "a" * 64,
    "encoder.tokenizer": "/models/minilm/tokenizer.json",
    "encoder.tokenizer_sha256": "b" * 64,
    "external.webhook": "trainer",
    "external.url": "https://models.example/predict",
    "external.answer_hours": 48,
    "external.timeout_seconds": 2,
    "external.batch": 50,
    "external.failures": 3,
    "external.pause_seconds": 60,
    "promotion.approvals": 2,
    "promotion.alpha": 0.04,
    "promotion.pooled_alpha": 0.1,
    "promotion.training_alpha": 0.02,
    "promotion.class_rows": 21,
    "promotion.non_inferiority": 0.02,
    "promotion.reminder_hours": 25,
    "rollout.shadow_hours": 24,
    "rollout.canary_share": 0.1,
    "rollout.canary_hours": 24,
    "rollout.canary_looks": 5,
    "rollout.canary_alpha": 0.1,
    "rollout.expiry_hours": 100,
    "rollout.open_items": "close",
    "drift.level": 0.005,
    "drift.learn_days": 21,
    "drift.retrain": True,
    "slices.asked": 2,
    "slices.items": 40,
    "slices.days": 7,
    "discovery.items": 51,
    "discovery.open_items": 11,
    "discovery.daily_share": 0.2,
    "discovery.keep": 0.95,
    "discovery.near_duplicate": 0.9,
    "discovery.processes": 2,
    "discovery.sources": [{"name": "archive", "address": "/archive", "text": "body"}],
    "synthetic.enabled": True,
    "synthetic.address": "https://llm.example/v1",
    "synthetic.model": "large",
    "synthetic.calls": 21,
    "synthetic.seconds": 120,
    "synthetic.tokens": 90_000,
    "synthetic.money": 4.0,
    "synthetic.price_in": 1.0,
    "synthetic.price_out": 4.0,
    "synthetic.weight": 0.4,
    "synthetic.readers": [{"language": "fr", "people": ["U_ANA"]}],
    "privacy.mask": ["email"],
    "privacy.phone_region": "DE",
    "privacy.patterns": ["KD-[0-9]+"],
    "privacy.keep_original": False,
    "privacy.burned_in_text": True,
    "privacy.retention_days": 365,
}


def setting_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from setting_paths(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_fingerprint_changes_with_every_setting() -> None:
    assert set(OTHER_VALUES) == set(setting_paths(QueuePolicy)) - {"name"}, "a new setting needs its line above"
    prints = {queue_with(path, value).fingerprint for path, value in OTHER_VALUES.items()}
    assert len(prints | {queue_with().fingerprint}) == len(OTHER_VALUES) + 1


def test_a_default_that_is_written_out_changes_nothing() -> None:
    for path in OTHER_VALUES:
        value: Any = queue_with()
        for key in path.split("."):
            value = getattr(value, key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int | float):
            assert queue_with(path, value).fingerprint == queue_with().fingerprint, path


def test_the_fingerprint_covers_the_name_and_each_part_of_a_label() -> None:
    parts: dict[str, Any] = {"description": "unwanted", "confidence": 0.5, "margin": 0.5}
    assert set(parts) == set(LabelPolicy.model_fields) - {"name"}
    others = [queue_with("labels", [{"name": "spam", part: value}, "ham"]) for part, value in parts.items()]
    renamed = parse_policy({"queues": {"sales": SMALLEST}}, "goldloop.toml").queues[0]
    assert len({queue.fingerprint for queue in [queue_with(), renamed, *others]}) == 2 + len(parts)


def test_the_fingerprint_is_of_the_values_not_of_how_they_were_written() -> None:
    written_out = dict(reversed(SMALLEST.items())) | {"labels": [{"name": "spam"}, {"name": "ham", "description": ""}]}
    spelled = parse_policy({"queues": {"support": written_out | {"flagging": {"confidence": 0.8}}}}, "other.toml")
    assert spelled.queues[0].fingerprint == queue_with().fingerprint


CRON_WORDS = st.text("0123456789*/-, abcdfmnorstuwe", max_size=12) | st.sampled_from(
    ["*", "*/15", "0", "59", "23", "31", "12", "jan-mar", "mon", "mon-fri", "fri,sat", "5-59/10", "0-0/1", "fri-mon"]
)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@settings(deadline=None)
@given(st.lists(CRON_WORDS, min_size=5, max_size=5).map(" ".join), MOMENTS)
def test_every_schedule_that_the_policy_takes_has_slots_up_to_now_or_none(text: str, now: datetime) -> None:
    try:
        schedule = RetrainingPolicy(cron=text)
    except ValidationError:
        return
    slot = schedule.latest_slot(now)
    assert slot is None or (slot <= now and slot.second == slot.microsecond == 0 and slot.tzinfo == UTC)


@pytest.mark.parametrize(
    "text", ["0 3 * * mon", "*/15 * * * *", "0,30 8-18 1-7 jan,jul mon-fri", "5/10 0 31 12 SUN", "0 */6 * jan-mar *"]
)
def test_the_usual_schedules_are_taken(text: str) -> None:
    assert queue_with("retraining.cron", text).retraining.cron == text


@pytest.mark.parametrize(("number", "day"), list(enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"))))
def test_a_weekday_means_that_day_by_name_and_by_number(number: int, day: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    by_name, by_number = (RetrainingPolicy(cron=f"0 3 * * {word}").latest_slot(now) for word in (day, number))
    assert by_name is not None
    assert by_name == by_number
    assert by_name.strftime("%a").lower() == day


THREE = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        (THREE, THREE),
        (THREE - timedelta(microseconds=1), THREE - timedelta(days=1)),
        (THREE + timedelta(microseconds=999_999), THREE),
        (THREE.replace(hour=23), THREE),
        (THREE.astimezone(timezone(timedelta(hours=2))), THREE),
    ],
)
def test_the_latest_slot_is_the_newest_one_that_has_come_in_utc(now: datetime, slot: datetime) -> None:
    assert RetrainingPolicy(cron="0 3 * * *").latest_slot(now) == slot


def test_without_a_schedule_there_is_no_slot() -> None:
    assert RetrainingPolicy().latest_slot(THREE) is None
