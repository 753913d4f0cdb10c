"""A Python client for Goldloop's HTTP API.

with Client("https://goldloop.example", token) as client:
    client.send("support", rows)
    for correction in client.corrections("support", cursor=kept):
        ...
"""

from goldloop_client.client import ApiError, Client, Format
from goldloop_client.shapes import (
    AnswerKind,
    BudgetReading,
    CanaryState,
    CorrectionLine,
    Destination,
    ErrorReason,
    GateFinding,
    GivenAnswer,
    GoldenInput,
    Interval,
    ItemLine,
    ItemState,
    LabelEstimate,
    Model,
    ModelState,
    Predicted,
    Problem,
    ProductionEstimate,
    Reason,
    Received,
    RejectedRow,
    Settler,
    ShadowState,
    StatsCard,
    Submitted,
)

__all__ = [
    "AnswerKind",
    "ApiError",
    "BudgetReading",
    "CanaryState",
    "Client",
    "CorrectionLine",
    "Destination",
    "ErrorReason",
    "Format",
    "GateFinding",
    "GivenAnswer",
    "GoldenInput",
    "Interval",
    "ItemLine",
    "ItemState",
    "LabelEstimate",
    "Model",
    "ModelState",
    "Predicted",
    "Problem",
    "ProductionEstimate",
    "Reason",
    "Received",
    "RejectedRow",
    "Settler",
    "ShadowState",
    "StatsCard",
    "Submitted",
]
