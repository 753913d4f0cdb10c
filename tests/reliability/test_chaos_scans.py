"""A short run of the kills of scans; and a scan that found other texts is noticed."""

from collections.abc import Iterator

import pytest

from benchmarks.chaos_scans.place import Place, laid_out, written_source
from benchmarks.chaos_scans.rounds import Rounds, differences, undisturbed

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
