"""Pictures for tests: drawn from a seed, as files and as what models read."""

import io
from typing import Any

import numpy as np
from PIL import Image

from core.learning.data.inputs import ImageRef, Input
from core.pictures.decoded import Decoded
from core.pictures.decoding import decode


def as_file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def bars(seed: int, upright: bool, size: int = 64) -> Image.Image:
    """Stripes of one direction with noise: two labels that differ by their edges alone."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(size) * (2 * np.pi / rng.integers(8, 14)) + rng.uniform(0, 6)) * 80 + 128
    values = (wave[None, :] if upright else wave[:, None]) + rng.normal(0, 12, (size, size))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def noise(seed: int, mode: str = "L", size: tuple[int, int] = (60, 40)) -> Image.Image:
    rng = np.random.default_rng(seed)
    shape = size[::-1] if mode == "L" else (*size[::-1], len(mode))
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode)


def drawn(seed: int, upright: bool = True) -> Decoded:
    return decode(as_file(bars(seed, upright)))


def seen(picture: Decoded) -> Input:
    """As a model reads it."""
    return Input(image=ImageRef(f"picture:{picture.sha256}", picture.grey))
