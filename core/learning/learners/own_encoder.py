"""References to the learners on a queue's own encoder. A learner is found by its name; the paths of the encoder's files
are part of the reference, as text, so that a child process finds them too: see core/learning/learners/registry.py.
Nothing is loaded here, because processes that only read the policy need no numerical libraries.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from core.learning.learners.onnx_encoder import OnnxFiles
from core.policy import QueuePolicy
from core.policy.encoder import ON_OWN_ENCODER

MODULE = "core.learning.learners.own_learners"
CLASSES = dict(zip(ON_OWN_ENCODER, ("OwnEmbeddingLearner", "OwnBlendLearner"), strict=True))


def with_own_encoder(queue: QueuePolicy, extra: Mapping[str, str] = {}) -> Mapping[str, str]:
    """The learners of `extra`, and those on the queue's encoder if its policy names all of the encoder's files."""
    if not all(queue.encoder.model_dump().values()):
        return extra
    files = json.dumps(asdict(OnnxFiles(**queue.encoder.model_dump())), sort_keys=True)
    return {**extra, **{name: f"{MODULE}:{kind}?{files}" for name, kind in CLASSES.items()}}
