"""The recipient of a posting: a channel or a person."""

from dataclasses import dataclass

from core.records.queues import QueueRow
from core.vocabulary import RecipientKind


@dataclass(frozen=True)
class Recipient:
    """id: Slack's, opaque here; of a channel, or of a person who gets direct messages."""

    kind: RecipientKind
    id: str


def channel(id: str) -> Recipient:
    return Recipient(RecipientKind.CHANNEL, id)


def person(id: str) -> Recipient:
    return Recipient(RecipientKind.PERSON, id)


def reviewers_of(queue: QueueRow) -> Recipient:
    """The channel in which the queue's items are reviewed."""
    return channel(queue.channel)


def leads_of(queue: QueueRow) -> Recipient:
    """The channel in which the queue's leads decide about models."""
    return channel(queue.leads_channel)
