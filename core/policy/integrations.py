"""The parts of the policy file about other systems: how much the HTTP API takes, and who is told what by webhook."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.vocabulary import EventKind

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class ApiPolicy(BaseModel):
    """`[api]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="of one token, in each web process; unused ones add up to a minute's worth"
    )
    body_bytes: int = Field(20_000_000, ge=1000, le=500_000_000, description="the largest body that is read")


class WebhookEndpoint(BaseModel):
    """`[webhooks.NAME]`: an address that is told what happens. Its secret is no part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="taken from the section's title")
    url: str = Field(max_length=2000, description="an https address (http only on this machine)")
    events: tuple[EventKind, ...] = Field((), description="which events; empty: all")
    queues: tuple[str, ...] = Field((), description="of which queues; empty: all")

    @field_validator("url")
    @classmethod
    def _may_be_called(cls, value: str) -> str:
        """Raises ValueError (urlsplit's own as well, of which port has some)."""
        address = urlsplit(value)
        if address.username or address.password:
            raise ValueError("must hold no user name or password; requests are signed")
        if address.port == 0:
            raise ValueError("has no port that can be called")
        if not address.hostname or not (
            address.scheme == "https" or (address.scheme == "http" and address.hostname in THIS_MACHINE)
        ):
            raise ValueError("must be an https:// address")
        return value

    def wants(self, kind: EventKind, queue: str) -> bool:
        return (not self.events or kind in self.events) and (not self.queues or queue in self.queues)
