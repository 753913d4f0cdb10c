"""`goldloop demo` with pictures."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bot.demo.data import Shares, Ticket, sampled, share_out
from bot.demo.diagnostic import two_label_rows
from bot.demo.pictures import digits, own_pictures
from bot.demo.place import DIGITS, SCANS
from bot.demo.play import Options, play
from core.errors import Invalid, Refusal
from core.learning.data.inputs import Example
from core.learning.learners.image import ImageLearner
from core.learning.lifecycle.serving import LiveModel
from tests.pictures import as_file, bars, drawn

QUICK = Options(auto=True, seed=1, spoil=False, data=None, size=400, cards=16, port=0, pace=40, queue=SCANS)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """The demo writes into the folder in which it runs."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def folder(path: Path, each: int = 40) -> Path:
    for number in range(2 * each):
        label = ("pneumonia", "normal")[number % 2]
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / label / f"{number}.png").write_bytes(as_file(bars(number, number % 2 == 1)))
    return path


@pytest.mark.slow
def test_the_digits_fall_into_disjoint_shares() -> None:
    tickets = sampled(digits(), 400, np.random.default_rng(1))
    shares = share_out(tickets, (), np.random.default_rng(1))
    parts = [shares.seed, shares.unseen, shares.stream]
    counted = Counter(ticket.input.content_hash for part in parts for ticket in part)
    assert max(counted.values()) == 1
    assert shares.labels == tuple("0123456789")


@pytest.mark.slow
def test_ones_own_pictures_are_a_folder_of_labels_or_a_medmnist_file(tmp_path: Path) -> None:
    found = own_pictures(folder(tmp_path / "scans"), 600)
    assert Counter(ticket.label for ticket in found) == {"pneumonia": 40, "normal": 40}
    (tmp_path / "scans" / "normal" / "broken.png").write_bytes(b"%PDF-1.7")
    with pytest.raises(Invalid, match=r"broken.png: This file is a PDF"):
        own_pictures(tmp_path / "scans", 600)
    (tmp_path / "scans" / "loose.png").write_bytes(as_file(bars(1, True)))
    with pytest.raises(Invalid, match="move the picture into a sub-folder"):
        own_pictures(tmp_path / "scans", 600)


def test_a_medmnist_file_is_read_by_its_training_part(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (70, 8, 8), dtype=np.uint8)
    targets = (np.arange(70) % 2)[:, None]
    np.savez(tmp_path / "pneumoniamnist.npz", train_images=pixels, train_labels=targets)
    np.savez(tmp_path / "other.npz", train_images=pixels, train_labels=targets)
    np.savez(tmp_path / "odd.npz", something=pixels)
    assert Counter(one.label for one in own_pictures(tmp_path / "pneumoniamnist.npz", 600)) == {
        "normal": 35,
        "pneumonia": 35,
    }
    assert {one.label for one in own_pictures(tmp_path / "other.npz", 600)} == {"0", "1"}
    with pytest.raises(Invalid, match="no MedMNIST file"):
        own_pictures(tmp_path / "odd.npz", 600)
    (tmp_path / "data").mkdir()
    (tmp_path / "pneumoniamnist.npz").rename(tmp_path / "data" / "pneumoniamnist.npz")
    assert {one.label for one in own_pictures(tmp_path / "data", 600)} == {"normal", "pneumonia"}


def test_of_a_large_set_only_as_many_are_decoded_as_a_demo_needs(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3_000, 8, 8), dtype=np.uint8)
    targets = (np.arange(3_000) % 10 == 0).astype(int)
    np.savez(tmp_path / "large.npz", train_images=pixels, train_labels=targets)
    found = own_pictures(tmp_path / "large.npz", 100)
    assert Counter(one.label for one in found) == {"0": 100, "1": 100}


@pytest.mark.slow
def test_two_labels_are_told_as_radiologists_read_them() -> None:
    tickets = [Ticket("", ("Normal", "Pneumonia")[n % 2], picture=drawn(n, n % 2 == 1)) for n in range(40)]
    shares = Shares(("Normal", "Pneumonia"), (), tuple(tickets[20:]), (), ())
    fitted = ImageLearner().fit([Example(one.input, one.label or "") for one in tickets[:20]], 1, lambda _step: None)
    rows = dict(two_label_rows(LiveModel(1, "v1", fitted), shares))
    assert re.fullmatch(r"\d+\.\d% of Pneumonia found \(95% interval .*, n = 10\)", rows["Sensitivity"])
    assert "n = 10" in rows["Specificity"]
    assert "off by" in rows["Calibration"]
    assert two_label_rows(LiveModel(1, "v1", fitted), replace(shares, labels=("a", "b", "c"))) == []


def test_labels_of_pictures_are_not_swapped(elsewhere: Path) -> None:
    with pytest.raises(Refusal, match="--spoil swaps the labels of texts"):
        play(replace(QUICK, spoil=True), Console(quiet=True))
    assert QUICK.subject is DIGITS


@pytest.mark.slow
def test_it_plays_itself_to_a_decision(elsewhere: Path) -> None:
    with (elsewhere / "out").open("w", encoding="utf-8") as file:
        console = Console(record=True, width=160, file=file)
        play(QUICK, console)
        told = console.export_text()
    assert "16 settled items" in told
    assert "Accuracy on held-out pictures" in told
    assert re.search(r"v2 (passed the golden gate|did not go live)", told)
