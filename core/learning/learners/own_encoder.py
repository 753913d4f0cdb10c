"""The learners `embedding-onnx` and `blend-onnx`: as `embedding` and `blend`, on the encoder that the policy names.

A learner is found by its name and takes no arguments; the encoder's files come with the name, as text, so that a child
process finds them too (core/learning/learners/registry.py).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from core.learning.learners.blend import BlendLearner
from core.learning.learners.embedding import EmbeddingLearner
from core.learning.learners.onnx_encoder import OnnxFiles, onnx_encoder
from core.policy import QueuePolicy
from core.policy.encoder import ON_OWN_ENCODER

CLASSES = dict(zip(ON_OWN_ENCODER, ("OwnEmbeddingLearner", "OwnBlendLearner"), strict=True))


class OwnEmbeddingLearner(EmbeddingLearner):
    name = "embedding-onnx"

    def __init__(self, **files: str) -> None:
        """files: those of `OnnxFiles`. Raises Invalid where the encoder cannot be loaded."""
        super().__init__(onnx_encoder(OnnxFiles(**files)))


class OwnBlendLearner(BlendLearner):
    name = "blend-onnx"

    def __init__(self, **files: str) -> None:
        super().__init__(OwnEmbeddingLearner(**files))


def with_own_encoder(queue: QueuePolicy, extra: Mapping[str, str] = {}) -> Mapping[str, str]:
    """The learners of `extra`, and those on the queue's encoder if its policy names all of it. Nothing is loaded."""
    if not all(queue.encoder.model_dump().values()):
        return extra
    files = json.dumps(asdict(OnnxFiles(**queue.encoder.model_dump())), sort_keys=True)
    return {**extra, **{name: f"{__name__}:{kind}?{files}" for name, kind in CLASSES.items()}}
