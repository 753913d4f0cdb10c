"""The limits of a picture, and the error for one that cannot be used."""

MOST_BYTES = 20_000_000  # the largest size of a file
MOST_PIXELS = 40_000_000


class UnreadablePictureError(ValueError):
    """A picture that cannot be used; `str()` is a sentence for the sender."""
