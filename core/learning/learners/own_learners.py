"""The learners `embedding-onnx` and `blend-onnx`: as `embedding` and `blend`, on the encoder that the policy names."""

from core.learning.learners.blend import BlendLearner
from core.learning.learners.embedding import EmbeddingLearner
from core.learning.learners.onnx_encoder import OnnxFiles, onnx_encoder


class OwnEmbeddingLearner(EmbeddingLearner):
    name = "embedding-onnx"

    def __init__(self, **files: str) -> None:
        """files: those of `OnnxFiles`. Raises Invalid where the encoder cannot be loaded."""
        super().__init__(onnx_encoder(OnnxFiles(**files)))


class OwnBlendLearner(BlendLearner):
    name = "blend-onnx"

    def __init__(self, **files: str) -> None:
        super().__init__(OwnEmbeddingLearner(**files))
