"""The sections [api] and [webhooks.NAME] of the policy file."""

from typing import Any

import pytest

from core.errors import Invalid
from core.policy import Policy
from core.policy.file import parse_policy
from core.vocabulary import EventKind
from tests.people import support_policy

SUPPORT = support_policy().queues[0].model_dump(mode="json", exclude={"name"})
PROMOTED = EventKind.MODEL_PROMOTED


def read(**sections: Any) -> Policy:
    return parse_policy({"queues": {"support": SUPPORT}, **sections}, "goldloop.toml")


def test_without_the_sections_the_defaults_hold_and_no_webhook_is_sent() -> None:
    policy = read()
    assert (policy.api.requests_per_minute, policy.webhooks) == (600, ())


def test_an_endpoint_hears_of_the_events_and_queues_that_it_names() -> None:
    policy = read(
        api={"requests_per_minute": 60},
        webhooks={
            "all": {"url": "https://helpdesk.example/hooks"},
            "some": {"url": "http://127.0.0.1:8000/", "events": ["model.promoted"], "queues": ["support"]},
        },
    )
    every, some = policy.webhooks
    assert policy.api.requests_per_minute == 60
    assert [every.wants(kind, "any") for kind in EventKind] == [True] * len(EventKind)
    assert [kind for kind in EventKind if some.wants(kind, "support")] == [PROMOTED]
    assert not some.wants(PROMOTED, "scans")


def test_the_sections_leave_the_fingerprint_of_a_queue_alone() -> None:
    assert read(api={"body_bytes": 5000}).queues[0].fingerprint == read().queues[0].fingerprint


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"api": {"requests_per_minute": 0}}, "api.requests_per_minute = 0"),
        ({"api": 3}, r"must be a section, like \[api\]"),
        ({"api": {"rate": 3}}, "api.rate is not a known setting"),
        ({"webhooks": 3}, r"\[webhooks.NAME\]"),
        ({"webhooks": {"x": {}}}, "webhooks.x.url is missing"),
        ({"webhooks": {"x": {"url": "http://helpdesk.example/"}}}, "must be an https:// address"),
        ({"webhooks": {"x": {"url": "ftp://helpdesk.example/"}}}, "must be an https:// address"),
        ({"webhooks": {"x": {"url": "https://a:b@helpdesk.example/"}}}, "must not contain a user name or password"),
        ({"webhooks": {"x": {"url": "https://["}}}, "webhooks.x.url"),
        ({"webhooks": {"X Y": {"url": "https://a.example"}}}, "webhooks.X Y.name"),
        ({"webhooks": {"x": {"url": "https://a.example", "events": ["item.opened"]}}}, "webhooks.x.events.0"),
        ({"webhooks": {"x": {"url": "https://a.example", "queues": ["scans"]}}}, "there is no queue “scans”"),
    ],
)
def test_what_cannot_be_used_is_named(sections: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(**sections)
