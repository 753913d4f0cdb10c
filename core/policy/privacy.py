"""`[queues.NAME.privacy]`: masking and retention of personal data."""

from pydantic import Field, field_validator

from core.policy.base import Section
from core.text.masking import Kind, mask, mask_problem, pattern_problem, region_problem


class PrivacyPolicy(Section):
    """Which personal data is shown and stored, and for how long."""

    mask: tuple[Kind, ...] = Field(
        (), description="kinds of personal data to hide from people: any of `email`, `phone`, `card`, `iban`"
    )
    phone_region: str = Field(
        "",
        description='country whose phone numbers are recognised without "+", e.g. `DE`; empty: only numbers with "+"',
    )
    patterns: tuple[str, ...] = Field(
        (), max_length=20, description="regular expressions (RE2 syntax) whose matches are hidden as well"
    )
    keep_original: bool = Field(
        True, description="`true`: store and train on the original text; `false`: on the masked text only"
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="after this many days, erase texts that were not used for training or the golden set; 0: never",
    )

    burned_in_text: bool = Field(
        False,
        description="accept DICOM pictures whose tags say that a name may be written in the pixels "
        "(`BurnedInAnnotation`, or modality US, SC or XA)",
    )

    @field_validator("mask")
    @classmethod
    def _can_mask(cls, value: tuple[Kind, ...]) -> tuple[Kind, ...]:
        for kind in value:
            if problem := mask_problem(kind):
                raise ValueError(f"“{kind}” {problem}")
        return value

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
        """The text as shown to people and in exports."""
        return mask(text, self.mask, self.phone_region, self.patterns) if self.mask or self.patterns else text

    def stored(self, text: str) -> str:
        """The text as stored, and so as used for training."""
        return text if self.keep_original else self.shown(text)
