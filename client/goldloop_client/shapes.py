"""The API's response types, under the names that they have in the OpenAPI document.

A newer server may send a code that is not in these vocabularies. It is then a plain `str`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field

MOST_ROWS = 1000  # in one request; the server accepts no more

Code = TypeVar("Code", bound=StrEnum)
OrNewer = Annotated[Code | str, Field(union_mode="left_to_right")]


class Reason(StrEnum):
    """Why a prediction was flagged."""

    UNCERTAIN = "uncertain"
    AUDIT = "audit"
    HELD_BACK = "held_back"
    PERSON = "person"
    DISAGREEMENT = "disagreement"
    DRIFT = "drift"
    WEAK_SLICE = "weak_slice"
    DISCOVERY = "discovery"


class PromiseStatus(StrEnum):
    """The state of the promise that few answers are wrong and unseen."""

    NOT_YET = "not_yet"
    KEPT = "kept"
    ABOVE_BUDGET = "above_budget"


class AnswerKind(StrEnum):
    """What a reviewer said. Only the first two are votes."""

    LABEL = "label"
    NONE_OF_THESE = "none_of_these"
    CANNOT_JUDGE = "cannot_judge"
    SKIP = "skip"
    WITHDRAWN = "withdrawn"


class ErrorReason(StrEnum):
    """Why the model was wrong, or why the case is odd."""

    NOISY_INPUT = "noisy_input"
    MISSING_CONTEXT = "missing_context"
    AMBIGUOUS = "ambiguous"
    GUIDELINE_GAP = "guideline_gap"
    WRONG_LABEL_DEFINITION = "wrong_label_definition"
    NEW_CLASS = "new_class"
    BIASED_OR_OUTDATED_DATA = "biased_or_outdated_data"
    OTHER = "other"


class ItemState(StrEnum):
    OPEN = "open"
    DISPUTED = "disputed"  # reviewers could not settle it: a lead decides
    SETTLED = "settled"
    ERASED = "erased"  # its text was erased before it was settled
    CLOSED = "closed"  # another model went live before it was answered


class Settler(StrEnum):
    """Who settled an item."""

    CONSENSUS = "consensus"
    LEAD = "lead"


class Destination(StrEnum):
    """Where a correction goes."""

    TRAINING = "training"
    GOLDEN = "golden"
    HELD_OUT = "held_out"  # a random check for estimates alone: it neither trains nor tests
    NOWHERE = "nowhere"  # "none of these": there is no label to learn
    BATCH = "batch"  # it counts for a batch of written texts; no correction of a prediction has it


class ModelState(StrEnum):
    CANDIDATE = "candidate"  # evaluated, waiting for a lead
    LIVE = "live"
    RETIRED = "retired"  # was live once
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # a newer candidate came before a lead decided


class ShadowState(StrEnum):
    """The state of a candidate that predicts beside the live model."""

    WAITING = "waiting"  # it begins at once
    RUNNING = "running"
    FINISHED = "finished"


class CanaryState(StrEnum):
    """The state of a canary. The first two are not over."""

    RUNNING = "running"
    PROPOSED = "proposed"  # it was found worse: a rollback is proposed, and a lead decides
    PASSED = "passed"
    KEPT = "kept"  # a lead ended it
    ENDED = "ended"  # another model went live, or the policy has no canary any more


@dataclass(frozen=True)
class Problem:
    """An error (RFC 9457). code: stable, for programs; detail: a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not stored. row: its place among the rows sent, from 1; field: the invalid field."""

    row: int
    field: str | None
    reason: str


@dataclass(frozen=True)
class Received:
    """new: rows stored now; repeated: rows already stored; flagged: new rows sent to the reviewers. unknown_labels: the
    labels outside the policy, with the number of rows that were rejected because of each."""

    new: int
    repeated: int
    flagged: int
    rejected: tuple[RejectedRow, ...] = ()
    unknown_labels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Predicted:
    """A prediction of the live model. item_id: the review item, if it was flagged; repeated: it was already stored."""

    external_id: str
    model_version: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    flagged: bool
    item_id: int | None
    repeated: bool


@dataclass(frozen=True)
class GoldenInput:
    """What a service is to answer: an input without its label. content_hash: by which its answer is submitted."""

    content_hash: str
    text: str
    image_url: str | None
    fields: dict[str, str]


@dataclass(frozen=True)
class Submitted:
    """answers: stored. repeated: the same submission was stored before."""

    run_id: int
    snapshot_id: int
    version: str
    answers: int
    repeated: bool


@dataclass(frozen=True)
class ItemLine:
    """One review item. Votes are left out: they are hidden until the item is settled."""

    id: int
    external_id: str
    model_version: str
    model_label: str | None
    confidence: float | None
    flags: tuple[OrNewer[Reason], ...]
    state: OrNewer[ItemState]
    blind: bool
    opened_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class ItemPage:
    """next: the cursor of the next page; more: whether that page already has items."""

    items: tuple[ItemLine, ...]
    next: int
    more: bool


@dataclass(frozen=True)
class GivenAnswer:
    """What one reviewer said, with their reason and note. person: None unless the policy reveals names."""

    kind: OrNewer[AnswerKind]
    label: str | None
    reason: OrNewer[ErrorReason] | None
    note: str
    person: str | None


@dataclass(frozen=True)
class CorrectionLine:
    """What an item was settled to. text, image_url, group, fields: empty if they were erased; label: None for "none of
    these"; reason, note: of the lead who decided, or of the votes that won; tally: votes for each label; answers: of
    all reviewers, oldest first. withheld: it is golden, in a queue whose models a service trains; what says the label
    is then None or empty."""

    id: int
    item_id: int
    external_id: str
    text: str
    image_url: str | None
    group: str | None
    fields: dict[str, str]
    model_version: str
    model_label: str | None
    label: str | None
    model_was_right: bool | None
    reason: OrNewer[ErrorReason] | None
    note: str
    tally: dict[str, int]
    answers: tuple[GivenAnswer, ...]
    settled_by: OrNewer[Settler]
    destination: OrNewer[Destination]
    guideline_version: int
    settled_at: datetime
    withheld: bool = False


@dataclass(frozen=True)
class CorrectionPage:
    """next, more: as for items. Continue from `next` later: no correction is skipped or repeated."""

    corrections: tuple[CorrectionLine, ...]
    next: int
    more: bool


@dataclass(frozen=True)
class GateFinding:
    """What the golden gate found. code: stable, with its values for programs; sentence: for people."""

    code: str
    values: dict[str, Any]
    sentence: str


@dataclass(frozen=True)
class Model:
    """One model of the queue, and what the golden gate found last. shadow, canary: None: it never was in one.
    canary_share: of the requests that it answers while a canary goes on, its own or that of the model that took over
    from it, which leaves it this share although its state is retired."""

    id: int
    name: str
    state: OrNewer[ModelState]
    learner: str
    created_at: datetime
    snapshot_id: int | None
    passed: bool
    blocks: tuple[GateFinding, ...]
    warnings: tuple[GateFinding, ...]
    shadow: OrNewer[ShadowState] | None
    canary: OrNewer[CanaryState] | None
    canary_share: float | None


@dataclass(frozen=True)
class Models:
    models: tuple[Model, ...]


@dataclass(frozen=True)
class Interval:
    """An estimate with its bounds, low <= estimate <= high."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class LabelEstimate:
    """right: how many of the answers with this label are right; None while its interval is too wide. audits: settled
    random checks of them."""

    label: str
    right: Interval | None
    audits: int


@dataclass(frozen=True)
class ProductionEstimate:
    """right: the share of the live model's answers that agree with what people settle, with a 95 % interval; None below
    30 settled audits. rows: its answers since it went live; reviewed: those that people look at. labels: by the
    label given, most rows first. model: None without any traffic."""

    model: str | None
    right: Interval | None
    audits: int
    rows: int
    reviewed: int
    labels: tuple[LabelEstimate, ...]


@dataclass(frozen=True)
class BudgetReading:
    """asked: items that the budget allows today; None: the volume of a day is not known yet. came: items opened today;
    waiting: predictions on the waiting list; lapsed: those that left it without an item in the last seven days."""

    budget: str
    asked: int | None
    came: int
    waiting: int
    lapsed: int


@dataclass(frozen=True)
class PromiseReading:
    """A promise in numbers. promised: the share of all answers that may be wrong and unseen; sure: the probability that
    this holds. audits: random checks that count; needed: the least number of them; days: until there are that many,
    None: not known. items_a_day: those that the promise needs; within_budget: the share that can be promised with the
    budget alone, None: none. agreed: items a day to which a lead said yes. alarm: the day of an alarm of drift from
    which on audits count; None: there was none."""

    promised: float
    sure: float
    status: PromiseStatus
    audits: int
    needed: int | None
    days: int | None
    items_a_day: int | None
    within_budget: float | None
    agreed: int | None
    alarm: date | None = None


@dataclass(frozen=True)
class StatsCard:
    """agreement: Krippendorff's alpha over the newest settled items, None with too few votes. errors_by_label: pairs of
    a right label and the errors that reviewers caught, most first. production: how often the live model is right.
    budget, promise: None where the queue has none."""

    queue_title: str
    open: int
    disputed: int
    settled_today: int
    settled: int
    agreement: float | None
    votes_per_item: float | None
    errors_by_label: tuple[tuple[str, int], ...]
    production: ProductionEstimate
    budget: BudgetReading | None
    promise: PromiseReading | None
    live: str | None
