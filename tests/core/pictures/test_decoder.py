"""The process that decodes, with its limits."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import Base

from core.errors import Invalid
from core.pictures.decoded import LENGTH, Decoded, is_dicom
from core.pictures.decoder import ROOT, Decoder, decoded
from core.pictures.decoding import decode
from core.pictures.limits import UnreadablePictureError
from tests.pictures import as_file, bars, noise

DICOM_FILES = (
    "CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm", "MR_small_RLE.dcm",
    "rtdose_1frame.dcm", "SC_rgb_small_odd.dcm", "JPEGLSNearLossless_08.dcm", "liver_1frame.dcm",
)  # fmt: skip

pytestmark = pytest.mark.slow  # each starts a process

SEEDS = (
    as_file(noise(1, size=(20, 15))),
    as_file(noise(2, "RGB", (20, 15))),
    as_file(noise(3, "RGB", (24, 16)), "JPEG"),
    as_file(noise(4, size=(24, 16)), "JPEG", progressive=True),
    as_file(noise(5, "RGB", (20, 15)).convert("P")),
)


def test_it_decodes_as_this_process_would_and_a_refusal_does_not_end_the_others() -> None:
    good = as_file(bars(1, True))
    first, second, third = decoded([good, b"no picture", good])
    assert first == third == decode(good)
    assert isinstance(second, Invalid)
    assert second.field == "image"


def test_no_kind_of_file_needs_a_module_that_the_process_may_not_load_any_more() -> None:
    """A phone's picture that was turned, or saved with a second one, must not be taken for a damaged file."""
    colour, turned = noise(6, "RGB", (24, 16)), Image.Exif()
    turned[Base.Orientation] = 6
    contents = [
        as_file(colour, "JPEG", exif=turned),
        as_file(colour, exif=turned),
        as_file(colour, "MPO", save_all=True, append_images=[noise(7, "RGB", (24, 16))]),
        as_file(colour.convert("CMYK"), "JPEG", progressive=True),
        as_file(colour.convert("P"), transparency=3),
        as_file(colour, icc_profile=b"profile", dpi=(300, 300)),
    ]
    for content in contents:
        [made] = decoded([content])
        assert made == decode(content)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about odd files
def test_nor_does_a_dicom_file_of_any_codec() -> None:
    contents = [path.read_bytes() for path in sorted(dicom_path("CT_small.dcm").parent.glob("*.dcm"))]
    files = [content for content in contents if is_dicom(content)]
    assert len(files) > 60
    found = list(decoded(files))
    for content, made in zip(files, found, strict=True):
        if isinstance(made, Invalid):
            with pytest.raises(UnreadablePictureError) as alone:
                decode(content)
            assert str(alone.value) == str(made)
        else:
            assert made == decode(content)
    assert sum(isinstance(made, Decoded) for made in found) >= 40


def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_is_decoded_by_another_process() -> None:
    with Decoder(seconds=0.0) as decoder, pytest.raises(Invalid, match="took longer than 0 seconds"):
        decoder.decode(as_file(bars(1, True)))
    with Decoder() as decoder:
        decoder.decode(as_file(bars(1, True)))
        child = decoder._child
        assert child is not None
        child.kill()
        with pytest.raises(Invalid, match="could not be decoded"):
            decoder.decode(as_file(bars(1, True)))
        assert decoder.decode(as_file(bars(1, True))).width == 64


def test_the_process_has_limits_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    with Decoder() as decoder:
        decoder.decode(as_file(bars(1, True)))
        child = decoder._child
        assert child is not None
        with open(f"/proc/{child.pid}/limits", encoding="utf-8") as file:
            limits = {line[:26].strip(): line[26:].split()[0] for line in file}
        with open(f"/proc/{child.pid}/environ", "rb") as file:
            assert b"xoxb-secret" not in file.read()
    assert (limits["Max address space"], limits["Max file size"], limits["Max open files"]) == ("1500000000", "0", "3")


def test_thousands_of_damaged_files_are_each_a_picture_or_a_sentence() -> None:
    """GOLDLOOP_FUZZ sets how many; the process must outlive them all."""
    chance = random.Random(7)
    count = int(os.environ.get("GOLDLOOP_FUZZ", "5000"))
    outcomes = answered([_damaged(chance.choice(SEEDS), chance) for _ in range(count)])
    assert outcomes.total() == count
    assert min(outcomes["refused"], outcomes["decoded"]) > count / 50, outcomes


def test_a_thousand_damaged_dicom_files_are_each_a_picture_or_a_sentence() -> None:
    """Of several kinds: plain, several frames, colours, compressed, without a header."""
    seeds = [dicom_path(name).read_bytes() for name in DICOM_FILES]
    chance = random.Random(11)
    count = int(os.environ.get("GOLDLOOP_FUZZ", "5000")) // 5
    contents = [_damaged(chance.choice(seeds), chance, first=132, within=3_000) for _ in range(count)]
    outcomes = answered(contents, "--dicom")
    assert outcomes.total() == count
    assert min(outcomes["refused"], outcomes["decoded"]) > count / 50, outcomes


def dicom_path(name: str) -> Path:
    from pydicom.data import get_testdata_file  # the other tests need no extra

    return Path(str(get_testdata_file(name, download=False)))


def answered(contents: list[bytes], *arguments: str) -> Counter[str]:
    """How many files the process has decoded and refused. It gets them all before it is read."""
    child = subprocess.run(
        [sys.executable, "-m", "core.pictures.child", *arguments],
        input=b"".join(len(one).to_bytes(LENGTH) + one for one in contents),
        capture_output=True,
        cwd=ROOT,
        timeout=60 + len(contents) / 50,
        check=True,
    )
    output, place, outcomes = child.stdout, 0, Counter[str]()
    while place < len(output):
        end = output.index(b"\n", place) + 1
        head = json.loads(output[place:end])
        place = end + head.get("content", 0) + head.get("grey", 0)
        outcomes["refused" if "problem" in head else "decoded"] += 1
        assert head.get("problem", ".").endswith(".") or "pip install" in head["problem"]
    return outcomes


def _damaged(content: bytes, chance: random.Random, first: int = 0, within: int | None = None) -> bytes:
    """Some bytes changed, a part cut out, doubled, or put somewhere else; from the byte `first` on, and half of the
    time within so many: there tags lie."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        last = len(made) if within is None or chance.random() < 0.5 else min(len(made), first + within)
        place, length = chance.randrange(min(first, last - 1), last), chance.choice((1, 1, 1, 4, 30))
        match chance.randrange(4):
            case 0:
                made[place : place + length] = chance.randbytes(length)
            case 1 if len(made) > 100:
                del made[place : place + length]
            case 2:
                made[place:place] = made[place : place + length]
            case _:
                made[place] ^= 1 << chance.randrange(8)
    return bytes(made)
