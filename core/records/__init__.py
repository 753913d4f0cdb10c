"""All records, so that `Base.metadata` is whole for migrations."""

from core.records import access, delivery, jobs, learning, predictions, queues, reviews, webhooks
from core.records.base import Base

__all__ = ["Base", "access", "delivery", "jobs", "learning", "predictions", "queues", "reviews", "webhooks"]
