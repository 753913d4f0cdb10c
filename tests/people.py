"""The people of the tests. Ana, Ben and Eva review, Cleo leads, Dan is in the channel and may do neither."""

from typing import Any

from bot.sandbox.config import ChannelConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.slack.manifest import manifest
from core.policy import Policy
from core.policy.file import parse_policy

ANA, BEN, EVA, CLEO, DAN = "U_ANA", "U_BEN", "U_EVA", "U_CLEO", "U_DAN"
REVIEW, LEADS = "C_REVIEW", "C_LEADS"
LABELS = ("refund", "billing error", "delivery")
REMINDER = {"queue": "Support tickets", "model": "v1", "hours": 24}  # of a notice that a decision is pending


def workspace(reviewers: tuple[str, ...] = (ANA, BEN, EVA), rates: bool = False) -> SandboxConfig:
    named = {ANA: "ana", BEN: "ben", EVA: "eva", CLEO: "cleo", DAN: "dan"}
    people = tuple(PersonConfig(id=person, name=name) for person, name in named.items())
    others = tuple(PersonConfig(id=person, name=person.lower()) for person in reviewers if person not in named)
    everyone = (*named, *(person.id for person in others))
    app = app_from_manifest(manifest(), id="A_GOLDLOOP", name="goldloop")
    return SandboxConfig(
        people=people + others,
        channels=(
            ChannelConfig(REVIEW, "support-review", members=(*everyone, "A_GOLDLOOP")),
            ChannelConfig(LEADS, "support-leads", members=(CLEO, DAN, "A_GOLDLOOP")),
        ),
        apps=(app,),
        rates=rates,
    )


def support_policy(**sections: Any) -> Policy:
    """One queue "support". What is given here is laid over the tests' own defaults: never blind, as many votes as there
    are reviewers, retrain by command, without measuring weights."""
    queue: dict[str, Any] = {
        "title": "Support tickets",
        "channel": REVIEW,
        "leads_channel": LEADS,
        "reviewers": [ANA, BEN, EVA],
        "leads": [CLEO],
        "labels": list(LABELS),
        "guideline": "Money back is a refund; a wrong amount is a billing error.",
        "review": {"blind_share": 0.0},
        "consensus": {"votes": 3},
        "flagging": {"audit_share": 0.0},
        "golden": {"seed_share": 0.3},
    }
    queue.setdefault("retraining", {"corrections": 0, "error_weight": 2})
    for name, values in sections.items():
        queue[name] = {**queue.get(name, {}), **values} if isinstance(values, dict) else values
    return parse_policy({"queues": {"support": queue}}, "goldloop.toml")
