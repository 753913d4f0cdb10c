"""Untrusted words, printed."""

from rich.markup import escape

UNSHOWN = "\N{REPLACEMENT CHARACTER}"  # for what must not act on a terminal


def inert(words: str) -> str:
    """Untrusted words, for a terminal: no markup of ours, and nothing that moves its cursor or turns its direction."""
    return escape("".join(sign if sign.isprintable() or sign == "\n" else UNSHOWN for sign in words))
