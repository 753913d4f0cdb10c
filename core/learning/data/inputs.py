"""An input: what people judge and models predict on, and an example: an input with its label."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from core.text.content_hash import content_hash
from core.vocabulary import Modality


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image: a web address, which people look at and nothing here fetches, or the address of stored pictures.

    grey: the grey values of the first stored picture, which models read: 64 x 64 bytes row by row, from black (0) to
    white (255). None for a web address, and if the pixels were erased or not loaded (core/learning/data/pixels.py).
    others: the grey values of the other pictures, which people see and the learner `image` does not read; each is
    compared for near-duplicates."""

    url: str
    grey: bytes | None = field(default=None, compare=False, repr=False)
    others: tuple[bytes, ...] = field(default=(), compare=False, repr=False)

    @property
    def greys(self) -> tuple[bytes, ...]:
        return () if self.grey is None else (self.grey, *self.others)


@dataclass(frozen=True, slots=True)
class Input:
    """A text, an image, or both, with fields (name -> value) that say more about it.

    Two inputs with the same `content_hash` are the same input: they fall on the same side of every share, are golden
    once, and never train if they are golden. Text and image decide; fields do not count, because they hold ticket
    numbers, senders and dates, which never repeat. Inputs of one group, such as a patient's, are different inputs, but
    none trains while another is golden: a model must not be tested on a group from which it has learned.
    """

    text: str = ""
    image: ImageRef | None = None
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    group: str = ""

    @classmethod
    def of(cls, text: str, image_url: str | None, fields: Mapping[str, str], group: str | None = None) -> "Input":
        """An input from the columns in which it is stored and sent."""
        return cls(text, ImageRef(image_url) if image_url else None, fields, group or "")

    @property
    def image_url(self) -> str | None:
        return self.image.url if self.image else None

    @property
    def content_hash(self) -> str:
        return content_hash(self.text, self.image_url)

    def has(self, modality: Modality) -> bool:
        """Whether the input has something in this modality. White space does not count as text, nor an image without
        pixels, nor fields without a value."""
        match modality:
            case Modality.TEXT:
                return bool(self.text.strip())
            case Modality.IMAGE:
                return self.image is not None and self.image.grey is not None
            case Modality.FIELDS:
                return any(value.strip() for value in self.fields.values())
            case _:
                assert_never(modality)

    def has_any(self, modalities: Collection[Modality]) -> bool:
        for modality in modalities:  # noqa: SIM110 - half of the time of any(), and training asks it of each row
            if self.has(modality):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled input. weight: the number of rows for which it counts, above 0. synthetic: whether a language model
    wrote it; then no learner measures itself on it."""

    input: Input
    label: str
    weight: float = 1.0
    synthetic: bool = False
