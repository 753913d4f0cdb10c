"""The vocabularies: words that are stored, decided on and shown, by subject. One word per idea, the same in tables,
buttons and docs.

Rows store a word as text of at most 32 characters, so a new one needs no migration. The subjects, in this order: flags,
review items, the golden set, training data, training runs, the golden gate, models, traffic, scans, written texts,
people, messages, webhooks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar


@dataclass(frozen=True)
class Coded:
    """A code of one of these vocabularies, with the values of its sentence. Rows hold it; bot/wording writes the
    sentence when it is shown. A newer release may have stored a code that is not known here."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The code and its values, for a JSON column that holds several."""
        return {"code": self.code, "values": dict(self.values)}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "Coded":
        return Coded(stored["code"], stored["values"])


# Flags, and what becomes of a flagged prediction.


class Reason(StrEnum):
    """Why a prediction is flagged, so that people look at it."""

    UNCERTAIN = "uncertain"
    AUDIT = "audit"
    HELD_BACK = "held_back"
    PERSON = "person"
    DISAGREEMENT = "disagreement"  # another model gives another label
    DRIFT = "drift"  # it resembles the predictions that raised a drift alarm
    WEAK_SLICE = "weak_slice"  # it is in a slice about which a lead has people asked
    DISCOVERY = "discovery"  # a scan found it in unlabelled texts; it is not traffic


class WaitState(StrEnum):
    """The state of a flagged prediction under a budget."""

    WAITING = "waiting"
    OPENED = "opened"
    LAPSED = "lapsed"  # more suspicious ones took the budget for as long as it could wait


# Review items: the question, the answers and the outcome.


class QuestionAbout(StrEnum):
    """What a review item asks about."""

    PREDICTION = "prediction"  # is the model's label right
    GOLDEN = "golden"  # is the stored label of a golden example right
    TRAINING_ROW = "training_row"  # is the label of a row that trains right
    SYNTHETIC = "synthetic"  # is the label right for which a language model wrote the text


class ItemState(StrEnum):
    """The state of a review item. The first two are undecided."""

    OPEN = "open"
    DISPUTED = "disputed"  # reviewers could not settle it: a lead decides
    SETTLED = "settled"
    ERASED = "erased"  # its text was erased before it was settled: nothing is left to judge
    CLOSED = "closed"  # another model went live, or its batch of written texts ended, before it was answered

    @property
    def is_undecided(self) -> bool:
        return self in (ItemState.OPEN, ItemState.DISPUTED)


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

    @property
    def judges(self) -> bool:
        """Whether such an answer counts in a dispute: votes and "cannot judge" do."""
        return self.is_vote or self is AnswerKind.CANNOT_JUDGE


class ErrorReason(StrEnum):
    """Why the model was wrong, or why the case is odd: the error taxonomy of the form "Why?"."""

    NOISY_INPUT = "noisy_input"
    MISSING_CONTEXT = "missing_context"
    AMBIGUOUS = "ambiguous"
    GUIDELINE_GAP = "guideline_gap"
    WRONG_LABEL_DEFINITION = "wrong_label_definition"
    NEW_CLASS = "new_class"
    BIASED_OR_OUTDATED_DATA = "biased_or_outdated_data"
    OTHER = "other"


class DisputeReason(StrEnum):
    """Why reviewers could not settle an item."""

    CANNOT_JUDGE = "cannot_judge"  # values: count, of reviewers
    NO_AGREEMENT = "no_agreement"  # values: count, of votes
    NO_REVIEWER_LEFT = "no_reviewer_left"


class Settler(StrEnum):
    """How an item was settled: by votes or by a lead."""

    CONSENSUS = "consensus"
    LEAD = "lead"


class Destination(StrEnum):
    """Where a correction goes: never to two places (the provenance firewall)."""

    TRAINING = "training"
    GOLDEN = "golden"
    HELD_OUT = "held_out"  # audited, or held back at random: used only for estimates of the model's accuracy
    NOWHERE = "nowhere"  # "none of these": there is no label to learn
    BATCH = "batch"  # it counts for a batch of written texts, which trains or is refused as a whole


# The golden set.


class Stratum(StrEnum):
    """How a golden example was selected. The two are always reported separately."""

    RANDOM = "random"
    PAST_ERROR = "past_error"


class Origin(StrEnum):
    """Where a golden example came from, and so whether it represents traffic."""

    SEED = "seed"  # labelled data from before; not traffic
    FLAGGED = "flagged"  # an input that reviewers saw because a rule or a person flagged it
    AUDITED = "audited"  # all traffic, drawn by the audit
    IMPORTED = "imported"  # an imported test set; not traffic
    ADDED = "added"  # chosen by a lead; not traffic

    @property
    def is_traffic(self) -> bool:
        return self in (Origin.FLAGGED, Origin.AUDITED)


class GoldenChangeKind(StrEnum):
    """What was changed in the golden set, by hand or by a second look."""

    ADDED = "added"
    RELABELLED = "relabelled"
    RETIRED = "retired"


# Training data.


class Source(StrEnum):
    """Where a row of a snapshot came from."""

    SEED = "seed"
    CORRECTION = "correction"
    SYNTHETIC = "synthetic"  # a language model wrote it, and people confirmed a part of its batch


class Modality(StrEnum):
    """A part of an input that a learner can read."""

    TEXT = "text"
    IMAGE = "image"
    FIELDS = "fields"


class SuspectReason(StrEnum):
    """Why a stored label may be wrong."""

    OUT_OF_FOLD = "out_of_fold"  # models that were fitted without the row say another label
    SEED_CONFLICT = "seed_conflict"  # a seed example has the same content with another label


# Training runs.


class Trigger(StrEnum):
    """Why a training run was requested."""

    CRON = "cron"
    CORRECTIONS = "corrections"
    DRIFT = "drift"  # a drift alarm, after which the policy retrains
    COMMAND = "command"


class RunState(StrEnum):
    """The state of a training run."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RunStep(StrEnum):
    """How far a training run is."""

    WAITING = "waiting"
    SHADOW = "shadow"  # values: model, the candidate whose shadow it waits for
    SNAPSHOT_TAKEN = "snapshot_taken"  # values: rows
    OTHER_RUN = "other_run"  # values: run, an earlier one, whose service has not answered
    SERVICE_ASKED = "service_asked"  # values: rows, golden (inputs), until (ISO 8601)
    SERVICE_REFUSED = "service_refused"  # values: sentence, why its answers were not accepted; until
    SERVICE_AWAY = "service_away"  # values: sentence; the model cannot be compared until the service answers
    WEIGHING = "weighing"  # values: part, parts
    ROWS_LEFT_OUT = "rows_left_out"  # values: rows, reads: the learner reads none of what they have
    ENCODING = "encoding"  # values: rows, whose vectors a sentence encoder computes
    CALIBRATING = "calibrating"  # values: part, parts
    FITTING = "fitting"  # values: rows
    OTHER = "other"  # values: phrase, in the words of a learner of another package
    DONE = "done"


class RunProblem(StrEnum):
    """Why a training run, or a comparison, was given up."""

    REFUSED = "refused"  # values: sentence, of the refusal
    ROWS_ERASED = "rows_erased"  # values: fits; each time, rows were erased before the model was stored
    WORKER_DIED = "worker_died"  # values: attempts
    FAILED_REPEATEDLY = "failed_repeatedly"  # values: attempts


class WeightChoice(StrEnum):
    """Where the training weight of the rows that correct the model came from in a run. Each has the value weight."""

    POLICY = "policy"  # the policy names a number
    MEASURED = "measured"  # values: why (of `SweepReason`), rows, rows_before, learner, seconds, trials
    KEPT = "kept"  # values: run (that measured it), rows, rows_before
    EXTERNAL = "external"  # a service trains, so nothing is measured here
    NO_CORRECTIONS = "no_corrections"  # no training row corrects the model
    TOO_FEW = "too_few"  # values: corrections (rows that correct the model), needed; a measurement would be chance
    REFUSED = "refused"  # values: sentence, of the refusal that ended the measurement


class SweepReason(StrEnum):
    """Why a run measured the training weight."""

    FIRST = "first"
    ROWS_GREW = "rows_grew"
    LEARNER_CHANGED = "learner_changed"


# The golden gate.


class GateBlock(StrEnum):
    """Why the golden gate refuses a candidate. `live`: right answers of what it is compared with."""

    BEHIND_GUESS = "behind_guess"  # values: n, guess, candidate (right answers; of a first model)
    WORSE = "worse"  # values: baseline, n, regressions, improvements, p_value
    MORE_REGRESSIONS = (
        "more_regressions"  # values: baseline, n, past_errors (among them), regressions, improvements, p_value
    )
    PIN_REGRESSED = "pin_regressed"  # values: baseline, examples
    LABEL_WORSE = "label_worse"  # values: baseline, label, n, live, candidate, p_value
    ROWS_GONE = "rows_gone"  # values: label, live, candidate (training rows of each that have the label)
    SILENT_LABEL = "silent_label"  # values: label, texts, live, candidate (how often each says it), p_value
    LABELS_EXCHANGED = "labels_exchanged"  # values: labels, texts, live, exchanged (two counts each)
    LABELS_SWAPPED = "labels_swapped"  # values: labels
    LABEL_LOST = "label_lost"  # values: baseline, label, n, live
    TRAINING_WORSE = "training_worse"  # values: n (rows that both models have), regressions, improvements, p_value


class GateWarning(StrEnum):
    """What the golden gate could not see, or wants a lead to know."""

    LIVE_UNUSABLE = "live_unusable"  # values: sentence, of the refusal
    NOTHING_TESTED = "nothing_tested"  # values: past_errors
    NO_RANDOM_EXAMPLES = "no_random_examples"  # values: past_errors, that count
    FEW_EXAMPLES = "few_examples"  # values: n, detectable_drop (a share, or None)
    DROP_POSSIBLE = "drop_possible"  # values: drop, measured, allowed (shares)
    LABELS_UNTESTED = "labels_untested"  # values: untested, labels, needed
    UNREVIEWED_WORSE = "unreviewed_worse"  # values: live, live_n, candidate, candidate_n
    CONFIDENCE_WORSE = "confidence_worse"  # values: live, candidate (shares)
    NO_MODEL_TO_COMPARE = "no_model_to_compare"
    NOT_COMPARED = "not_compared"  # values: count
    NO_HELD_OUT = "no_held_out"  # a model of a service says nothing about training rows that are held out
    FEW_TRAINING_ROWS = "few_training_rows"  # values: rows (of each label below the floor), floor


# Models: from the candidate to the live model, and back.


class ModelState(StrEnum):
    """The state of a model, from its first report on."""

    CANDIDATE = "candidate"  # evaluated, waiting for a lead
    LIVE = "live"
    RETIRED = "retired"  # was live once; a rollback may make it live again
    REJECTED = "rejected"
    SUPERSEDED = "superseded"  # a newer candidate came before a lead decided


class DecisionKind(StrEnum):
    """What was decided about a model."""

    PROMOTE = "promote"
    OVERRULE = "overrule"  # promoted by a lead although the gate refused it
    REJECT = "reject"
    EXPIRE = "expire"  # the leads said nothing in time: no decision, and they are asked again
    ROLL_BACK = "roll_back"
    KEEP = "keep"  # a lead ended its canary: it answers all callers


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


class CanaryVerdict(StrEnum):
    """The result of one planned look at a canary: how the new model compares with the one before it."""

    NOT_YET = "not_yet"  # too few settled items
    NOT_WORSE = "not_worse"
    WORSE = "worse"


class EvidenceFault(StrEnum):
    """What is wrong with an evidence pack. All but the last have the value file."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    UNREADABLE = "unreadable"
    DISAGREES = "disagrees"  # the snapshot's description differs from that in other files
    OTHER_DIGEST = "other_digest"  # values: expected, found


# Traffic: where the model is weak, what has changed, and what leads can do about it.


class SliceKind(StrEnum):
    """The property that distinguishes a part of the traffic from the rest."""

    FIELD = "field"
    LABEL = "label"  # that the model gave
    PAIR = "pair"  # the label that the model gave, and the second most likely one
    LENGTH = "length"
    STRANGE_WORDS = "strange_words"  # another language, or numbers and names
    TERM = "term"


class AskingState(StrEnum):
    """The state of a lead's request to ask people about a weak slice. Only the first is not over."""

    ASKING = "asking"
    STOPPED = "stopped"  # by a lead
    ENOUGH = "enough"  # as many items as the policy allows were opened
    LAPSED = "lapsed"  # the policy's days are over
    OUTDATED = "outdated"  # another model than the one that is weak there answers


class DriftSign(StrEnum):
    """The reading of a queue that differs from the days before."""

    NONE_OF_THESE = "none_of_these"  # more rows for which no label fits
    CORRECTIONS = "corrections"  # more wrong answers with one label
    CONFIDENCE = "confidence"  # more rows of which the model is unsure
    VOLUME = "volume"  # more or fewer rows


class OfferAbout(StrEnum):
    """What a lead is offered help for."""

    SLICE = "slice"
    ALARM = "alarm"


class OfferKind(StrEnum):
    """What a lead is offered where the model is weak or the traffic changed."""

    FIND_MORE = "find_more"
    ASK_PEOPLE = "ask_people"
    WRITE_EXAMPLES = "write_examples"


class PromiseStatus(StrEnum):
    """The state of the promise that few answers are wrong and unseen."""

    NOT_YET = "not_yet"  # too few audits, or too many of them wrong
    KEPT = "kept"
    ABOVE_BUDGET = "above_budget"  # it needs more items than the budget, and no lead has agreed to them


# Scans of unlabelled texts.


class ScanState(StrEnum):
    """The state of a search in unlabelled texts. The first two are not over."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self not in (ScanState.REQUESTED, ScanState.RUNNING)


class ShardState(StrEnum):
    """The state of a part of a scan's source."""

    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class FindState(StrEnum):
    """The state of a text that a scan found."""

    WAITING = "waiting"
    OPENED = "opened"  # it became a review item
    DROPPED = "dropped"  # the live model is sure of it now, it arrived in another way, or it was kept too long
    ERASED = "erased"


# Texts that a language model writes.


class SyntheticState(StrEnum):
    """The state of a batch of texts that a language model writes. The first two are not over."""

    REQUESTED = "requested"  # the calls are under way
    SAMPLED = "sampled"  # people are asked about a part of it
    ADMITTED = "admitted"  # it trains
    REFUSED = "refused"
    RETIRED = "retired"  # it no longer trains
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self not in (SyntheticState.REQUESTED, SyntheticState.SAMPLED)


class BatchProblem(StrEnum):
    """Why a batch came to nothing."""

    SENTENCE = "sentence"  # values: sentence, of the refusal
    WORKER = "worker"  # values: attempts; its worker failed or died each time
    NOTHING_LEFT = "nothing_left"  # values: written; the guards dropped every text
    GOLDEN_LEAK = "golden_leak"  # values: leaks, written
    NOT_CONFIRMED = "not_confirmed"  # values: confirmed, asked
    ERASED = "erased"  # it was written from a text that was erased
    WITHDRAWN = "withdrawn"  # by a person, before or after it was admitted


class CallProblem(StrEnum):
    """Why a call to a language model gave nothing, or less than was asked for."""

    CUT = "cut"  # it stopped at the token limit; complete texts count
    REFUSED = "refused"  # the model declined to answer
    EMPTY = "empty"
    WRONG_SHAPE = "wrong_shape"  # not the JSON that was asked for
    TOO_LONG = "too_long"  # more bytes than any such answer has
    LOST = "lost"  # the process died, or gave up waiting, before there was an answer
    BUSY = "busy"  # the other side refused to answer now; such a call costs nothing, and is made again


class Guard(StrEnum):
    """Why a text that a language model wrote is not used. In the order in which the guards look."""

    FORM = "form"  # too short or long, few words, a link, a placeholder, markup, or it talks to the reader
    LANGUAGE = "language"  # its words are not those of the queue, or of the language that was asked for
    REPEAT = "repeat"  # the same content was written before
    NEAR_TRAINING = "near_training"  # a copy of a training text teaches nothing
    GOLDEN_LEAK = "golden_leak"  # near a golden example, which must never train
    OTHER_LABEL = "other_label"  # the live model is sure of a third label
    ALIKE = "alike"  # too similar to one that is kept
    ENOUGH = "enough"  # the batch has as many as the label's own texts allow
    NOT_CONFIRMED = "not_confirmed"  # people gave it another label


# People, and holders of API tokens.


class Role(StrEnum):
    """What a person may do in a queue. Every admin is a lead too."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"


class InactiveReason(StrEnum):
    """Why a person who holds a role may not act."""

    DEACTIVATED = "deactivated"
    BOT = "bot"
    GUEST = "guest"
    OTHER_WORKSPACE = "other_workspace"
    UNKNOWN = "unknown"  # Slack does not know them


class Scope(StrEnum):
    """What the holder of an API token may do."""

    INGEST = "ingest"  # send predictions
    READ = "read"  # items, corrections, models, snapshots, readings
    PREDICT = "predict"  # ask the live model
    TRAIN = "train"  # read golden inputs without labels, submit a service's answers to them


OPERATOR = "operator"  # the person at the terminal; all other people are known by their Slack ids
GOLDLOOP = "goldloop"  # in place of a person, for requests that Goldloop makes by itself
FORMER = "former-"  # begins the pseudonym of a person who has left


# Messages in Slack.


class Card(StrEnum):
    """Messages that must show the present state of a row."""

    REVIEW_ITEM = "review_item"
    RUN = "run"
    CANDIDATE = "candidate"
    CHART = "chart"
    DRIFT = "drift"
    DRIFT_CHART = "drift_chart"
    SCAN = "scan"
    SYNTHETIC = "synthetic"  # a batch of written texts


class NoticeKind(StrEnum):
    """One-off messages to a person or a channel; each is sent once."""

    NOT_A_LEAD = "not_a_lead"  # values: sentence, ask
    REACTION_REFUSED = "reaction_refused"  # values: sentence, ask
    STAYS_LIVE = "stays_live"  # values: queue, name, model, former, kind (of `DecisionKind`), leads, at (since 1970)
    DISPUTES_WAITING = "disputes_waiting"  # values: queue, items ((id, (channel, ts) or None) each), more
    SHADOW_OVER = "shadow_over"  # values: queue, model, n, agreed, report (channel and ts, or None)
    DECISION_PENDING = "decision_pending"  # values: queue, model, hours
    DECISION_EXPIRED = "decision_expired"  # values: queue, model, hours
    ROLLED_BACK = "rolled_back"  # values: queue, name, model, former, leads, reason, gate_passed, erased_rows
    OVERRULED = "overruled"  # values: the same as of ROLLED_BACK
    CANARY_WORSE = "canary_worse"  # values: queue, name, model, former, n, regressions, improvements
    CANARY_NOT_YET = "canary_not_yet"  # values: the same as of CANARY_WORSE
    CANARY_PASSED = "canary_passed"  # values: the same as of CANARY_WORSE
    COMPARISON_FAILED = "comparison_failed"  # values: queue, model, problem (its code and values)
    FLAGGED_SETTLED = "flagged_settled"  # values: item, external_id, label, model_label, by_lead
    FLAGGED_ERASED = "flagged_erased"  # values: item, external_id
    CHANNEL_BLOCKED = "channel_blocked"  # values: channel, error, waiting
    MESSAGES_REFUSED = "messages_refused"  # values: channel, error, count, cards
    INCIDENT_RESOLVED = "incident_resolved"  # values: channel, since (seconds since 1970)


class RecipientKind(StrEnum):
    """What a message is addressed to."""

    CHANNEL = "channel"
    PERSON = "person"  # in direct messages


# Webhooks.


class EventKind(StrEnum):
    """What other systems are told by webhook."""

    ITEM_SETTLED = "item.settled"
    TRAINING_REQUESTED = "training.requested"  # addressed to an external service
    MODEL_CANARY_STARTED = "model.canary_started"
    MODEL_PROMOTED = "model.promoted"  # it answers all callers
    MODEL_ROLLED_BACK = "model.rolled_back"


class DeliveryState(StrEnum):
    """The state of a webhook event for one endpoint."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; `goldloop webhooks replay` tries again


# How the vote without a label is written in tallies and on buttons.
NONE_OF_THESE = "None of these"


def shown_answer(label: str | None) -> str:
    return NONE_OF_THESE if label is None else label


# Tables that are keyed by a vocabulary.
Word = TypeVar("Word", bound=StrEnum)


class IncompleteTableError(Exception):
    """A table that is keyed by a vocabulary lacks some of its words. A fault of the code, found at start."""


def require_exhaustive(table: Mapping[Word, object], vocabulary: type[Word], what: str) -> None:
    """Raises IncompleteTableError, naming the words of the vocabulary that the table has no entry for. what: what the
    entries are, for the message."""
    missing = [word.value for word in vocabulary if word not in table]
    if missing:
        raise IncompleteTableError(f"There is no {what} for {vocabulary.__name__} {', '.join(missing)}.")
