"""Pictures in DICOM files, as a radiologist's workstation shows them. Needs pydicom, the extra `dicom`.

Only pixels are taken; names, numbers and dates stay behind in the tags. The tags cannot say for certain whether a name
is burned into the pixels, as some modalities do: the sender has to know."""

import io
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.pictures.limits import MOST_PIXELS, UnreadablePictureError
from core.pictures.windowing import eight_bits

WRITTEN_IN = ("US", "SC", "XA")  # ultrasound, secondary capture, angiography: their devices write into the picture
DAMAGED = "The DICOM file is damaged. Send it again."
NOT_INSTALLED = "This is a DICOM file, which needs pydicom. Run: pip install 'goldloop[dicom]'"


def is_installed() -> bool:
    return find_spec("pydicom") is not None


def dicom_picture(content: bytes) -> tuple[Image.Image, bool]:
    """The picture, or the middle one of several, in mode L or RGB, and whether its tags say that text may be burned
    into it. Raises UnreadablePictureError."""
    if not is_installed():
        raise UnreadablePictureError(NOT_INSTALLED)
    from pydicom import dcmread

    try:
        dataset = dcmread(io.BytesIO(content))
        _check(dataset)
        burned_in = _may_hold_text(dataset)
    except (UnreadablePictureError, MemoryError):
        raise
    except Exception as error:  # many kinds of errors: a tag is decoded when it is accessed
        raise UnreadablePictureError(DAMAGED) from error
    try:
        return Image.fromarray(_shown(dataset)), burned_in
    except MemoryError:
        raise
    except Exception as error:  # many kinds of errors, mostly about a codec
        raise UnreadablePictureError(_undecoded(dataset)) from error


def _check(dataset: Any) -> None:
    """Check the size before anything is decoded."""
    if "PixelData" not in dataset or not dataset.get("Rows") or not dataset.get("Columns"):
        raise UnreadablePictureError("The DICOM file contains no picture.")
    if dataset.Rows * dataset.Columns > MOST_PIXELS:
        raise UnreadablePictureError(
            f"The picture has {dataset.Columns:,} x {dataset.Rows:,} pixels; the limit is {MOST_PIXELS:,} in all."
        )


def _may_hold_text(dataset: Any) -> bool:
    return str(dataset.get("BurnedInAnnotation", "")).upper() == "YES" or dataset.get("Modality") in WRITTEN_IN


def _shown(dataset: Any) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut, apply_rescale, apply_voi_lut
    from pydicom.pixels.utils import pixel_array

    frames = int(dataset.get("NumberOfFrames") or 1)
    values = pixel_array(dataset, index=frames // 2) if frames > 1 else pixel_array(dataset)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, dataset)
    if values.ndim == 3:
        return values.astype(np.uint8) if values.dtype.itemsize == 1 else (values >> 8).astype(np.uint8)
    values = apply_voi_lut(apply_rescale(values, dataset), dataset).astype(np.float32)
    has_window = "WindowCenter" in dataset or "VOILUTSequence" in dataset
    shown = eight_bits(values, clipped=not has_window)
    return 255 - shown if dataset.PhotometricInterpretation == "MONOCHROME1" else shown


def _undecoded(dataset: Any) -> str:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not getattr(syntax, "is_transfer_syntax", False) or not syntax.is_compressed:
        return "The pixels of the DICOM file are damaged. Send it again."
    remedy = "Install pylibjpeg with its plugins, or pyjpegls, or send the file uncompressed"
    return f"The pixels of the DICOM file cannot be decoded ({syntax.name}). {remedy}."
