"""The base class and the common types of the policy's sections."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of the policy file: frozen, and unknown keys are errors."""

    # Defaults are validated too: otherwise 2 and 2.0, the same value, would give two fingerprints.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)
