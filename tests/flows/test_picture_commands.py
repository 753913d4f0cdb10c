"""`goldloop …` with pictures, as operators type it. On SQLite: the verbs have their own tests on both databases."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from core.policy.file import load_policy
from core.records.learning import GoldenExample, SeedExample
from core.records.pictures import Picture
from core.storage.database import Database
from tests.core.desk import BILLING, REFUND, UNSURE, opened
from tests.flows.test_terminal import Terminal, goldloop
from tests.people import ANA, BEN
from tests.pictures import as_file, bars, drawn

__all__ = ["goldloop"]
pytestmark = [pytest.mark.usefixtures("sqlite_only"), pytest.mark.slow]  # each command starts a process


def labelled(folder: Path, first: int = 0, each: int = 6) -> Path:
    for number in range(first, first + 2 * each):
        label = (REFUND, BILLING)[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{number}.png").write_bytes(as_file(bars(number, number % 2 == 1)))
    return folder


def test_a_folder_of_labels_is_imported_once_and_a_file_that_is_no_picture_is_named(
    goldloop: Terminal, tmp_path: Path
) -> None:
    goldloop.run("migrate")
    folder = labelled(tmp_path / "scans")
    (folder / REFUND / "broken.png").write_bytes(b"%PDF-1.7")
    done = goldloop.run("seed", str(folder), "--queue", "support")
    assert done.returncode == 2
    assert "0 already stored, 1 rejected." in done.stdout
    assert "broken.png: This file is a PDF" in done.stdout.replace("\n", " ")
    (folder / REFUND / "broken.png").unlink()
    assert "12 already stored, 0 rejected." in goldloop.run("seed", str(folder), "--queue", "support").stdout


def test_a_file_lists_pictures_with_labels_and_patients(goldloop: Terminal, tmp_path: Path, database: Database) -> None:
    goldloop.run("migrate")
    folder = labelled(tmp_path / "scans")
    with (tmp_path / "scans.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label", "group"])
        for number in range(0, 12, 2):
            pair = [f"scans/{(REFUND, BILLING)[one % 2]}/{one}.png" for one in (number, number + 1)]
            rows.writerow([json.dumps(pair), REFUND, f"P-{number // 4}"])
    done = goldloop.run("seed", str(tmp_path / "scans.csv"), "--queue", "support")
    assert (done.returncode, "0 already stored, 0 rejected." in done.stdout) == (0, True), done.stderr
    with database.reading() as session:
        sides = {record: session.scalars(select(record.group)).all() for record in (SeedExample, GoldenExample)}
        assert session.scalar(select(func.count()).select_from(Picture)) == 12
    stored = sorted(group or "" for groups in sides.values() for group in groups)
    assert stored == ["P-0", "P-0", "P-1", "P-1", "P-2", "P-2"]
    assert not {*sides[SeedExample]} & {*sides[GoldenExample]}
    loose = goldloop.run("seed", str(folder), "--queue", "support", "--group-by-folder").stderr.replace("\n", " ")
    assert "move the picture into a folder of its group, such as its patient, within" in loose
    (tmp_path / "patients" / BILLING / "P-9").mkdir(parents=True)
    (tmp_path / "patients" / BILLING / "P-9" / "a.png").write_bytes(as_file(bars(99, True)))
    done = goldloop.run("golden", "import", str(tmp_path / "patients"), "--queue", "support", "--group-by-folder")
    assert done.stdout.strip().startswith("1 golden"), done.stderr
    with database.reading() as session:
        assert "P-9" in session.scalars(select(GoldenExample.group)).all()


def test_a_test_set_of_pictures_is_imported_whole(goldloop: Terminal, tmp_path: Path) -> None:
    goldloop.run("migrate")
    folder = labelled(tmp_path / "test", first=100, each=3)
    done = goldloop.run("golden", "import", str(folder), "--queue", "support")
    assert done.stdout.strip().startswith("6 golden, 0 already golden"), done.stderr
    (folder / REFUND / "broken.jpg").write_bytes(b"no picture")
    assert (
        "broken.jpg: This file is not a readable picture"
        in goldloop.run("golden", "import", str(folder), "--queue", "support").stderr
    )


def test_predictions_name_pictures_beside_them_and_go_out_with_their_corrections(
    goldloop: Terminal, tmp_path: Path, database: Database
) -> None:
    goldloop.run("migrate")
    folder = tmp_path / "new"
    (folder / "scans").mkdir(parents=True)
    (folder / "scans" / "a.png").write_bytes(as_file(bars(1, True)))
    with (folder / "predictions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["external_id", "model_version", "image", "group", *[f"p:{label}" for label in UNSURE]])
        rows.writerow(["S-1", "m1", "scans/a.png", "P-1", *UNSURE.values()])
        rows.writerow(["S-2", "m1", "scans/missing.png", "P-1", *UNSURE.values()])
    done = goldloop.run("ingest", str(folder), "--queue", "support")
    assert (done.returncode, "1 new, 0 already stored, 1 flagged for review, 1 rejected." in done.stdout) == (2, True)
    assert "missing.png: the file cannot be read" in done.stdout.replace("\n", " ")
    desk = opened(database, load_policy(tmp_path / "goldloop.toml"))
    for person in (ANA, BEN):
        desk.click(person, 1, BILLING)
    assert desk.prediction(1).group == "P-1"
    target = tmp_path / "out"
    assert goldloop.run("export", "pictures", str(target), "--queue", "support").returncode == 0
    [line] = [json.loads(line) for line in (target / "corrections.jsonl").read_text("utf-8").splitlines()]
    picture = drawn(1)
    assert (line["label"], line["image"]) == (BILLING, f"pictures/{picture.sha256}.png")
    assert hashlib.sha256((target / line["image"]).read_bytes()).digest() == hashlib.sha256(picture.content).digest()
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"
    assert "exists already" in goldloop.run("export", "pictures", str(target), "--queue", "support").stderr


def test_pictures_alone_need_a_live_model(goldloop: Terminal, tmp_path: Path) -> None:
    goldloop.run("migrate")
    folder = labelled(tmp_path / "scans", each=1)
    told = goldloop.run("ingest", str(folder), "--queue", "support").stderr.replace("\n", " ")
    assert "No model of support is live. Put the pictures' predictions beside them in predictions.csv." in told
    (tmp_path / "empty").mkdir()
    assert (
        "there is no picture in this folder" in goldloop.run("ingest", str(tmp_path / "empty"), "-q", "support").stderr
    )
