"""Every threshold of the product, frozen. A file `goldloop.toml` is read over the defaults below (policy_file.py).

Settings say where things are; the policy says how we decide. It is passed in, never imported. Each flag, correction,
run and decision stores `QueuePolicy.fingerprint`, so that it can be explained later under which rules it was taken.
"""

import hashlib
import json
from functools import cache, cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.connections import ApiPolicy, WebhookEndpoint
from core.crontab import crontab_problem
from core.errors import NotFound
from core.text.masking import Kind, mask, pattern_problem, region_problem
from core.vocabulary import NONE_OF_THESE, Role

Share = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    # Defaults are validated too: 2 and 2.0 are one value, but as JSON they would be two fingerprints.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)


class LabelPolicy(_Section):
    """One label of a queue, in the order in which people see them."""

    name: str = Field(min_length=1, max_length=60, description="as stored, trained on and shown on the button")
    description: str = Field("", max_length=300, description="what belongs here; shown where one chooses")
    confidence: Probability | None = Field(
        None, description="flag below this confidence instead of `flagging.confidence`"
    )
    margin: Probability | None = Field(None, description="flag below this margin instead of `flagging.margin`")


class FlaggingPolicy(_Section):
    """Which predictions deserve a person's look."""

    confidence: Probability = Field(0.8, description="flag a prediction whose top probability is below this")
    margin: Probability = Field(0.1, description="flag when the top two probabilities are closer than this")
    audit_share: Share = Field(0.05, description="random share of the confident predictions that people check")


class ReviewPolicy(_Section):
    """What reviewers see."""

    blind_share: Share = Field(
        1 / 3, description="share of items shown without the model's guess; only these may become golden"
    )
    buttons: int = Field(
        4, ge=1, le=20, description="labels offered as buttons beside the model's guess; the others are under Other…"
    )
    reveal: Literal["tally", "names"] = Field(
        "tally", description="what everyone sees of the votes once an item is settled"
    )


class ConsensusPolicy(_Section):
    """When several people's votes become a verdict."""

    rule: Literal["lead_by_2", "majority"] = Field(
        "lead_by_2",
        description="`lead_by_2`: stop when one answer is two ahead; `majority`: when it has over half of `votes`",
    )
    votes: int = Field(3, ge=1, le=15, description="at most this many votes per item; then a lead decides")
    cannot_judge: int = Field(2, ge=1, le=15, description='this many "cannot judge" bring the item to a lead')


class WorkloadPolicy(_Section):
    """People's time is the budget."""

    daily_cap: int = Field(
        120, ge=1, le=10_000, description="votes per person and day (the queue's time zone); then: tomorrow"
    )


class GoldenPolicy(_Section):
    """Verified examples that never train."""

    seed_share: Share = Field(0.1, description="random share (by content hash) of the seed file that becomes golden")
    random_share: Share = Field(
        0.1, description="random share of the blind items that becomes golden, whatever the model said"
    )
    near_duplicate: float = Field(
        0.92,
        ge=0.5,
        le=1,
        description="training rows this similar to a golden one (cosine of character n-grams) are left out",
    )


class RetrainingPolicy(_Section):
    """When a new candidate is made, and of what."""

    cron: str | None = Field(
        None, description="five fields in UTC, weekdays by name, e.g. `0 3 * * mon`; none: no schedule"
    )
    corrections: int = Field(
        50, ge=0, le=1_000_000, description="retrain when this many new corrections have come; 0: never because of them"
    )
    error_weight: float = Field(2, gt=0, le=10, description="weight of a corrected row; a seed row has 1")
    confirmed_weight: float = Field(1, gt=0, le=10, description="weight of a row on which the model was right")
    learner: str = Field("text", description="name of an entry point in the group `goldloop.learners`")

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        problem = None if value is None else crontab_problem(value)
        if problem:
            raise ValueError(problem)
        return value


class PromotionPolicy(_Section):
    """The golden gate, and who says yes."""

    approvals: int = Field(1, ge=1, le=10, description="leads who must react with :white_check_mark:")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="level of the paired tests that block a candidate")
    class_rows: int = Field(
        20, ge=2, le=10_000, description="golden rows a label needs to be tested alone; fewer: listed only"
    )
    non_inferiority: float = Field(0.01, ge=0, le=1, description="warn when a fall of this size cannot be excluded")
    reminder_hours: float = Field(24, gt=0, le=720, description="remind the leads when a candidate waits this long")


class PrivacyPolicy(_Section):
    """What of people's data is shown, what is stored, and for how long."""

    mask: tuple[Kind, ...] = Field(
        (), description="what is replaced before anybody sees it: any of `email`, `phone`, `card`, `iban`"
    )
    phone_region: str = Field(
        "", description='country whose phone numbers are known without "+", e.g. `DE`; empty: only those with it'
    )
    patterns: tuple[str, ...] = Field(
        (), max_length=20, description="own regular expressions (RE2 syntax) whose matches are replaced too"
    )
    keep_original: bool = Field(
        True, description="`true`: the original is stored and trained on; `false`: only the masked text ever is"
    )
    retention_days: int = Field(
        0, ge=0, le=36_500, description="erase what neither trained nor became golden after so many days; 0: keep"
    )

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, value: str) -> str:
        if problem := region_problem(value):
            raise ValueError(problem)
        return value

    @field_validator("patterns")
    @classmethod
    def _usable_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if problem := pattern_problem(pattern):
                raise ValueError(f"{pattern!r} {problem}")
        return value

    def shown(self, text: str) -> str:
        """The text as people and exports may see it."""
        return mask(text, self.mask, self.phone_region, self.patterns) if self.mask or self.patterns else text

    def stored(self, text: str) -> str:
        """The text as the database, and so training, may have it."""
        return text if self.keep_original else self.shown(text)


class QueuePolicy(_Section):
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


class Policy(_Section):
    """All queues, and other systems."""

    queues: tuple[QueuePolicy, ...] = Field(min_length=1)
    api: ApiPolicy = ApiPolicy()
    webhooks: tuple[WebhookEndpoint, ...] = ()

    @property
    def channels(self) -> list[str]:
        """Ids of the channels that any queue uses, each once."""
        return list(dict.fromkeys(channel for queue in self.queues for channel in queue.channels))

    @property
    def groups(self) -> list[str]:
        """Ids of the user groups that hold a role in any queue, each once."""
        named = (one for queue in self.queues for role in Role for one in queue.named(role))
        return list(dict.fromkeys(one for one in named if is_group(one)))

    def queue(self, name: str) -> QueuePolicy:
        """Raises NotFound if the policy file has no such queue (any more)."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise NotFound(
            f"There is no queue “{name}” in goldloop.toml. It has: {', '.join(q.name for q in self.queues)}."
        )
