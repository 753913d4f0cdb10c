"""A queue's policy: its labels, people and channels, and a section for each subject.

Settings (bot/runtime/settings.py) are addresses and paths; the policy has all rules of decisions. It is an argument,
never a global. Each flag, correction, run and decision stores `QueuePolicy.fingerprint`, so that the rules behind it
are known later.
"""

import hashlib
import json
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from core.policy.base import Probability, Section
from core.policy.consensus import ConsensusPolicy
from core.policy.discovery import DiscoveryPolicy
from core.policy.drift import DriftPolicy
from core.policy.encoder import ON_OWN_ENCODER, EncoderPolicy
from core.policy.external import EXTERNAL, ExternalPolicy
from core.policy.flagging import FlaggingPolicy
from core.policy.golden import GoldenPolicy
from core.policy.privacy import PrivacyPolicy
from core.policy.promotion import PromotionPolicy
from core.policy.retraining import RetrainingPolicy
from core.policy.review import ReviewPolicy
from core.policy.rollout import RolloutPolicy
from core.policy.slices import SlicesPolicy
from core.policy.synthetic import SyntheticPolicy
from core.policy.workload import WorkloadPolicy
from core.vocabulary import NONE_OF_THESE, Role


class LabelPolicy(Section):
    """A label of a queue. People see labels in the order of the file."""

    name: str = Field(min_length=1, max_length=60, description="the label, as stored, trained on and shown on buttons")
    description: str = Field("", max_length=300, description="what the label covers; shown in the list of labels")
    confidence: Probability | None = Field(None, description="replaces `flagging.confidence` for this label")
    margin: Probability | None = Field(None, description="replaces `flagging.margin` for this label")


class QueuePolicy(Section):
    """`[queues.NAME]`: a stream of predictions by one model, and the people who review it."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="the NAME of the section")
    title: str = Field("", max_length=80, description="name that people see; empty: NAME")
    channel: str = Field(min_length=1, max_length=80, description="Slack id of the channel in which reviewers vote")
    leads_channel: str = Field(
        min_length=1, max_length=80, description="Slack id of the channel for reports and decisions"
    )
    reviewers: tuple[str, ...] = Field(
        (),
        description="Slack ids of people (`U…`) or user groups (`S…`) who may vote; empty: all members of `channel`",
    )
    leads: tuple[str, ...] = Field(
        min_length=1, description="Slack ids of the people or user groups who settle disputes and decide on models"
    )
    admins: tuple[str, ...] = Field(
        (),
        description="Slack ids of leads, or their user groups, who may overrule the golden gate; empty: all leads may",
    )
    labels: tuple[LabelPolicy, ...] = Field(
        min_length=2, max_length=1000, description="the labels that reviewers choose from, at least two"
    )
    guideline: str = Field(
        "", max_length=20_000, description="instructions for reviewers; changing the text creates a new version"
    )
    time_zone: str = Field("UTC", description="IANA time zone of the queue's days, for daily caps, budgets and drift")
    flagging: FlaggingPolicy = FlaggingPolicy()
    review: ReviewPolicy = ReviewPolicy()
    consensus: ConsensusPolicy = ConsensusPolicy()
    workload: WorkloadPolicy = WorkloadPolicy()
    golden: GoldenPolicy = GoldenPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    encoder: EncoderPolicy = EncoderPolicy()
    external: ExternalPolicy = ExternalPolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    rollout: RolloutPolicy = RolloutPolicy()
    drift: DriftPolicy = DriftPolicy()
    slices: SlicesPolicy = SlicesPolicy()
    discovery: DiscoveryPolicy = DiscoveryPolicy()
    synthetic: SyntheticPolicy = SyntheticPolicy()
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
                raise ValueError(f"the label {label.name!r} is reserved for votes without a label")
            if label.name in seen:
                raise ValueError(f"the label {label.name!r} is listed twice")
            seen.add(label.name)
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError("must be an IANA time zone such as Europe/Berlin")
        return value

    @model_validator(mode="after")
    def _votes_suffice(self) -> "QueuePolicy":
        if self.consensus.rule == "lead_by_2" and self.consensus.votes < 2:
            raise ValueError("consensus.votes = 1: must be at least 2 for lead_by_2")
        return self

    @model_validator(mode="after")
    def _leads_suffice(self) -> "QueuePolicy":
        """Check that there are as many leads as approvals. A user group has an unknown number of members, so with one,
        any number is accepted."""
        needed, leads = self.promotion.approvals, len(set(self.named(Role.LEAD)))
        if needed > leads and not any(is_group(one) for one in self.named(Role.LEAD)):
            raise ValueError(f"promotion.approvals = {needed}: must be at most the number of leads, which is {leads}")
        return self

    @model_validator(mode="after")
    def _service_is_named(self) -> "QueuePolicy":
        missing = [name for name in ("webhook", "url") if not getattr(self.external, name)]
        if self.trains_elsewhere and missing:
            raise ValueError(f'retraining.learner = "{EXTERNAL}": needs external.{" and external.".join(missing)}')
        return self

    @model_validator(mode="after")
    def _encoder_is_named(self) -> "QueuePolicy":
        missing = [name for name, value in self.encoder.model_dump().items() if not value]
        if self.retraining.learner in ON_OWN_ENCODER and missing:
            needed = " and ".join(f"encoder.{name}" for name in missing)
            raise ValueError(f'retraining.learner = "{self.retraining.learner}": needs {needed}')
        return self

    def named(self, role: Role) -> tuple[str, ...]:
        """Ids of the people and user groups with this role."""
        return {
            Role.REVIEWER: self.reviewers,
            Role.LEAD: (*self.leads, *self.admins),
            Role.ADMIN: self.admins,
        }[role]

    @property
    def trains_elsewhere(self) -> bool:
        """Whether an external service trains the models. If so, nothing that leaves Goldloop may reveal a golden
        label."""
        return self.retraining.learner == EXTERNAL

    @property
    def channels(self) -> tuple[str, str]:
        """Ids of the reviewers' and the leads' channel, in this order."""
        return self.channel, self.leads_channel

    @property
    def shown_title(self) -> str:
        return self.title or self.name

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @cached_property
    def label_named(self) -> dict[str, LabelPolicy]:
        """Labels by name: every prediction looks its labels up, and there may be a thousand."""
        return {label.name: label for label in self.labels}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of a hash over every value of this queue's policy, including defaults."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def label_thresholds(self) -> dict[str, tuple[float, float]]:
        """By label, the confidence and the margin below which a prediction of it is flagged."""
        flagging = self.flagging
        return {
            label.name: (
                flagging.confidence if label.confidence is None else label.confidence,
                flagging.margin if label.margin is None else label.margin,
            )
            for label in self.labels
        }

    def thresholds(self, label: str) -> tuple[float, float]:
        """The confidence and the margin below which a prediction of `label` is flagged; for a label that the policy
        does not have, those of the queue."""
        known = self.label_thresholds.get(label)
        return (self.flagging.confidence, self.flagging.margin) if known is None else known

    def confidence_threshold(self, label: str) -> float:
        """The confidence below which a prediction of `label` is flagged."""
        return self.thresholds(label)[0]

    def margin_threshold(self, label: str) -> float:
        """The margin below which a prediction of `label` is flagged."""
        return self.thresholds(label)[1]

    @cached_property
    def idle_margins(self) -> tuple[str, ...]:
        """Keys of the margins in the policy file that can never flag a prediction, because two probabilities are so
        close only if the confidence is below its threshold already. At confidence c, they are at least 2c - 1 apart."""
        typed = {f"labels.{label.name}.margin": [label.name] for label in self.labels if label.margin is not None}
        if "margin" in self.flagging.model_fields_set:
            typed["flagging.margin"] = [label.name for label in self.labels if label.margin is None]
        return tuple(key for key, labels in typed.items() if labels and not any(map(self._margin_can_flag, labels)))

    def _margin_can_flag(self, label: str) -> bool:
        margin = self.margin_threshold(label)
        return margin == 0 or margin > 2 * self.confidence_threshold(label) - 1


@cache
def _time_zones() -> frozenset[str]:
    """Cached, because listing them opens hundreds of files."""
    return frozenset(available_timezones())


def is_group(named: str) -> bool:
    """Whether an id names a Slack user group. Ids of people begin with U or W."""
    return named.startswith("S")
