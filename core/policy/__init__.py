"""The policy: one module for each section of goldloop.toml. Other packages import its classes from here."""

from core.policy.consensus import ConsensusPolicy
from core.policy.golden import GoldenPolicy
from core.policy.privacy import PrivacyPolicy
from core.policy.promotion import PromotionPolicy
from core.policy.queue import LabelPolicy, QueuePolicy, is_group
from core.policy.whole import Policy

__all__ = [
    "ConsensusPolicy",
    "GoldenPolicy",
    "LabelPolicy",
    "Policy",
    "PrivacyPolicy",
    "PromotionPolicy",
    "QueuePolicy",
    "is_group",
]
