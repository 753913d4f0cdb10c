"""`[queues.NAME.external]`: the service that trains and serves the queue's models with the learner `external`."""

from typing import Final

from pydantic import Field, field_validator

from core.policy.base import Section
from core.policy.integrations import checked_address

EXTERNAL: Final = "external"  # the name of the learner


class ExternalPolicy(Section):
    """Where the service is, how long its answers may take, and when it is left alone."""

    webhook: str = Field(
        "",
        max_length=40,
        description="NAME of the `[webhooks.NAME]` told of training runs; its secret also signs prediction requests",
    )
    url: str = Field(
        "",
        max_length=2000,
        description="https address that answers prediction requests (http only on this machine)",
    )
    answer_hours: float = Field(
        24, gt=0, le=720, description="hours in which the service trains and sends its answers to the golden inputs"
    )
    timeout_seconds: float = Field(
        5,
        gt=0,
        le=60,
        description="seconds that one prediction request may take, from connecting to the end of the answer",
    )
    batch: int = Field(100, ge=1, le=1000, description="largest number of inputs in one prediction request")
    failures: int = Field(
        5, ge=1, le=100, description="failed prediction requests in a row after which a process stops sending them"
    )
    pause_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="seconds after which it sends one test request; the service may ask for a longer pause",
    )

    @field_validator("url")
    @classmethod
    def _may_be_called(cls, value: str) -> str:
        return checked_address(value) if value else value
