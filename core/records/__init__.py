"""All records, so that `Base.metadata` is whole for migrations."""

from core.records import (
    access,
    delivery,
    discovery,
    drift,
    events,
    external,
    jobs,
    learning,
    leased,
    pictures,
    policies,
    predictions,
    promises,
    queues,
    reviews,
    rollout,
    webhooks,
)
from core.records.base import Base

__all__ = [
    "Base",
    "access",
    "delivery",
    "discovery",
    "drift",
    "events",
    "external",
    "jobs",
    "learning",
    "leased",
    "pictures",
    "policies",
    "predictions",
    "promises",
    "queues",
    "reviews",
    "rollout",
    "webhooks",
]
