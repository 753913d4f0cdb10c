"""What differs between two policies, and the text in which a policy is stored."""

import tomllib
from typing import Any

from bot.wording.policy_changes import advice, change_lines
from bot.wording.policy_file import policy_file
from core.policy import Policy
from core.policy.canonical import canonical_text, parse_canonical, policy_fingerprint
from core.policy.changes import SectionAdded, SectionRemoved, SettingChanged, changes
from core.policy.file import parse_policy
from tests.core.policy.test_policy import OTHER_VALUES, SMALLEST, document, with_service
from tests.people import support_policy

HOOK = {"url": "https://hooks.example.org/T1/s3cret?key=s3cret", "events": ["item.settled"]}


def parsed(path: str = "", value: Any = None, **more: Any) -> Policy:
    return parse_policy({**document(path, value), **more}, "goldloop.toml")


def test_the_stored_text_says_every_setting() -> None:
    for path, value in [("", None), *OTHER_VALUES.items()]:
        policy = parsed(path, value, webhooks={"crm": HOOK}, api={"body_bytes": 5000})
        again = parse_canonical(canonical_text(policy))
        assert again == policy, path
        assert policy_fingerprint(again) == policy_fingerprint(policy)
        assert again.queues[0].fingerprint == policy.queues[0].fingerprint


def test_each_setting_that_differs_is_one_change() -> None:
    for path, value in OTHER_VALUES.items():
        [change] = changes(parsed(), parsed(path, value))
        assert isinstance(change, SettingChanged)
        assert (change.section, change.setting) == ("queues.support", path)
    assert changes(parsed(), parsed()) == ()


def test_a_policy_file_that_is_shown_gives_the_same_policy() -> None:
    awkward = {"guideline": 'Say "no".\n\tC:\\dir \x7f 🙂', "labels": ["ham", {"name": "spam", "confidence": 0.5}]}
    for path, value in [("", None), *OTHER_VALUES.items(), *awkward.items()]:
        policy = parsed(path, value, api={"body_bytes": 5000})
        if path == "external.url":  # the one setting of a queue that is not shown
            continue
        assert parse_policy(tomllib.loads(policy_file(policy)), "shown") == policy, path


def test_sections_come_and_go() -> None:
    before = parsed(webhooks={"crm": HOOK})
    both = {"support": SMALLEST, "images": SMALLEST}
    after = parse_policy({"queues": both, "webhooks": {"desk": HOOK}}, "goldloop.toml")
    found = changes(before, after)
    assert set(found) == {SectionAdded("queues.images"), SectionAdded("webhooks.desk"), SectionRemoved("webhooks.crm")}
    assert "[queues.images]\n  new" in "\n".join(change_lines(found))
    assert any("GOLDLOOP_WEBHOOK_SECRET_DESK" in sentence for sentence in advice(found))


def test_what_may_be_secret_in_an_address_is_never_shown() -> None:
    before, after = (parsed(webhooks={"crm": {"url": url}}) for url in (HOOK["url"], f"{HOOK['url']}2"))
    lines = change_lines(changes(before, after))
    assert lines == ["[webhooks.crm]", "  url: changed (https://hooks.example.org/…; the rest is not shown)"]
    assert "s3cret" not in policy_file(after)
    without, there, moved = (
        parsed(*where) for where in (("", None), *(("external.url", f"https://models.example/s3cret{n}") for n in "12"))
    )
    came, went = change_lines(changes(without, there)), change_lines(changes(there, moved))
    assert came == ["[queues.support]", '  external.url: "" → "https://models.example/…"']
    assert went == ["[queues.support]", "  external.url: changed (https://models.example/…; the rest is not shown)"]
    assert "s3cret" not in policy_file(moved)
    assert "# url: an address at https://hooks.example.org/…, not shown" in policy_file(after)


def test_a_queue_that_a_service_trains_from_now_on_is_advised_of_its_labels() -> None:
    said = " ".join(advice(changes(parsed(), parse_policy(with_service(), "goldloop.toml"))))
    assert "queues.support: a service trains from now on, and golden labels are withheld" in said
    assert "must be installed" not in said


def test_changes_are_lines_that_can_be_read() -> None:
    before = support_policy(guideline="Money back is a refund.\nBe fair.", title="Tickets")
    labels = [{"name": "delivery", "confidence": 0.9}, "refund", "fraud"]
    after = support_policy(
        guideline="Money back is a refund.\nBe quick.",
        title="Support",
        consensus={"votes": 4},
        retraining={"cron": "0 3 * * mon"},
        reviewers=["U_ANA", "U_NEW", "U_EVA"],
        labels=labels,
    )
    assert change_lines(changes(before, after)) == [
        "[queues.support]",
        '  title: "Tickets" → "Support"',
        '  reviewers: + "U_NEW", \u2212 "U_BEN"',
        '  labels: + "fraud", \u2212 "billing error", order changed',
        "  guideline:",
        "    \u2212 Be fair.",
        "    + Be quick.",
        "  consensus.votes: 3 → 4",
        '  retraining.cron: none → "0 3 * * mon"',
        "  labels.delivery.confidence: none → 0.9",
    ]
