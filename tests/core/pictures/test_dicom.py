"""Pictures in DICOM files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file

from bot.files.pictures import Labelled, picture_files, read_labelled, read_pictures
from core.errors import Invalid
from core.intake.live_pictures import predicted_pictures
from core.learning.data.seeds import checked_picture_seeds
from core.learning.learners.hog import WIDTH
from core.learning.learners.image import ImageModel
from core.learning.lifecycle.serving import LiveModel
from core.pictures import dicom
from core.pictures.decoded import Decoded
from core.pictures.decoder import decoded
from core.pictures.decoding import decode
from core.pictures.limits import UnreadablePictureError
from tests.core.desk import DELIVERY, REFUND, Desk


def file(name: str = "CT_small.dcm", **tags: Any) -> bytes:
    dataset = dcmread(str(get_testdata_file(name, download=False)))
    for tag, value in tags.items():
        if value is None:
            delattr(dataset, tag)
        else:
            setattr(dataset, tag, value)
    written = io.BytesIO()
    dcmwrite(written, dataset)
    return written.getvalue()


def values(made: Decoded) -> Any:
    return np.asarray(Image.open(io.BytesIO(made.content)))


def test_pixels_come_out_and_tags_stay() -> None:
    content = file(PatientName="Rosalind^Franklin", PatientID="4711")
    made = decode(content)
    assert (made.width, made.height, made.burned_in) == (128, 128, False)
    assert b"Rosalind" in content
    assert b"Rosalind" not in made.content
    assert b"4711" not in made.content
    assert decode(file(PatientName="Another")).sha256 == made.sha256


def test_where_black_is_white_it_is_turned() -> None:
    plain, turned = (values(decode(file(PhotometricInterpretation=f"MONOCHROME{n}"))) for n in (2, 1))
    np.testing.assert_array_equal(turned, 255 - plain)


def test_a_window_that_is_stored_is_used() -> None:
    narrow = values(decode(file(WindowCenter=40, WindowWidth=1, RescaleIntercept=-1024)))
    assert len(np.unique(narrow)) <= 3
    assert len(np.unique(values(decode(file())))) > 50


def test_a_file_that_ends_after_its_head_has_no_picture() -> None:
    with pytest.raises(UnreadablePictureError, match=r"The DICOM file contains no picture\."):
        decode(bytes(128) + b"DICM")


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"PixelData": None}, "The DICOM file contains no picture."),
        ({"Rows": 60_000, "Columns": 60_000}, "The picture has 60,000 x 60,000 pixels"),
        ({"PixelData": b"short"}, "The pixels of the DICOM file are damaged."),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_sentence(tags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnreadablePictureError) as caught:
        decode(file(**tags))
    assert str(caught.value).startswith(sentence)


def test_a_codec_that_is_missing_is_named() -> None:
    with pytest.raises(UnreadablePictureError, match=r"cannot be decoded \(.*JPEG.*LS.*\)\. Install pylibjpeg"):
        decode(Path(str(get_testdata_file("JPEGLSNearLossless_08.dcm", download=False))).read_bytes())


def test_without_pydicom_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "find_spec", lambda _name: None)
    with pytest.raises(UnreadablePictureError, match=r"pip install 'goldloop\[dicom\]'"):
        decode(file())


@pytest.mark.parametrize("tags", [{"BurnedInAnnotation": "YES"}, *({"Modality": one} for one in ("US", "SC", "XA"))])
def test_a_name_that_may_stand_in_the_pixels_is_for_the_policy_to_allow(desk: Desk, tags: dict[str, str]) -> None:
    made = decode(file(**tags))
    with pytest.raises(Invalid, match=r"may be written in its pixels.*privacy.burned_in_text"):
        checked_picture_seeds([(made, REFUND)], desk.rules)
    allowed = desk.under(privacy={"burned_in_text": True})
    assert len(checked_picture_seeds([(made, REFUND)], allowed.rules)) == 1


def test_nor_does_the_live_model_predict_it_unless_the_policy_allows(desk: Desk) -> None:
    live = LiveModel(1, "v1", ImageModel((DELIVERY, REFUND), np.zeros((WIDTH, 2), np.float32), np.zeros(2), 1.0))
    pictures = [(decode(file(Modality="US")), "scans/1.dcm")]
    with pytest.raises(Invalid, match=r"may be written in its pixels.*privacy.burned_in_text"):
        predicted_pictures(pictures, live, desk.rules)
    allowed = desk.under(privacy={"burned_in_text": True})
    assert [one.external_id for one in predicted_pictures(pictures, live, allowed.rules)] == ["scans/1.dcm"]


@pytest.mark.slow
def test_a_folder_names_such_a_file_and_reads_the_others(desk: Desk, tmp_path: Path) -> None:
    for name, tags in (("ct", {}), ("us", {"Modality": "US"})):
        (tmp_path / f"{name}.dcm").write_bytes(file(**tags))
    paths = picture_files(tmp_path)
    good, refused = read_pictures(paths, desk.rules)
    assert isinstance(good, Decoded)
    assert isinstance(refused, Invalid)
    assert str(refused).startswith("us.dcm: The tags of this DICOM file say")
    labelled = [Labelled((path,), REFUND) for path in paths]
    assert [isinstance(one, Invalid) for one in read_labelled(labelled, desk.rules)] == [False, True]


@pytest.mark.slow
def test_the_process_with_limits_decodes_them_too() -> None:
    content = file()
    png, first, second = decoded([b"no picture", content, content])
    assert isinstance(png, Invalid)
    assert first == second == decode(content)
