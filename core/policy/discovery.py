"""`[queues.NAME.discovery]`: the search for texts worth a look in unlabelled data."""

from pydantic import Field, field_validator

from core.policy.base import Section, Share


class SourcePolicy(Section):
    """A source that leads can scan from Slack."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="name that leads type")
    address: str = Field(
        min_length=1, max_length=1000, description="file, folder or pattern, as for `goldloop discover`"
    )
    text: str = Field(min_length=1, max_length=200, description="column with the text")
    id: str = Field(
        "", max_length=200, description="column with an id for each text; empty: its position in the source"
    )


class DiscoveryPolicy(Section):
    """How scans choose, and how much of what they find is shown to people."""

    items: int = Field(50, ge=1, le=1000, description="number of texts that a scan keeps for review")
    open_items: int = Field(
        10, ge=0, le=1000, description="largest number of texts found by scans that are open for review at a time"
    )
    daily_share: Share = Field(
        0.3, description="largest share of today's remaining reviews that texts found by scans may take up"
    )
    keep: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="share of the training texts that pass the filter for texts of another kind; a smaller share "
        "leaves out more texts of a source",
    )
    near_duplicate: float = Field(
        0.85,
        ge=0.5,
        le=1,
        description="leave out texts at least this similar to a higher-ranked one (cosine of n-grams)",
    )
    processes: int = Field(1, ge=1, le=256, description="number of processes on one machine that a scan uses")
    sources: tuple[SourcePolicy, ...] = Field(
        (), max_length=50, description="sources that leads can scan with `/goldloop discover`"
    )

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, value: tuple[SourcePolicy, ...]) -> tuple[SourcePolicy, ...]:
        names = [source.name for source in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the source {name!r} is listed twice")
        return value
