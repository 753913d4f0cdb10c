"""The names of a prediction's fields, and suggestions for unknown names."""

from collections.abc import Collection
from difflib import get_close_matches

ALIKE = 0.75  # difflib's ratio, from 0 to 1: “lable” is taken for label, “level” is not
OTHER_WORDS = {
    "external_id": ("id", "ticket_id", "ticketid", "ticket", "case_id", "message_id", "item_id", "uuid", "key"),
    "model_version": ("model", "version", "model_name", "model_id"),
    "text": ("message", "body", "content", "comment", "description", "ticket_text", "input", "utterance"),
    "image": ("picture", "photo", "image_file", "image_path", "scan"),
    "image_url": ("url", "picture_url", "photo_url"),
    "group": ("patient", "patient_id", "customer_id", "conversation", "conversation_id"),
    "link": ("viewer", "viewer_url", "permalink", "href"),
    "fields": ("metadata", "attributes", "extra"),
    "label": ("category", "class", "intent", "prediction", "predicted_label", "target", "tag"),
    "confidence": ("score", "probability", "certainty"),
    "probabilities": ("scores", "probs", "distribution"),
}
KNOWN = frozenset(OTHER_WORDS)


def likely_name(unknown: str, names: Collection[str] = KNOWN) -> str | None:
    """The valid name for a misspelling or a synonym, as far as it is clear."""
    word = _plain(unknown)
    return next((name for name in sorted(names) if word in OTHER_WORDS[name]), None) or misspelt_name(unknown, names)


def misspelt_name(unknown: str, names: Collection[str] = KNOWN) -> str | None:
    """The valid name that differs from this one only in capitals, spaces or one letter."""
    return next(iter(get_close_matches(_plain(unknown), sorted(names), 1, ALIKE)), None)


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())
