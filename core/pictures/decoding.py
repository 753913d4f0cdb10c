"""Decoding of a picture from a sender: the hash of its pixels, the display picture, and the grey values for models.

Only pixels are kept: EXIF data, GPS positions, comments and colour profiles are dropped. Call `decode` in a process
with limits (core/pictures/decoder.py), because decoders written in C read untrusted bytes."""

import hashlib
import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.pictures.decoded import Decoded, is_dicom
from core.pictures.dicom import dicom_picture
from core.pictures.limits import MOST_BYTES, MOST_PIXELS, UnreadablePictureError
from core.pictures.windowing import eight_bits

DISPLAYED = 1_024  # the most pixels of the display picture's longest side
SMALLEST = 448  # pixels; a smaller picture is enlarged by a whole factor up to about this size, to be visible
SIDE = 64  # pixels of each side of the grey values for models
FORMATS = ("PNG", "JPEG")

OTHER_FORMATS = {
    b"%PDF": "a PDF",
    b"GIF8": "a GIF",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"BM": "a BMP",
    b"RIFF": "a WebP, or another RIFF file",
    b"PK\x03\x04": "a ZIP file",
}


def decode(content: bytes) -> Decoded:
    """Decode a PNG, JPEG or DICOM file. Raises UnreadablePictureError, which says what is wrong and what to send."""
    _check_bytes(content)
    picture, burned_in = dicom_picture(content) if is_dicom(content) else (_pixels(content), False)
    in_8_bits = _windowed(picture) if picture.mode == "I;16" else picture
    shown = _as_displayed(in_8_bits)
    file = io.BytesIO()
    shown.save(file, "PNG")
    smaller = min(shown, in_8_bits, key=lambda one: one.width)  # the squares of the enlarged one are no edges
    grey = smaller.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return Decoded(_hash(picture), file.getvalue(), grey.tobytes(), picture.width, picture.height, burned_in)


def _check_bytes(content: bytes) -> None:
    if not content:
        raise UnreadablePictureError("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadablePictureError(f"The file has {len(content):,} bytes; the limit is {MOST_BYTES:,}.")
    for beginning, name in OTHER_FORMATS.items():
        if content.startswith(beginning) and not is_dicom(content):
            raise UnreadablePictureError(f"This file is {name}, whatever its name says. Send a PNG or a JPEG.")


def _pixels(content: bytes) -> Image.Image:
    """The picture, upright, in mode L, RGB or I;16. Every error of a decoder counts as an error of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, which is not used
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                _check_size(opened)
                opened.load()
                return _plain(ImageOps.exif_transpose(opened))
    except UnreadablePictureError:
        raise
    except UnidentifiedImageError:
        raise UnreadablePictureError("This file is not a readable picture. Send a PNG or a JPEG.") from None
    except MemoryError:
        raise UnreadablePictureError("The picture needs too much memory. Send a smaller one.") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError, zlib.error and others
        cut = "truncated" in str(error) or "broken data stream" in str(error)
        words = "The file is incomplete" if cut else "The file is damaged"
        raise UnreadablePictureError(f"{words}. Send it again.") from error


def _check_size(opened: Image.Image) -> None:
    """Check the size before anything is decoded: ten kilobytes can hold a hundred megapixels."""
    if opened.width * opened.height > MOST_PIXELS:
        raise UnreadablePictureError(
            f"The picture has {opened.width:,} x {opened.height:,} pixels; the limit is {MOST_PIXELS:,} in all. "
            "Send a smaller one."
        )
    frames = getattr(opened, "n_frames", 1)
    if opened.format == "PNG" and frames > 1:
        raise UnreadablePictureError(f"The picture is animated ({frames} frames). Send one frame.")


def _plain(picture: Image.Image) -> Image.Image:
    """The picture with colours as RGB, on white if it is transparent. 16-bit greys stay until they are displayed."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return picture if picture.mode == "I;16" else picture.convert("I;16")
    if picture.has_transparency_data:
        shown = Image.new("RGBA", picture.size, "white")
        shown.alpha_composite(picture.convert("RGBA"))
        return shown.convert("L" if picture.mode in ("LA", "La", "L") else "RGB")
    return picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")


def _hash(picture: Image.Image) -> str:
    digest = hashlib.sha256(f"{picture.mode} {picture.width} {picture.height}\n".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()


def _as_displayed(shown: Image.Image) -> Image.Image:
    longest = max(shown.size)
    if longest > DISPLAYED:
        size = [max(1, round(side * DISPLAYED / longest)) for side in shown.size]
        return shown.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)
    times = SMALLEST // longest
    if times > 1:
        return shown.resize((shown.width * times, shown.height * times), Image.Resampling.NEAREST)
    return shown


def _windowed(picture: Image.Image) -> Image.Image:
    """16-bit greys as 8 bits."""
    return Image.fromarray(eight_bits(np.asarray(picture, dtype=np.float32)))
