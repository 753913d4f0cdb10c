"""Untrusted text, printed to a terminal."""

from rich.markup import escape

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # replaces control characters and the like


def terminal_safe(text: str) -> str:
    """Escape Rich markup, and replace characters that would move the cursor or change the writing direction."""
    return escape("".join(sign if sign.isprintable() or sign == "\n" else REPLACEMENT for sign in text))
