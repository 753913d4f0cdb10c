"""How the core says no.

A `Refusal` is an expected no: a sentence that the person can act on, a stable `code`, and data as attributes. Each
front end maps it once (Slack: a message that only the person sees, or a field error; terminal: exit 2). Everything
else that is raised is a bug.
"""

from collections.abc import Sequence

from core.text.storable import storable

LONGEST_FIELD = 80  # characters of the name of an input; a caller's own are as long as they like


class Refusal(Exception):  # noqa: N818 - a refusal is not a fault; the word is used everywhere
    """An expected no. `str(refusal)` is shown to the person as it is."""

    code = "refused"

    def __init__(self, sentence: str, **details: object) -> None:
        super().__init__(storable(sentence))  # it may quote what no answer can be written with
        self.details = details


class NotFound(Refusal):
    """The thing that was named does not exist (any more)."""

    code = "not_found"


class NotAllowed(Refusal):
    """This person may not do this. ask: ids of the people and user groups who can change that; a front end adds them
    to the sentence in its own way."""

    code = "not_allowed"

    def __init__(self, sentence: str, ask: Sequence[str] = (), **details: object) -> None:
        super().__init__(sentence, **details)
        self.ask = tuple(ask)


class AlreadySettled(Refusal):
    """The decision has been taken; what was asked for comes too late."""

    code = "already_settled"


class Outdated(Refusal):
    """A click that was delivered late: something newer by the same person is stored already, and stays."""

    code = "outdated"


class Invalid(Refusal):
    """What was given cannot be used. `field` names the input it belongs to, where there is one."""

    code = "invalid"

    def __init__(self, sentence: str, field: str | None = None, **details: object) -> None:
        super().__init__(sentence, **details)
        self.field = field if field is None else storable(field[:LONGEST_FIELD])


class DatabaseUnavailable(Refusal):
    """The database did not answer in time, or cannot be reached. Nothing was written; trying again may help."""

    code = "busy"


class DiskFull(DatabaseUnavailable):
    """The database has no room left. Nothing was written."""

    code = "full"


class CommitOutcomeUnknown(DatabaseUnavailable):
    """The connection was lost while a commit was under way: it may have been written or not."""

    code = "unsure"
