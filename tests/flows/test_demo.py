"""The demo: its text is as promised, its shares do not overlap, and it plays to an honest end."""

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bot.demo.data import LATE_LABELS, file_tickets, own_tickets, share_out
from bot.demo.play import Options, play
from core.errors import Invalid


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+(?:['’]\w+)?", text.lower()))


def test_the_text_is_large_varied_and_repeats_nobody() -> None:
    tickets = own_tickets()
    labels = Counter(ticket.label for ticket in tickets if not ticket.also)
    assert len(tickets) >= 600
    assert len(labels) == 13
    assert labels[None] >= 28
    assert min(labels.values()) >= 28
    assert sorted(labels.values())[1] >= 46
    assert sum(bool(ticket.also) for ticket in tickets) >= 20
    assert {"fr", "de"} < {ticket.language for ticket in tickets}
    sets = [words(ticket.text) for ticket in tickets]
    for (one, a), (other, b) in itertools.combinations(zip(tickets, sets, strict=True), 2):
        shared = len(a & b)
        assert 2 * shared <= (len(a) + len(b)) / 2, f"too alike: “{one.text}” and “{other.text}”"


def test_no_text_is_in_two_shares_and_late_labels_start_with_two_rows() -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(3))
    seed, unseen, stream = ([ticket.text for ticket in part] for part in (shares.seed, shares.unseen, shares.stream))
    assert len({*seed, *unseen, *stream}) == len(seed) + len(unseen) + len(stream)
    assert len(shares.labels) == 12


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            "text,label\n" + "".join(f"text {n},a\n" for n in range(100)),
            "this file has 100 texts and 1 labels",
        ),
        ("text,label\nhello,a\nbye,b\n", "the demo needs at least 60 different texts and 2 labels"),
        ("words,label\nhello,a\n", "there is no column “text”"),
        ("text,label\nhello,\n", "row 1: label is empty"),
    ],
)
def test_data_that_does_not_suffice_is_answered_with_what_is_needed(tmp_path: Path, rows: str, sentence: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(rows, encoding="utf-8")
    with pytest.raises(Invalid, match=re.escape(sentence)):
        file_tickets(file, 600, np.random.default_rng(1))


def test_a_class_with_one_example_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    rows = [f"where is parcel number {n},delivery\nrefund order {n} please,refund\n" for n in range(40)]
    file.write_text("text,label\n" + "".join(rows) + "the only one of its kind,rare\n", encoding="utf-8")
    tickets = file_tickets(file, 600, np.random.default_rng(1))
    assert "rare" in share_out(tickets, (), np.random.default_rng(1)).labels


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [False, True], ids=["honest", "spoilt"])
def test_it_plays_itself_to_a_decision(elsewhere: Path, spoil: bool) -> None:
    console = Console(record=True, width=160, file=(elsewhere / "out").open("w", encoding="utf-8"))
    play(Options(auto=True, seed=1, spoil=spoil, data=None, size=600, cards=24, port=0, pace=40), console)
    told = console.export_text()
    assert "24 settled items" in told
    assert re.search(r"\d+\.\d% → \d+\.\d% on \d+ rows; difference [+−]\d", told)
    if spoil:
        assert "v2 did not go live: the golden gate refused it" in told
        assert "have changed places" in told
    else:
        assert "v2 passed the golden gate, was approved by a lead and is live" in told
    console.file.close()
