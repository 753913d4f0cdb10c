"""The address of a stored picture: what an `image_url` holds in place of a web address.

It contains the hash of the picture's pixels, so equal pictures have one address, and an input's content hash, which
covers the address, follows from the pixels.
"""

SCHEME = "picture:"


def picture_address(sha256: str) -> str:
    """sha256: 64 hex digits over the decoded pixels, of core/pictures/decoding.py."""
    return SCHEME + sha256


def picture_sha256(address: str | None) -> str | None:
    """The hash in a stored picture's address; None for a web address or none."""
    return address.removeprefix(SCHEME) if address and address.startswith(SCHEME) else None
