"""The child process that decodes pictures: `python -m core.pictures.child`, with --dicom if some are DICOM files.

It reads pictures from its standard input and writes each result to its standard output: a line of JSON, and bytes whose
number the line gives. It ends with its input. Its limits are set before the first picture is read: even if a picture
takes control of a decoder, the process gets no more memory, writes no file and opens no connection.
"""

import io
import json
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image
from PIL.ExifTags import Base

from core.pictures.decoded import LENGTH
from core.pictures.decoding import decode
from core.pictures.dicom import is_installed
from core.pictures.limits import UnreadablePictureError

MOST_MEMORY = 1_500_000_000  # bytes of address space: 40 megapixels in colour, decoded, turned and resized, take half
DICOM_EXAMPLES = (  # plain, RLE, JPEG 2000, three kinds of JPEG, JPEG-LS
    "CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "SC_rgb_small_odd_jpeg.dcm", "JPGExtended.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "JPEGLSNearLossless_08.dcm",
)  # fmt: skip


def work(source: BinaryIO, sink: BinaryIO) -> None:
    while len(size := source.read(LENGTH)) == LENGTH:
        for part in _answer(source.read(int.from_bytes(size))):
            sink.write(part)
        sink.flush()


def limit_resources() -> None:
    """Set the limits that this system has. The parent's time-out holds everywhere."""
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _answer(content: bytes) -> tuple[bytes, ...]:
    try:
        made = decode(content)
    except UnreadablePictureError as error:
        return (_line({"problem": str(error)}),)
    head = {"sha256": made.sha256, "width": made.width, "height": made.height, "burned_in": made.burned_in}
    return (_line(head | {"content": len(made.content), "grey": len(made.grey)}), made.content, made.grey)


def _line(values: dict[str, object]) -> bytes:
    return json.dumps(values).encode() + b"\n"


def load_decoders(dicom: bool) -> None:
    """Import the modules that decoders otherwise import at their first use, while files can still be opened. dicom:
    import pydicom and its codecs too, which takes as long as all the rest."""
    for content in (*_drawn(), *(_dicom_examples() if dicom and is_installed() else ())):
        with suppress(UnreadablePictureError):
            decode(content)


def _drawn() -> Iterator[bytes]:
    """Yield a file of each kind for which Pillow loads a further module."""
    small, turned = Image.new("L", (2, 2)), Image.Exif()
    turned[Base.Orientation] = 6
    yield _file(Image.new("I;16", (2, 2)), "PNG")
    yield _file(small, "PNG", exif=turned)
    yield _file(small, "JPEG", exif=turned)
    yield _file(small, "MPO", save_all=True, append_images=[small])  # a JPEG with several pictures, as some phones save
    yield b"neither"


def _dicom_examples() -> Iterator[bytes]:
    """Yield pydicom's example of each codec. If a codec is not installed, its import has no effect."""
    from pydicom.data import get_testdata_file

    for name in DICOM_EXAMPLES:
        with suppress(OSError):
            yield Path(str(get_testdata_file(name, download=False))).read_bytes()


def _file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


if __name__ == "__main__":
    load_decoders("--dicom" in sys.argv)
    limit_resources()
    work(sys.stdin.buffer, sys.stdout.buffer)
