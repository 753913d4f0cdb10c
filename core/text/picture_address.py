"""The address of stored pictures, which an `image_url` holds in place of a web address.

It contains the hash of each picture's pixels, in the sender's order, so equal pictures have one address, and an input's
content hash, which covers the address, follows from the pixels.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

SCHEME = "picture:"
SEPARATOR = ","

Kept = TypeVar("Kept")


def picture_address(*sha256s: str) -> str:
    """The address of pictures. sha256s: of at least one picture, each 64 hex digits over the decoded pixels
    (core/pictures/decoding.py)."""
    return SCHEME + SEPARATOR.join(sha256s)


def picture_sha256s(address: str | None) -> tuple[str, ...]:
    """The hashes in an address of stored pictures, in order; none for a web address or None."""
    return tuple(address.removeprefix(SCHEME).split(SEPARATOR)) if address and address.startswith(SCHEME) else ()


def hashes_in(addresses: Collection[str | None]) -> set[str]:
    """The hashes of all stored pictures to which these addresses lead."""
    return {sha256 for address in addresses for sha256 in picture_sha256s(address)}


def found_at(addresses: Collection[str | None], kept: Mapping[str, Kept]) -> dict[str, tuple[Kept, ...]]:
    """For each address, the kept values of its pictures, in order. kept: hash -> value. An address without kept values
    has no entry."""
    found = {
        address: tuple(kept[sha256] for sha256 in picture_sha256s(address) if sha256 in kept)
        for address in addresses
        if address is not None
    }
    return {address: pictures for address, pictures in found.items() if pictures}
