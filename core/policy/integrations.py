"""`[api]` and `[webhooks.NAME]`: the limits of the HTTP API, and the endpoints that receive events."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.vocabulary import EventKind

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class ApiPolicy(BaseModel):
    """`[api]`: limits for each caller."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int = Field(
        600,
        ge=1,
        le=1_000_000,
        description="limit for one token, in each web process; unused requests add up to at most one minute's worth",
    )
    body_bytes: int = Field(20_000_000, ge=1000, le=500_000_000, description="largest request body accepted, in bytes")


class WebhookEndpoint(BaseModel):
    """`[webhooks.NAME]`: an address that receives events. Its secret comes from the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="the NAME of the section")
    url: str = Field(max_length=2000, description="https address that receives the events (http only on this machine)")
    events: tuple[EventKind, ...] = Field((), description="types of events to send; empty: all")
    queues: tuple[str, ...] = Field((), description="queues whose events to send; empty: all")

    @field_validator("url")
    @classmethod
    def _may_be_called(cls, value: str) -> str:
        return checked_address(value)

    def wants(self, kind: EventKind, queue: str) -> bool:
        return (not self.events or kind in self.events) and (not self.queues or queue in self.queues)


def checked_address(value: str) -> str:
    """The address, if signed requests may be sent to it. Raises ValueError, as urlsplit itself does, for instance for
    an invalid port."""
    address = urlsplit(value)
    if address.username or address.password:
        raise ValueError("must not contain a user name or password; requests are signed instead")
    if address.port == 0:
        raise ValueError("must not use port 0")
    if not address.hostname or not (
        address.scheme == "https" or (address.scheme == "http" and address.hostname in THIS_MACHINE)
    ):
        raise ValueError("must be an https:// address")
    return value


def secret_variable(endpoint: str) -> str:
    """The environment variable that holds the signing secret of a webhook, by its name."""
    return f"GOLDLOOP_WEBHOOK_SECRET_{endpoint.upper().replace('-', '_')}"
