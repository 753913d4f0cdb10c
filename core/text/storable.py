"""Removal of characters that a database cannot store."""


def storable(text: str) -> str:
    """The text without characters that PostgreSQL cannot store: NUL is left out, half of a surrogate pair becomes
    "?"."""
    if text.isascii() and "\x00" not in text:
        return text  # the usual case
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
