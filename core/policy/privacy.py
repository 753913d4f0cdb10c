"""`[queues.NAME.privacy]`."""

from pydantic import Field, field_validator

from core.policy.base import Section
from core.text.masking import Kind, mask, pattern_problem, region_problem


class PrivacyPolicy(Section):
    """What of people's data is shown, what is stored, and for how long."""

    mask: tuple[Kind, ...] = Field(
        (), description="what is replaced before anybody sees it: any of `email`, `phone`, `card`, `iban`"
    )
    phone_region: str = Field(
        "", description='country whose phone numbers are known without "+", e.g. `DE`; empty: only those with it'
    )
    patterns: tuple[str, ...] = Field(
        (), max_length=20, description="own regular expressions (RE2 syntax) whose matches are replaced too"
    )
    keep_original: bool = Field(
        True, description="`true`: the original is stored and trained on; `false`: only the masked text ever is"
    )
    retention_days: int = Field(
        0, ge=0, le=36_500, description="erase what neither trained nor became golden after so many days; 0: keep"
    )

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, value: str) -> str:
        if problem := region_problem(value):
            raise ValueError(problem)
        return value

    @field_validator("patterns")
    @classmethod
    def _usable_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if problem := pattern_problem(pattern):
                raise ValueError(f"{pattern!r} {problem}")
        return value

    def shown(self, text: str) -> str:
        """The text as people and exports may see it."""
        return mask(text, self.mask, self.phone_region, self.patterns) if self.mask or self.patterns else text

    def stored(self, text: str) -> str:
        """The text as the database, and so training, may have it."""
        return text if self.keep_original else self.shown(text)
