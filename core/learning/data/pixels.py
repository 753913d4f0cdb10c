"""The pixels of inputs. An input is made from the columns in which it is stored; what models read of its picture is in
another table, and added here."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy.orm import Session

from core.learning.data.inputs import ImageRef, Input
from core.pictures.stored import greys


def with_pixels(session: Session, queue_id: int, inputs: Iterable[Input]) -> list[Input]:
    """The same inputs in order, those of stored pictures with their pixels: 4 kB each."""
    known = list(inputs)
    found = greys(session, queue_id, {one.image_url for one in known})
    return [with_grey(one, found.get(one.image_url or "")) for one in known] if found else known


def with_grey(one: Input, grey: bytes | None) -> Input:
    """grey: see `ImageRef`; None: the input as it is."""
    return replace(one, image=ImageRef(one.image_url or "", grey)) if grey is not None else one
