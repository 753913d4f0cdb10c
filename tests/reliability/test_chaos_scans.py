"""A short run of the kills of scans; and a scan that found other texts is noticed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos_scans.place import KINDS, Kind, Place, laid_out, written_source
from benchmarks.chaos_scans.rounds import PROGRAM, Rounds, command_of, differences, undisturbed
from bot.runtime.clock import utc_now
from tests.core.desk import Desk
from tests.core.models import SEEDS, fitted, promoted
from tests.people import support_policy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("chaos")
    with laid_out(folder / "place", written_source(folder / "source", 1, files=10, rows=500), "sqlite") as found:
        yield found


def test_a_scan_that_is_killed_at_a_random_moment_finds_the_same(place: Place) -> None:
    found = Rounds(place, "one process", None, seed=1).played(1, undisturbed(place))
    assert found.broken == []
    assert found.kills == {"driver": 1}
    other, fewer = differences(place, "0" * 64)  # the round has deleted the finds
    assert other.startswith("the digest is")
    assert fewer == "0 finds, not 20"


def started(place: Place) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, *command_of(place, "one process", None)]
    return subprocess.Popen(command, env=place.environment, stdout=subprocess.PIPE, text=True)


def killed_in_the_middle(place: Place) -> None:
    driver = started(place)
    while not place.parts_read():
        assert driver.poll() is None, "it was too fast to be killed"
        time.sleep(0.02)
    driver.kill()
    driver.communicate()


@pytest.mark.parametrize("kind", KINDS)
def test_a_scan_that_was_killed_keeps_its_model_although_another_was_promoted_meanwhile(
    tmp_path: Path, kind: Kind
) -> None:
    other = tuple((text.replace("my", "our"), label) for text, label in SEEDS[1:])
    with laid_out(tmp_path / "place", written_source(tmp_path / "source", 1, files=10, rows=6_000), kind) as place:
        first = undisturbed(place)
        killed_in_the_middle(place)
        promoted(Desk(place.database, support_policy()), utc_now(), fitted(other))
        shown, _ = started(place).communicate()
        assert ", with v1:" in " ".join(shown.split())
        assert differences(place, first) == []
        place.forget()
        assert undisturbed(place) != first, "the model that was promoted finds other texts"
