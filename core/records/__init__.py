"""All records, so that `Base.metadata` is whole for migrations."""

from core.records import delivery, jobs, learning, predictions, queues, reviews
from core.records.base import Base

__all__ = ["Base", "delivery", "jobs", "learning", "predictions", "queues", "reviews"]
