"""A cache of vectors: a text is encoded once while a model is fitted or two models are compared. Encoding takes most of
the time, and folds, weights and both models of a comparison read the same texts. Vectors are kept by a hash of the
text, in memory and only within `cached_vectors`, so that the vectors of an erased text do not outlive the run that read
it."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from core.learning.learners.encoders import Encoder, Vectors

MOST_VECTORS = 50_000  # of 512 numbers each: 100 MB

Key = tuple[str, bytes]  # encoder, and hash of the unchanged text: an encoder may distinguish upper case
Cache = OrderedDict[Key, Vectors]  # one row each; least recently used first
_cache: ContextVar[Cache | None] = ContextVar("vectors", default=None)


@contextmanager
def cached_vectors() -> Iterator[None]:
    """Keep vectors that are computed in this block until its end. Nested blocks share the outer one's cache."""
    if _cache.get() is not None:
        yield
        return
    token = _cache.set(OrderedDict())
    try:
        yield
    finally:
        _cache.reset(token)


def vectors_of(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """The same as `Encoder.encode`; only texts that are not in the cache are encoded."""
    cache = _cache.get()
    if cache is None:
        return encoder.encode(texts)
    keys = [_key(encoder, text) for text in texts]
    unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in cache}
    found = dict(zip(unknown, encoder.encode(list(unknown.values())), strict=True))
    rows = np.stack([found[key] if key in found else cache[key] for key in keys]) if keys else encoder.encode([])
    for key in keys:
        cache[key] = found[key] if key in found else cache[key]
        cache.move_to_end(key)
    while len(cache) > MOST_VECTORS:
        cache.popitem(last=False)
    return rows


def _key(encoder: Encoder, text: str) -> Key:
    return encoder.name, hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
