"""Serialisation of fitted models with skops. Unlike pickle, reading one cannot run code.

The bytes, their hash and the learner's runtime are stored side by side, and all three are checked before a model is
rebuilt; so is the unpacked size. The model's parameters are checked after that: a forged row can have a matching hash,
but the fingerprint is in another table. Each refusal says what to do. skops is imported only to write a model, and to
read one whose state is not plain (core/learning/learners/plain_states.py).
"""

import hashlib
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from core.errors import Invalid
from core.learning.learners.base import Fitted, Learner
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.plain_states import SCHEMA, NotPlain, is_plain, read_plain
from core.learning.learners.zeros import with_zeros, without_zeros

RETRAIN = "Retrain with `goldloop retrain`"
MOST_BYTES = 2**30  # unpacked bytes; a model of 4,000 texts has 9 MB
MOST_SCHEMA_BYTES = 100_000_000  # bytes of the JSON part, which takes thirty times as much memory when parsed
LEVEL = 1  # zlib's level: 7 % more bytes than its default of 6, in less than half of the time
DAMAGE = (  # errors that readers of zip, JSON and arrays raise on damaged input
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ImportError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    OSError,
    MemoryError,  # an array that claims to be larger than any memory
)


@dataclass(frozen=True)
class Packed:
    """A serialised model. content: a skops file; sha256: its hash, 64 hex digits; runtime: the learner's runtime when
    it was packed."""

    content: bytes
    sha256: str
    runtime: str


class OtherRuntime(Invalid):
    """The model was stored under another runtime of its learner than the present one."""


def pack(learner: Learner, fitted: Fitted) -> Packed:
    """Serialise a model's state with its learner's name. Two packs of one model differ in their bytes (dates) but not
    in their fingerprint. Raises Invalid if the state holds a type that `learner.trusted_types` does not name, or if it
    is larger than the bound, because it could not be read again.
    """
    from skops.io import dumps

    document = {"learner": learner.name, "state": without_zeros(dict(fitted.state()))}
    content = dumps(document, compression=zipfile.ZIP_STORED)
    if not _is_plain(content):  # then most of it is JSON, which compresses well; arrays of numbers hardly do
        content = dumps(document, compression=zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        _refuse_foreign_types(content, learner)
    _check_size(content)
    return Packed(content, hashlib.sha256(content).hexdigest(), learner.runtime)


def unpack(packed: Packed, learner: Learner, parameters: str | None = None, most_bytes: int = MOST_BYTES) -> Fitted:
    """Rebuild a model, which has the fingerprint of the packed one. parameters: the fingerprint that was stored beside
    it. most_bytes: the limit of its unpacked size.

    Raises Invalid, saying what is wrong and what to do: changed content, another runtime (OtherRuntime: private parts
    of a library change between versions, and a model could answer differently without an error), a type outside
    `learner.trusted_types` and skops' own list, too many bytes, damaged bytes, another learner's model, or parameters
    that do not match the stored fingerprint.
    """
    if hashlib.sha256(packed.content).hexdigest() != packed.sha256:
        raise Invalid(
            f"The stored model has changed since it was saved (its hash differs). {RETRAIN}, or restore a backup."
        )
    if packed.runtime != learner.runtime:
        raise OtherRuntime(
            f"The stored model was made with {packed.runtime}, but {learner.runtime} is installed. "
            f"{RETRAIN}, or install {packed.runtime}."
        )
    document = _read(packed.content, learner, most_bytes)
    if not isinstance(document, dict) or document.get("learner") != learner.name or "state" not in document:
        raise Invalid(f"The stored model was not made by the learner “{learner.name}”. {RETRAIN}.")
    fitted = learner.restore(document["state"])
    if parameters is not None and fingerprint(fitted) != parameters:
        raise Invalid(
            f"The stored model has other parameters than when it was trained (its fingerprint differs). {RETRAIN}, or "
            "restore a backup."
        )
    return fitted


def _is_plain(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return is_plain(archive)


def _refuse_foreign_types(content: bytes, learner: Learner) -> None:
    from skops.io import get_untrusted_types

    if foreign := sorted(set(get_untrusted_types(data=content)) - set(learner.trusted_types)):
        raise Invalid(
            f"The learner “{learner.name}” stores types that trusted_types does not list: {', '.join(foreign)}."
        )


def _check_size(content: bytes, most: int = MOST_BYTES) -> None:
    """Raises Invalid if the sizes that the archive states are too large. No more than these is read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    schema = sum(entry.file_size for entry in entries if entry.filename == SCHEMA)
    for size, limit in ((sum(entry.file_size for entry in entries), most), (schema, MOST_SCHEMA_BYTES)):
        if size > limit:
            raise Invalid(f"The model unpacks to {size:,} bytes; the limit is {limit:,}. Retrain on fewer examples.")


def _read(content: bytes, learner: Learner, most_bytes: int) -> object:
    try:
        _check_size(content, most_bytes)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return with_zeros(read_plain(archive), most_bytes)
    except NotPlain:
        return _read_by_skops(content, learner, most_bytes)
    except DAMAGE as error:
        raise _damaged(error) from None


def _read_by_skops(content: bytes, learner: Learner, most_bytes: int) -> object:
    from skops.io import loads
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return with_zeros(loads(content, trusted=list(learner.trusted_types)), most_bytes)
    except UntrustedTypesFoundException as error:
        raise Invalid(
            f"The stored model has types that the learner “{learner.name}” does not list, so it was not loaded. "
            f"{error} {RETRAIN}."
        ) from None
    except DAMAGE as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> Invalid:
    return Invalid(f"The stored model is damaged ({type(error).__name__}). {RETRAIN}.")
