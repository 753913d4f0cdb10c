"""The learners `embedding-onnx` and `blend-onnx`: `embedding` and `blend` with the encoder that the policy names."""

from core.learning.learners.blend import BlendLearner
from core.learning.learners.embedding import EmbeddingLearner
from core.learning.learners.onnx_encoder import OnnxFiles, onnx_encoder


class OwnEmbeddingLearner(EmbeddingLearner):
    name = "embedding-onnx"

    def __init__(self, **files: str) -> None:
        """files: the arguments of `OnnxFiles`. Raises Invalid if the encoder cannot be loaded."""
        super().__init__(onnx_encoder(OnnxFiles(**files)))


class OwnBlendLearner(BlendLearner):
    name = "blend-onnx"

    def __init__(self, **files: str) -> None:
        super().__init__(OwnEmbeddingLearner(**files))
