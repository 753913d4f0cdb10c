"""How long the other side asks to be left alone."""

import re

LONGEST = 3600  # seconds; whoever asks for more is asked again after that


def seconds_asked(header: str | None) -> int | None:
    """Of Retry-After: None where it says nothing, or no number of seconds."""
    if header is None or not re.fullmatch(r"\s*[0-9]{1,9}\s*", header, re.ASCII):
        return None
    return min(int(header), LONGEST)
