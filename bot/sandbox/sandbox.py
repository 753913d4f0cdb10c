"""A running workspace: its state, and the parts that handle calls, events and faults."""

from bot.sandbox.clock import Clock
from bot.sandbox.config import AppConfig, SandboxConfig
from bot.sandbox.delivery import Delivery
from bot.sandbox.events import Events
from bot.sandbox.faults import Faults
from bot.sandbox.inspector import Inspector
from bot.sandbox.rates import Rates
from bot.sandbox.sockets import Sockets
from bot.sandbox.stream import Stream
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Channel, Workspace


class Sandbox:
    def __init__(self, config: SandboxConfig, clock: Clock | None = None) -> None:
        self.workspace = Workspace(config, clock)
        self.clock = self.workspace.clock
        self.inspector = Inspector(self.clock)
        self.sockets = Sockets(self.clock, self.inspector)
        self.delivery = Delivery(self.clock, self.sockets, self.inspector, config.ack_seconds)
        self.events = Events(self.workspace, self.delivery, self.inspector)
        self.rates = Rates(self.clock, config.rates)
        self.faults = Faults()
        self.stopping = False
        self.stream = Stream(self.workspace)
        self.suggested: dict[tuple[str, str, str], list[Json]] = {}  # options that an app offered a person, by element
        self.workspace.on_event = self._publish
        self.workspace.on_change = self.stream.tell
        self.inspector.on_entry = self._inspected

    def _publish(self, event: Json, channel: Channel | None, only: AppConfig | None) -> None:
        self.events.publish(event, channel, only)

    def _inspected(self, entry: Json) -> None:
        self.stream.tell("inspector", {"id": entry["id"], "kind": entry["kind"]}, None, None)

    async def stop(self) -> None:
        """Ends everything that would delay the server's shutdown: streams, sockets, retries, hanging calls."""
        self.stopping = True
        self.stream.stop()
        await self.events.stop()
        await self.sockets.drop()
        await self.delivery.close()
