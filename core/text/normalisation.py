"""The normal form in which two texts count as equal."""

import unicodedata


def normalise(text: str) -> str:
    """The form in which two texts count as equal: compatibility forms, upper case and runs of white space are levelled.

    Unicode's compatibility caseless form (Unicode Standard, section 3.13, D146), then white space collapsed to single
    blanks and stripped. Any text is allowed, the empty one too. Normalising twice changes nothing. NFD, with which the
    standard begins, is left out: NFKC decomposes as far and further.
    """
    if text.isascii():  # ASCII has only one form of each, and most texts are ASCII: ten times as fast
        lowered = text.lower()
        one_blank_at_most = lowered.isprintable() and "  " not in lowered  # the only printable white space is a blank
        return lowered.strip() if one_blank_at_most else " ".join(lowered.split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
