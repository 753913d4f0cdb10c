"""The refusal of DICOM pictures that may have text burned into their pixels."""

from core.errors import Invalid
from core.pictures.decoded import Decoded
from core.policy import QueuePolicy

SENTENCE = (
    "The tags of this DICOM file say that text, such as a name, may be written in its pixels. Remove it, or allow "
    "such pictures in the policy (privacy.burned_in_text)."
)


def require_no_burned_in_text(picture: Decoded, policy: QueuePolicy) -> None:
    """Raises Invalid if the tags say that there may be text and the policy forbids it. The pixels are not searched."""
    if picture.burned_in and not policy.privacy.burned_in_text:
        raise Invalid(SENTENCE, field="image")
