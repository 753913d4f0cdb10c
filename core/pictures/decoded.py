"""A decoded picture, and the format in which it is passed between processes. This module does not load Pillow."""

from dataclasses import dataclass

LENGTH = 8  # bytes of the number that gives a picture's length, ahead of the picture on its way to the decoding process
MAGIC = slice(128, 132)


@dataclass(frozen=True)
class Decoded:
    """A decoded picture. sha256: over the pixels' mode, size and values; content: the display picture, a PNG; grey: 64
    x 64 bytes, row by row; width, height: of the original, upright. burned_in: whether the tags of a DICOM file say
    that its pixels may hold text, such as a name."""

    sha256: str
    content: bytes
    grey: bytes
    width: int
    height: int
    burned_in: bool = False


def is_dicom(content: bytes) -> bool:
    return content[MAGIC] == b"DICM"
