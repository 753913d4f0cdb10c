"""All of the policy: every queue's, and what other systems may do and are told.

Every threshold of the product is in it, frozen. A file `goldloop.toml` is read over the defaults (file.py).
"""

from pydantic import Field

from core.errors import NotFound
from core.policy.base import Section
from core.policy.integrations import ApiPolicy, WebhookEndpoint
from core.policy.queue import QueuePolicy, is_group
from core.vocabulary import Role


class Policy(Section):
    """All queues, and other systems."""

    queues: tuple[QueuePolicy, ...] = Field(min_length=1)
    api: ApiPolicy = ApiPolicy()
    webhooks: tuple[WebhookEndpoint, ...] = ()

    @property
    def channels(self) -> list[str]:
        """Ids of the channels that any queue uses, each once."""
        return list(dict.fromkeys(channel for queue in self.queues for channel in queue.channels))

    @property
    def groups(self) -> list[str]:
        """Ids of the user groups that hold a role in any queue, each once."""
        named = (one for queue in self.queues for role in Role for one in queue.named(role))
        return list(dict.fromkeys(one for one in named if is_group(one)))

    def queue(self, name: str) -> QueuePolicy:
        """Raises NotFound if the policy file has no such queue (any more)."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise NotFound(
            f"There is no queue “{name}” in goldloop.toml. It has: {', '.join(q.name for q in self.queues)}."
        )
