"""The hash of an input's content, and random draws that follow from it.

Both are functions of the content alone: an input that comes twice, on any machine and in any order, has the same hash
and falls on the same side of every share (blind or not, golden or not). Nothing has to be stored or drawn for that.
"""

import hashlib
from json.encoder import encode_basestring_ascii as quoted  # what json.dumps calls for a text

from core.text.normalisation import normalise


def content_hash(text: str | None, image_url: str | None = None) -> str:
    """SHA-256 as 64 hex digits over the normalised text and the image's address.

    None and "" are the same. The address is only stripped, because paths are case-sensitive. The two parts are written
    as a JSON list, so that no text can equal a text with an image; each part is encoded by itself, because Python takes
    four times as long for a list as for a text."""
    words, address = quoted(normalise(text or "")), quoted(image_url.strip()) if image_url else '""'
    return hashlib.sha256(f"[{words}, {address}]".encode("ascii")).hexdigest()


def unit_interval(content_hash: str, purpose: str) -> float:
    """A number in [0, 1) for this content and purpose: uniform over contents, independent between purposes.

    `unit_interval(hash, "blind") < share` selects a share of the contents, and raising the share only adds to them.
    53 bits of SHA-256, as many as a float holds, so that 1.0 cannot come out by rounding.
    """
    digest = hashlib.sha256(f"{purpose}\n{content_hash}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53
