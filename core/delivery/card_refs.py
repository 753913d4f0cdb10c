"""References from a control in Slack to the row that it is about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import NotFound

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    return (at - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class CardRef:
    """An item or a model: its number, and when it came to be, in microseconds since 1970.

    The number alone is not enough: after a backup is restored, numbers are reused, while the cards of lost rows are
    still in their channels. since: None in a control of an earlier release.
    """

    id: int
    since: int | None = None

    @classmethod
    def of(cls, row_id: int, at: datetime) -> "CardRef":
        return cls(row_id, microseconds(at))

    def __str__(self) -> str:
        return str(self.id) if self.since is None else f"{self.id}.{self.since}"

    def require(self, at: datetime) -> None:
        """Raise NotFound if the row of this number was created at another time, so the control is about a different
        one."""
        if self.since not in (None, microseconds(at)):
            raise NotFound(
                "This message is from before a backup was restored, and what it is about no longer exists. "
                "Nothing was recorded, and the message can be deleted."
            )
