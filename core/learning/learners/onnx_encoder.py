"""The operator's own sentence encoder: an ONNX model and its tokenizer, on this machine's disk, with the extra `onnx`.
Most published encoders (MiniLM, E5, BGE, GTE) are such a pair of files. The vector of a text is the mean over its
tokens, scaled to length 1. Both files are read whole, and the bytes that are loaded are those whose SHA-256 was
checked.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.learners.encoders import Vectors, readable

PACKAGES = ("onnxruntime", "tokenizers")
INSTALL = "Run `pip install 'goldloop[onnx]'`, or choose another learner."
MOST_TOKENS = 256  # tokens read of a text; MiniLM was trained on as many, and all published encoders read as many
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
PROBE = "a short text"


@dataclass(frozen=True)
class OnnxFiles:
    """Paths of the two files, and the SHA-256 that each must have."""

    model: str
    model_sha256: str
    tokenizer: str
    tokenizer_sha256: str

    @property
    def name(self) -> str:
        return f"onnx {self.model_sha256[:16]} {self.tokenizer_sha256[:16]}"


class OnnxEncoder:
    """The encoder; see the module. An instance holds the model in memory. Raises Invalid, with a sentence, if a package
    or a file is missing, if a file has another hash, or if the two files do not give vectors."""

    def __init__(self, files: OnnxFiles) -> None:
        if not is_installed():
            raise Invalid(f"The sentence encoder needs {' and '.join(PACKAGES)}. {INSTALL}", field="learner")
        model = _checked(files.model, files.model_sha256)
        tokenizer = _checked(files.tokenizer, files.tokenizer_sha256)
        self.name = files.name
        self.runtime = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
        try:
            self._tokenizer, self._session = _tokenizer(tokenizer), _session(model)
            self._takes = [one.name for one in self._session.get_inputs()]
            self.dimensions = len(self._vector(PROBE))
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise Invalid(
                f"The sentence encoder {files.model} with {files.tokenizer} cannot be used: {reason}", field="learner"
            ) from error

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder`. Texts are encoded one by one: in a batch, the rounding of 8-bit models depends on the other
        texts."""
        rows = [self._vector(text) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dimensions)

    def _vector(self, text: str) -> NDArray[np.float64]:
        ids = np.array([self._tokenizer.encode(readable(text)).ids], dtype=np.int64)
        if not ids.size:
            return np.zeros(self.dimensions)
        values = dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
        found = np.asarray(self._session.run(None, {name: values[name] for name in self._takes})[0], dtype=np.float64)
        row: NDArray[np.float64] = found[0].mean(axis=0) if found.ndim == 3 else found[0]
        if row.ndim != 1 or not np.isfinite(row).all():
            raise ValueError(f"it gave no vector of finite numbers for a text, but {found.shape}")
        return row / max(float(np.linalg.norm(row)), 1e-12)


@lru_cache(maxsize=2)
def onnx_encoder(files: OnnxFiles) -> OnnxEncoder:
    """The instance for these files in this process. Two are kept, for a queue that changes its encoder. Raises Invalid
    as its class does."""
    return OnnxEncoder(files)


def is_installed() -> bool:
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def _checked(path: str, sha256: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise Invalid(f"The encoder's file {path} cannot be read: {error.strerror}.", field="learner") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise Invalid(
            f"The encoder's file {path} has the SHA-256 {found[:16]}…, and the policy says {sha256[:16]}…. Restore the "
            "file, or set the new hash and train again.",
            field="learner",
        )
    return content


def _tokenizer(content: bytes) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # one core per process, as in all learners
    options.log_severity_level = 3  # warnings about the graph are of no use to an operator
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
