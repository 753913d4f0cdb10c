"""Removal of characters that a database cannot store."""


def storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor half of a surrogate pair: the former is left out, the latter is written "?"."""
    if text.isascii() and "\x00" not in text:
        return text  # as most are
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
