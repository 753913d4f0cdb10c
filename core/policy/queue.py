"""One queue's policy: its labels, people and channels, and a section for each subject.

Settings say where things are; the policy says how we decide. It is passed in, never imported. Each flag, correction,
run and decision stores `QueuePolicy.fingerprint`, so that it can be explained later under which rules it was taken.
"""

import hashlib
import json
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from core.policy.base import Probability, Section
from core.policy.consensus import ConsensusPolicy
from core.policy.flagging import FlaggingPolicy
from core.policy.golden import GoldenPolicy
from core.policy.privacy import PrivacyPolicy
from core.policy.promotion import PromotionPolicy
from core.policy.retraining import RetrainingPolicy
from core.policy.review import ReviewPolicy
from core.policy.workload import WorkloadPolicy
from core.vocabulary import NONE_OF_THESE, Role


class LabelPolicy(Section):
    """One label of a queue, in the order in which people see them."""

    name: str = Field(min_length=1, max_length=60, description="as stored, trained on and shown on the button")
    description: str = Field("", max_length=300, description="what belongs here; shown where one chooses")
    confidence: Probability | None = Field(
        None, description="flag below this confidence instead of `flagging.confidence`"
    )
    margin: Probability | None = Field(None, description="flag below this margin instead of `flagging.margin`")


class QueuePolicy(Section):
    """One model's stream of work."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="taken from the section's title")
    title: str = Field("", max_length=80, description="what people read; empty: the name")
    channel: str = Field(min_length=1, max_length=80, description="id of the reviewers' Slack channel")
    leads_channel: str = Field(
        min_length=1, max_length=80, description="id of the leads' Slack channel: reports and decisions"
    )
    reviewers: tuple[str, ...] = Field(
        (), description="Slack ids of people (`U…`) or user groups (`S…`) who may vote; empty: the channel's members"
    )
    leads: tuple[str, ...] = Field(
        min_length=1, description="ids of people or user groups who settle disputes and decide on models"
    )
    admins: tuple[str, ...] = Field(
        (),
        description="ids of people or user groups: leads who alone may overrule the golden gate; empty: each lead may",
    )
    labels: tuple[LabelPolicy, ...] = Field(min_length=2, max_length=1000, description="at least two")
    guideline: str = Field(
        "", max_length=20_000, description="instructions for reviewers; a changed text is a new version"
    )
    time_zone: str = Field("UTC", description="IANA name; says when a day begins for the daily cap")
    flagging: FlaggingPolicy = FlaggingPolicy()
    review: ReviewPolicy = ReviewPolicy()
    consensus: ConsensusPolicy = ConsensusPolicy()
    workload: WorkloadPolicy = WorkloadPolicy()
    golden: GoldenPolicy = GoldenPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    privacy: PrivacyPolicy = PrivacyPolicy()

    @field_validator("labels", mode="before")
    @classmethod
    def _names_alone_are_labels(cls, value: Any) -> Any:
        return [{"name": v} if isinstance(v, str) else v for v in value] if isinstance(value, list | tuple) else value

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, value: tuple[LabelPolicy, ...]) -> tuple[LabelPolicy, ...]:
        seen: set[str] = set()
        for label in value:
            if label.name == NONE_OF_THESE or label.name.startswith("|"):
                raise ValueError(f"a label may not be {label.name!r}: that is kept for the vote without a label")
            if label.name in seen:
                raise ValueError(f"the label {label.name!r} stands twice")
            seen.add(label.name)
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError("is not an IANA time zone such as Europe/Berlin")
        return value

    @model_validator(mode="after")
    def _votes_suffice(self) -> "QueuePolicy":
        if self.consensus.rule == "lead_by_2" and self.consensus.votes < 2:
            raise ValueError("consensus.votes = 1: must be at least 2 for lead_by_2")
        return self

    @model_validator(mode="after")
    def _leads_suffice(self) -> "QueuePolicy":
        """How many a user group holds is Slack's to say."""
        asked, leads = self.promotion.approvals, len(set(self.named(Role.LEAD)))
        if asked > leads and not any(is_group(one) for one in self.named(Role.LEAD)):
            raise ValueError(f"promotion.approvals = {asked}: must be at most the number of leads, which is {leads}")
        return self

    def named(self, role: Role) -> tuple[str, ...]:
        """Ids of the people and user groups who are to hold this role."""
        return {
            Role.REVIEWER: self.reviewers,
            Role.LEAD: (*self.leads, *self.admins),
            Role.ADMIN: self.admins,
        }[role]

    @property
    def channels(self) -> tuple[str, str]:
        """Ids: the reviewers', then the leads'."""
        return self.channel, self.leads_channel

    @property
    def shown_title(self) -> str:
        return self.title or self.name

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @cached_property
    def label_named(self) -> dict[str, LabelPolicy]:
        """Each prediction that comes in asks for its labels, of which there may be a thousand."""
        return {label.name: label for label in self.labels}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits over every value of this queue's policy, defaults included."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:16]

    def confidence_threshold(self, label: str) -> float:
        """Flag a prediction of `label` below this confidence."""
        known = self.label_named.get(label)
        return self.flagging.confidence if known is None or known.confidence is None else known.confidence

    def margin_threshold(self, label: str) -> float:
        """Flag a prediction of `label` whose two highest probabilities are closer than this."""
        known = self.label_named.get(label)
        return self.flagging.margin if known is None or known.margin is None else known.margin


@cache
def _time_zones() -> frozenset[str]:
    """Finding them opens hundreds of files."""
    return frozenset(available_timezones())


def is_group(named: str) -> bool:
    """Whether an id is that of a Slack user group; people's begin with U or W."""
    return named.startswith("S")
