"""The whole policy: all queues, the API's limits and the webhooks.

It is frozen and has every threshold of the product. file.py loads it from goldloop.toml over the defaults.
"""

from pydantic import Field

from core.errors import NotFound
from core.policy.base import Section
from core.policy.integrations import ApiPolicy, WebhookEndpoint
from core.policy.queue import QueuePolicy, is_group
from core.vocabulary import Role


class Policy(Section):
    """All queues, and the limits and webhooks for other systems."""

    queues: tuple[QueuePolicy, ...] = Field(min_length=1)
    api: ApiPolicy = ApiPolicy()
    webhooks: tuple[WebhookEndpoint, ...] = ()

    @property
    def channels(self) -> list[str]:
        """Ids of all queues' channels, without repeats."""
        return list(dict.fromkeys(channel for queue in self.queues for channel in queue.channels))

    @property
    def groups(self) -> list[str]:
        """Ids of all queues' user groups, without repeats."""
        named = (one for queue in self.queues for role in Role for one in queue.named(role))
        return list(dict.fromkeys(one for one in named if is_group(one)))

    def queue(self, name: str) -> QueuePolicy:
        """The queue of this name. Raises NotFound if the policy file does not define it."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise NotFound(
            f"There is no queue “{name}”. The policy file defines: {', '.join(q.name for q in self.queues)}."
        )
