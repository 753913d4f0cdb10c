"""The decoder: a child process with limits that decodes pictures, and is killed when it takes too long."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from core.errors import Invalid
from core.pictures.decoded import LENGTH, Decoded, is_dicom
from core.pictures.limits import MOST_BYTES

SECONDS = 20.0  # per picture; one of 40 megapixels takes three
ROOT = Path(__file__).parents[2]
TOO_LONG = "The picture took longer than {seconds:.0f} seconds to decode. Send a smaller one, or save it again."
STOPPED = "The picture could not be decoded. Save it again as a PNG or a JPEG."


class _StoppedError(Exception):
    """The child did not answer."""


class Decoder:
    """Decodes pictures one after the other. Its process starts with the first picture. Close it, or use it in a `with`;
    for one thread only."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._reads_dicom = False

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(BrokenPipeError):
                child.communicate()

    def decode(self, content: bytes) -> Decoded:
        """Decode the content of a file. Raises Invalid with a sentence for the sender. If a picture stops the process,
        the next one is decoded by a new process."""
        if len(content) > MOST_BYTES:
            raise Invalid(f"The file has {len(content):,} bytes; the limit is {MOST_BYTES:,}.", field="image")
        deadline = time.monotonic() + self._seconds
        try:
            return self._requested(content, deadline)
        except (_StoppedError, OSError, ValueError, KeyError):
            late = time.monotonic() >= deadline
            self.close()
            raise Invalid(TOO_LONG.format(seconds=self._seconds) if late else STOPPED, field="image") from None

    def _requested(self, content: bytes, deadline: float) -> Decoded:
        child = self._started(is_dicom(content))
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(len(content).to_bytes(LENGTH) + content)
        child.stdin.flush()
        answer = _Answer(child.stdout, deadline)
        head: dict[str, Any] = json.loads(answer.line())
        if "problem" in head:
            raise Invalid(head["problem"], field="image")
        display, grey = answer.block(head["content"]), answer.block(head["grey"])
        return Decoded(head["sha256"], display, grey, head["width"], head["height"], head["burned_in"])

    def _started(self, dicom: bool) -> subprocess.Popen[bytes]:
        if dicom and not self._reads_dicom:
            self.close()
        if self._child is None:
            self._reads_dicom = dicom
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "core.pictures.child", *(["--dicom"] if dicom else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env=_environment(),
            )
        return self._child


def decoded(contents: Sequence[bytes]) -> Iterator[Decoded | Invalid]:
    """Yield the result for each picture, in order. A refusal does not end the others."""
    with Decoder() as decoder:
        for content in contents:
            try:
                yield decoder.decode(content)
            except Invalid as refusal:
                yield refusal


class _Answer:
    """The output of the child, read as it comes, up to a deadline."""

    def __init__(self, pipe: IO[bytes], deadline: float) -> None:
        self._pipe, self._deadline, self._read = pipe.fileno(), deadline, bytearray()

    def line(self) -> bytes:
        while (end := self._read.find(b"\n")) < 0:
            self._more()
        return self._taken(end + 1)

    def block(self, count: int) -> bytes:
        while len(self._read) < count:
            self._more()
        return self._taken(count)

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def _more(self) -> None:
        ready, _, _ = select.select([self._pipe], [], [], max(0.0, self._deadline - time.monotonic()))
        part = os.read(self._pipe, 1 << 20) if ready else b""
        if not part:  # the child took too long, or ended
            raise _StoppedError
        self._read += part


def _environment() -> dict[str, str]:
    """The environment of the child. It is not this process's own, which contains tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
