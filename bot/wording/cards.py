"""Names of cards in sentences."""

from typing import assert_never

from core.vocabulary import Card


def card_name(card: str, subject_id: int) -> str:
    """The name of a card. card: a word of `Card`."""
    if card not in set(Card):
        return f"message {subject_id}"
    known = Card(card)
    match known:
        case Card.REVIEW_ITEM:
            return f"item {subject_id}"
        case Card.RUN:
            return f"run {subject_id}"
        case Card.CANDIDATE:
            return f"model {subject_id}"
        case Card.CHART:
            return f"chart of model {subject_id}"
        case Card.DRIFT:
            return f"drift alarm {subject_id}"
        case Card.DRIFT_CHART:
            return f"chart of drift alarm {subject_id}"
        case Card.SCAN:
            return f"scan {subject_id}"
        case Card.SYNTHETIC:
            return f"batch {subject_id} of written texts"
        case _:
            assert_never(known)
