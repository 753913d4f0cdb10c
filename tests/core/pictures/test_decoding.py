"""What a file has to be, and what is kept of it."""

import io
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from core.pictures.decoding import DISPLAYED, SIDE, decode
from core.pictures.limits import MOST_BYTES, UnreadablePictureError
from tests.pictures import as_file, noise

GREY, COLOUR = noise(1), noise(2, "RGB")
ANIMATED = as_file(GREY, save_all=True, append_images=[noise(3), noise(4)])


def refused(content: bytes) -> str:
    with pytest.raises(UnreadablePictureError) as caught:
        decode(content)
    return str(caught.value)


def shown(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(decode(content).content))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (bytes(MOST_BYTES + 1), "The file has 20,000,001 bytes; the limit is 20,000,000."),
        (as_file(COLOUR)[:900], "The file is incomplete. Send it again."),
        (as_file(COLOUR, "JPEG")[:900], "The file is incomplete. Send it again."),
        (as_file(Image.new("1", (10_000, 10_000))), "The picture has 10,000 x 10,000 pixels; the limit is 40,000,000"),
        (ANIMATED, "The picture is animated (3 frames). Send one frame."),
        (as_file(GREY, "GIF"), "This file is a GIF, whatever its name says. Send a PNG or a JPEG."),
        (b"%PDF-1.7 and so on", "This file is a PDF, whatever its name says. Send a PNG or a JPEG."),
        (as_file(GREY, "TIFF"), "This file is a TIFF"),
        (b"hello", "This file is not a readable picture. Send a PNG or a JPEG."),
    ],
)
def test_a_file_that_is_no_use_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    assert refused(content).startswith(sentence)


def test_a_hundred_megapixels_fit_into_ten_kilobytes() -> None:
    assert len(as_file(Image.new("1", (10_000, 10_000)))) < 13_000


def test_every_single_changed_byte_is_answered_by_a_picture_or_a_sentence() -> None:
    content = as_file(noise(5, size=(12, 9)), "JPEG")
    for place in range(0, len(content), 7):
        with suppress(UnreadablePictureError):
            decode(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])


class TestWhatIsKept:
    def test_the_same_pixels_have_one_hash_whatever_the_file_says_beside_them(self) -> None:
        exif = Image.Exif()
        exif[Base.Artist] = "Rosalind"
        with_words = as_file(GREY, exif=exif, compress_level=1)
        assert b"Rosalind" in with_words
        assert decode(with_words).sha256 == decode(as_file(GREY)).sha256
        assert b"Rosalind" not in decode(with_words).content
        other = GREY.copy()
        other.putpixel((0, 0), 255 - int(np.asarray(GREY)[0, 0]))
        assert decode(as_file(other)).sha256 != decode(as_file(GREY)).sha256

    def test_it_stands_upright_although_the_position_of_the_camera_goes(self) -> None:
        exif = Image.Exif()
        exif[Base.Orientation] = 6
        turned = decode(as_file(COLOUR, "JPEG", exif=exif))
        assert (turned.width, turned.height) == (COLOUR.height, COLOUR.width)

    def test_the_longest_side_is_bounded_and_a_small_picture_is_enlarged_in_whole_squares(self) -> None:
        large = shown(as_file(Image.new("L", (1_600, 800))))
        assert large.size == (DISPLAYED, DISPLAYED // 2)
        small = shown(as_file(noise(6, size=(28, 28))))
        assert small.size == (448, 448)
        assert (np.asarray(small)[:16, :16] == np.asarray(noise(6, size=(28, 28)))[0, 0]).all()

    @pytest.mark.parametrize("content", [as_file(GREY), as_file(COLOUR, "JPEG"), as_file(COLOUR.convert("P"))])
    def test_models_read_64_by_64_greys(self, content: bytes) -> None:
        assert len(decode(content).grey) == SIDE * SIDE

    def test_16_bits_are_windowed_and_not_cut(self) -> None:
        dark = np.linspace(0, 900, 64 * 64).reshape(64, 64).astype(np.uint16)
        dark[0, 0] = 65_000
        values = np.asarray(shown(as_file(Image.fromarray(dark))))
        assert values.dtype == np.uint8
        assert np.percentile(values, 10) < 50 < 200 < np.percentile(values, 90)
        assert len(set(decode(as_file(Image.fromarray(dark))).grey)) > 100

    def test_colours_of_a_printer_become_those_of_a_screen(self) -> None:
        red = shown(as_file(Image.new("CMYK", (50, 50), (0, 255, 255, 0)), "JPEG"))
        assert red.mode == "RGB"
        colour = np.asarray(red)[25, 25]
        assert colour[0] > 200 > 80 > colour[1]

    def test_what_is_transparent_is_white(self) -> None:
        assert shown(as_file(Image.new("RGBA", (50, 50), (0, 0, 0, 0)))).getpixel((5, 5)) == (255, 255, 255)
