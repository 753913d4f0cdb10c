"""Refusals: the expected errors of the core.

A `Refusal` has a sentence that the person can act on, a stable `code`, and data as attributes. Each front end turns it
into an answer in one place (Slack: a message that only the person sees, or a field error; API: problem details;
terminal: exit code 2). Any other exception is a bug.
"""

from collections.abc import Sequence

from core.text.storable import storable

LONGEST_FIELD = 80  # characters of a field's name; a caller may send longer ones


class Refusal(Exception):  # noqa: N818 - a refusal is not a fault; the word is used everywhere
    """An expected error. `str(refusal)` is shown to the person as it is."""

    code = "refused"

    def __init__(self, sentence: str, **details: object) -> None:
        super().__init__(storable(sentence))  # it may quote input that cannot be encoded
        self.details = details


class NotFound(Refusal):
    """The named object does not exist, or no longer exists."""

    code = "not_found"


class NotAllowed(Refusal):
    """The person or caller does not have the right to do this. ask: ids of the people and user groups who can change
    that; a front end adds them to the sentence in its own way."""

    code = "not_allowed"

    def __init__(self, sentence: str, ask: Sequence[str] = (), **details: object) -> None:
        super().__init__(sentence, **details)
        self.ask = tuple(ask)


class AlreadySettled(Refusal):
    """The request comes too late: the decision has been made."""

    code = "already_settled"


class Outdated(Refusal):
    """The request was delivered late: a newer answer by the same person is already stored, and stays."""

    code = "outdated"


class Invalid(Refusal):
    """The input is invalid. `field` names the input, if there is one."""

    code = "invalid"

    def __init__(self, sentence: str, field: str | None = None, **details: object) -> None:
        super().__init__(sentence, **details)
        self.field = field if field is None else storable(field[:LONGEST_FIELD])


class ModelUnavailable(Refusal):
    """A model that a service outside computes did not answer, or its answer is of no use. Nothing was stored; trying
    again may help. seconds: until then, at least."""

    code = "model_unavailable"

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class DatabaseUnavailable(Refusal):
    """The database is busy or cannot be reached. Nothing was written; trying again may help."""

    code = "database_unavailable"


class DatabaseBusy(DatabaseUnavailable):
    """A lock, a place or an answer did not come in time."""


class DatabaseReadOnly(DatabaseUnavailable):
    """The database takes no writes, as a standby or a server that an operator has set so."""


class DiskFull(DatabaseUnavailable):
    """The database's disk is full. Nothing was written."""

    code = "disk_full"


class CommitOutcomeUnknown(DatabaseUnavailable):
    """The connection was lost during a commit: the change may or may not have been written."""

    code = "commit_outcome_unknown"
