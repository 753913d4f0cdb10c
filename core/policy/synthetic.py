"""`[queues.NAME.synthetic]`: texts that a language model writes for a weak label. Off by default, because texts of
the queue are sent to another server for it."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from core.policy.base import Section
from core.policy.integrations import THIS_MACHINE


class ReadersPolicy(Section):
    """The people who can judge texts in a language."""

    language: str = Field(pattern=r"^[a-z]{2}$", description="two letters of ISO 639-1, such as `fr`")
    people: tuple[str, ...] = Field(
        min_length=1, max_length=200, description="Slack ids of reviewers (`U…`), or user groups of them (`S…`)"
    )


class SyntheticPolicy(Section):
    """Which language model is asked, what it may cost, and how much its texts count."""

    enabled: bool = Field(False, description="allow sending masked texts of this queue to a language model")
    address: str = Field(
        "",
        max_length=1000,
        description="base address of an OpenAI-compatible endpoint, such as `https://llm.example/v1` (http only on "
        "this machine); the key comes from the environment",
    )
    model: str = Field("", max_length=200, description="name of the language model at that address")
    calls: int = Field(20, ge=1, le=200, description="largest number of calls for one batch")
    seconds: int = Field(
        60, ge=1, le=600, description="longest time for one call; a language model on your own processor may need more"
    )
    tokens: int = Field(
        100_000, ge=1000, le=10_000_000, description="largest number of tokens for one batch, sent and received"
    )
    money: float = Field(
        5.0,
        ge=0,
        le=10_000,
        description="largest cost of one batch, in the currency of the prices; has no effect without prices",
    )
    price_in: float = Field(0.0, ge=0, le=10_000, description="price of a million tokens sent; 0: unknown")
    price_out: float = Field(0.0, ge=0, le=10_000, description="price of a million tokens received; 0: unknown")
    weight: float = Field(0.3, gt=0, le=0.5, description="training weight of a written text; a seed row has 1")
    readers: tuple[ReadersPolicy, ...] = Field(
        (), max_length=100, description="reviewers of texts in a language other than the queue's"
    )

    @field_validator("address")
    @classmethod
    def _may_be_called(cls, value: str) -> str:
        """Check the address. Raises ValueError, as urlsplit itself does, for instance for an invalid port."""
        if not value:
            return value
        address = urlsplit(value)
        if address.username or address.password:
            raise ValueError("must not contain a user name or password; the key comes from GOLDLOOP_LLM_KEY")
        if address.query or address.fragment:
            raise ValueError("must not contain a query")
        if not address.hostname or not (
            address.scheme == "https" or (address.scheme == "http" and address.hostname in THIS_MACHINE)
        ):
            raise ValueError("must be an https:// address")
        return value.rstrip("/")

    @field_validator("readers")
    @classmethod
    def _languages_differ(cls, value: tuple[ReadersPolicy, ...]) -> tuple[ReadersPolicy, ...]:
        languages = [one.language for one in value]
        for language in languages:
            if languages.count(language) > 1:
                raise ValueError(f"the language {language!r} is listed twice")
        return value

    def readers_of(self, language: str) -> tuple[str, ...]:
        """Ids of the people and user groups named for a language; empty: none are."""
        return next((one.people for one in self.readers if one.language == language), ())

    @property
    def has_prices(self) -> bool:
        return self.price_in > 0 or self.price_out > 0
