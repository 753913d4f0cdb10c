"""Predictions by the live model for pictures that are imported without one."""

from collections.abc import Sequence

from core.intake.limits import LONGEST_ID
from core.intake.predictions import NewPrediction
from core.learning.data.inputs import ImageRef, Input
from core.learning.lifecycle.serving import LiveModel
from core.pictures.burned_in import require_no_burned_in_text
from core.pictures.decoded import Decoded
from core.policy import QueuePolicy
from core.text.picture_address import picture_address


def predicted_pictures(
    pictures: Sequence[tuple[Decoded, str]], live: LiveModel, policy: QueuePolicy
) -> list[NewPrediction]:
    """The predictions for these pictures, each given with its external id, of which the last 200 characters are kept.
    Raises Invalid if the model does not read pictures, or if the policy forbids one of them."""
    for picture, _name in pictures:
        require_no_burned_in_text(picture, policy)
    addresses = [picture_address(picture.sha256) for picture, _name in pictures]
    asked = [
        Input(image=ImageRef(address, picture.grey))
        for address, (picture, _name) in zip(addresses, pictures, strict=True)
    ]
    live.require_readable(asked)
    return [
        NewPrediction(name[-LONGEST_ID:], live.name, "", address).answered(live.name, said)
        for address, (_picture, name), said in zip(addresses, pictures, live.answers(asked), strict=True)
    ]
