"""The process that decodes, with its limits."""

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from core.errors import Invalid
from core.pictures.child import LENGTH
from core.pictures.decoder import ROOT, Decoder, decoded
from core.pictures.decoding import decode
from tests.pictures import as_file, bars, noise

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
    chance, outcomes = random.Random(7), Counter[str]()
    count = int(os.environ.get("GOLDLOOP_FUZZ", "5000"))
    contents = [_damaged(chance.choice(SEEDS), chance) for _ in range(count)]
    child = subprocess.run(
        [sys.executable, "-m", "core.pictures.child"],
        input=b"".join(len(one).to_bytes(LENGTH) + one for one in contents),
        capture_output=True,
        cwd=ROOT,
        timeout=110,
        check=True,
    )
    output, place = child.stdout, 0
    while place < len(output):
        end = output.index(b"\n", place) + 1
        head = json.loads(output[place:end])
        place = end + head.get("content", 0) + head.get("grey", 0)
        outcomes["refused" if "problem" in head else "decoded"] += 1
        assert head.get("problem", ".").endswith(".")
    assert outcomes.total() == count
    assert min(outcomes["refused"], outcomes["decoded"]) > count / 50, outcomes


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, a part cut out, doubled, or put somewhere else."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place, length = chance.randrange(len(made)), chance.choice((1, 1, 1, 4, 30))
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
