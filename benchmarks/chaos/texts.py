"""Tickets whose right label everybody in this play knows: it is told by their words."""

import random

LABELS = ("refund", "billing error", "delivery")

WORDS: dict[str, tuple[str, ...]] = {
    "refund": (
        "please give me my money back for the {thing}",
        "i want a refund, the {thing} does not fit",
        "send the money back, i returned the {thing}",
        "money back for the broken {thing} please",
    ),
    "billing error": (
        "you charged my card twice for the {thing}",
        "the amount on the invoice for the {thing} is wrong",
        "i was charged for a {thing} that i never bought",
        "my card was charged the wrong amount for the {thing}",
    ),
    "delivery": (
        "where is my parcel with the {thing}, it was due on monday",
        "the courier never came with the {thing}",
        "the {thing} is late again, where is it",
        "the driver left the {thing} in the rain",
    ),
}
THINGS = ("lamp", "chair", "table", "vase", "sofa", "clock", "carpet", "mirror", "kettle", "shelf")


def seeds() -> list[tuple[str, str]]:
    """(text, label), enough for a first model and a golden set."""
    return [
        (words.format(thing=thing), label)
        for label, templates in WORDS.items()
        for words in templates
        for thing in THINGS[:5]
    ]


def ticket(number: int, chance: random.Random) -> tuple[str, str]:
    """(text, right label); no two tickets have the same text."""
    label = chance.choice(LABELS)
    return f"{chance.choice(WORDS[label]).format(thing=chance.choice(THINGS))} (order {number})", label


def right_label(text: str) -> str:
    """Of a ticket, by its words. Raises ValueError for any other text."""
    for label, templates in WORDS.items():
        for words in templates:
            before, after = words.split("{thing}")
            if text.startswith(before) and after in text:
                return label
    raise ValueError(f"no ticket of ours: {text!r}")
