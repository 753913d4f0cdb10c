"""The pixels of inputs. An input is made from the columns in which it is stored; the grey values of its pictures are in
another table, and added here."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.learning.data.inputs import ImageRef, Input
from core.pictures.stored import greys


def with_pixels(session: Session, queue_id: int, inputs: Iterable[Input]) -> list[Input]:
    """The same inputs in order; those with stored pictures get their pixels, 4 kB each."""
    known = list(inputs)
    found = greys(session, queue_id, {one.image_url for one in known})
    return [with_greys(one, found.get(one.image_url or "", ())) for one in known] if found else known


def with_greys(one: Input, greys: Sequence[bytes]) -> Input:
    """The input with these grey values. greys: those of its pictures, in order, see `ImageRef`; empty: the input is
    returned as it is."""
    return replace(one, image=ImageRef(one.image_url or "", greys[0], tuple(greys[1:]))) if greys else one
