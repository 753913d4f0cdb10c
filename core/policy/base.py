"""What the sections of the policy have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A frozen part of the policy file that knows its keys."""

    # Defaults are validated too: 2 and 2.0 are one value, but as JSON they would be two fingerprints.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)
