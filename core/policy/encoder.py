"""`[queues.NAME.encoder]`: a sentence encoder of your own, as an ONNX model on disk."""

from typing import Final

from pydantic import Field

from core.policy.base import Section

ON_OWN_ENCODER: Final = ("embedding-onnx", "blend-onnx")  # the names of the learners that need it
SHA256 = r"^([0-9a-f]{64})?$"


class EncoderPolicy(Section):
    """The files of the encoder. Each is read where a model is trained or asked, and refused if its hash differs."""

    model: str = Field(
        "", max_length=1000, description="path of an ONNX model, on each machine that trains or predicts"
    )
    model_sha256: str = Field("", pattern=SHA256, description="SHA-256 of that file, in 64 hexadecimal digits")
    tokenizer: str = Field("", max_length=1000, description="path of its `tokenizer.json`")
    tokenizer_sha256: str = Field("", pattern=SHA256, description="SHA-256 of that file")
