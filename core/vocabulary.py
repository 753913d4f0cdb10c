"""Words that are stored, decided on and shown. One word per idea, the same in tables, buttons and docs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class Reason(StrEnum):
    """Why a prediction deserves a look (a flag)."""

    UNCERTAIN = "uncertain"
    AUDIT = "audit"
    PERSON = "person"


class AnswerKind(StrEnum):
    """What a reviewer said about an item. Only the first two are votes."""

    LABEL = "label"
    NONE_OF_THESE = "none_of_these"
    CANNOT_JUDGE = "cannot_judge"
    SKIP = "skip"
    WITHDRAWN = "withdrawn"

    @property
    def is_vote(self) -> bool:
        return self in (AnswerKind.LABEL, AnswerKind.NONE_OF_THESE)


class ErrorReason(StrEnum):
    """Why the model was wrong, or why the case is odd: the error taxonomy that "Why?" offers."""

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
    ERASED = "erased"  # its text was erased before it was settled: nothing is left to judge


class Settler(StrEnum):
    """Who settled an item."""

    CONSENSUS = "consensus"
    LEAD = "lead"


class Destination(StrEnum):
    """Where a correction goes: never to two places (the provenance firewall)."""

    TRAINING = "training"
    GOLDEN = "golden"
    NOWHERE = "nowhere"  # "none of these": there is no label to learn


class Stratum(StrEnum):
    """How a golden example came in. The two are always reported apart."""

    RANDOM = "random"
    PAST_ERROR = "past_error"


class Source(StrEnum):
    """Where a row of a snapshot came from."""

    SEED = "seed"
    CORRECTION = "correction"


class Trigger(StrEnum):
    """Why a training run was requested."""

    CRON = "cron"
    CORRECTIONS = "corrections"
    COMMAND = "command"


class RunState(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ModelState(StrEnum):
    CANDIDATE = "candidate"  # evaluated, waiting for a lead
    LIVE = "live"
    RETIRED = "retired"  # was live once; a roll-back may bring it back
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # a newer candidate came before a lead decided


class DecisionKind(StrEnum):
    PROMOTE = "promote"
    OVERRULE = "overrule"  # promoted by a lead although the gate refused it
    REJECT = "reject"
    ROLL_BACK = "roll_back"


class Card(StrEnum):
    """Messages that must show the present state of a row."""

    REVIEW_ITEM = "review_item"
    RUN = "run"
    CANDIDATE = "candidate"
    CHART = "chart"


class NoticeKind(StrEnum):
    """One-off words to somebody; each is sent once."""

    NOT_A_LEAD = "not_a_lead"
    REACTION_REFUSED = "reaction_refused"
    DECISION_PENDING = "decision_pending"
    COMPARISON_FAILED = "comparison_failed"
    INCIDENT = "incident"  # people have to resolve something before messages are delivered; or it is resolved


class Audience(StrEnum):
    REVIEWERS = "reviewers"
    LEADS = "leads"


class Role(StrEnum):
    """What a person may do in a queue. Every admin is a lead too."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"


class Scope(StrEnum):
    """What the holder of an API token may do."""

    INGEST = "ingest"  # send predictions
    READ = "read"  # items, corrections, models, snapshots, readings
    PREDICT = "predict"  # ask the live model


class EventKind(StrEnum):
    """What other systems are told by webhook."""

    ITEM_SETTLED = "item.settled"
    MODEL_PROMOTED = "model.promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; `goldloop webhooks replay` tries again


OPERATOR = "operator"  # who acts by the terminal; everybody else is known by their Slack id
NONE_OF_THESE = "None of these"  # how the vote without a label is written in tallies and on buttons


def shown_answer(label: str | None) -> str:
    return NONE_OF_THESE if label is None else label


Word = TypeVar("Word", bound=StrEnum)


class IncompleteTableError(Exception):
    """A table that is keyed by a vocabulary lacks some of its words. A fault of the code, found at start."""


def require_exhaustive(table: Mapping[Word, object], vocabulary: type[Word], what: str) -> None:
    """Raises IncompleteTableError, naming the words of the vocabulary that the table has no entry for. what: what the
    entries are, for the message."""
    missing = [word.value for word in vocabulary if word not in table]
    if missing:
        raise IncompleteTableError(f"There is no {what} for {vocabulary.__name__} {', '.join(missing)}.")
