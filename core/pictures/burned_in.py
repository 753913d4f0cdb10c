"""Text that may be burned into a picture."""

from core.errors import Invalid
from core.pictures.decoding import Decoded
from core.policy import QueuePolicy

SENTENCE = (
    "The tags of this DICOM file say that text, such as a name, may stand in its pixels. Remove the text, or allow "
    "such pictures in the policy (privacy.burned_in_text)."
)


def require_no_burned_in_text(picture: Decoded, policy: QueuePolicy) -> None:
    """Raises Invalid where the policy does not allow it. The tags decide; no pixels are read for names."""
    if picture.burned_in and not policy.privacy.burned_in_text:
        raise Invalid(SENTENCE, field="image")
