"""What of a text can be stored."""


def storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor half of a surrogate pair: the former is left out, the latter is written "?"."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
