"""The policy: one file for each section of goldloop.toml. This is the room's face; its rooms have the thresholds."""

from core.policy.consensus import ConsensusPolicy
from core.policy.privacy import PrivacyPolicy
from core.policy.promotion import PromotionPolicy
from core.policy.queue import LabelPolicy, QueuePolicy, is_group
from core.policy.whole import Policy

__all__ = ["ConsensusPolicy", "LabelPolicy", "Policy", "PrivacyPolicy", "PromotionPolicy", "QueuePolicy", "is_group"]
