"""Scoring: exact margins, nothing unknown in front, the same texts from every engine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.discovery.domain import Domain, fit_domain
from core.discovery.engines import DEATHS, Engine, Event, one_process, pool
from core.discovery.ranking import NEVER, Ranker, ranking_of
from core.discovery.results import Found, Reading, Scored, Unread
from core.discovery.scoring import Task, known_digits, score
from core.discovery.selection import digest_of, merged, spread
from core.discovery.sources import Columns, Shard, shards_of
from core.learning.data.inputs import Input
from core.learning.data.text_similarity import without_near
from core.policy import PrivacyPolicy
from core.text.content_hash import content_hash
from tests.core.desk import BILLING, DELIVERY, REFUND
from tests.core.models import SEEDS, THINGS, WISHES, fitted

LABELS = (BILLING, DELIVERY, REFUND)
OURS = [f"{wish} {thing} {number}" for number in range(40) for thing in THINGS for wish, _label in WISHES]
MIXED = [f"i want my {thing} money back where is the parcel {number}" for number in range(5) for thing in THINGS]
OTHER = [f"quarterly earnings rose {number} percent as analysts expected" for number in range(200)]
UNKNOWN = ["\u4e2d\u6587", "\u65e5\u672c", "", "   "]


def ranker(domain: Domain | None = None, label: str | None = None, foreign: bool = False) -> Ranker:
    return Ranker(fitted()[1], "text", LABELS, label, foreign, domain)


def task(most: int = 50, known: tuple[str, ...] = (), privacy: PrivacyPolicy | None = None, **how: object) -> Task:
    known_hashes = known_digits([content_hash(text) for text in known])
    return Task(ranker(**how), Columns("text"), privacy or PrivacyPolicy(), known_hashes, most)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Shard]:
    path = tmp_path_factory.mktemp("source") / "a.jsonl"
    texts = [*OURS, *UNKNOWN, *MIXED, *OTHER, *MIXED[:5]]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    found = shards_of(str(path), lines_bytes=6_000)
    assert len(found) > 8
    return found


def results(events: list[Event]) -> list[Scored | Unread]:
    return [event for event in events if event is not None and not isinstance(event, Reading)]


def front(events: list[Event], most: int = 50) -> list[Found]:
    return merged([one.top for one in results(events) if isinstance(one, Scored)], most)


def test_values_are_the_margins_of_the_probabilities() -> None:
    model, _packed = fitted()
    texts = [*OURS[:50], *MIXED, *OTHER[:20]]
    said = np.sort(model.probabilities([Input(text) for text in texts]), axis=1)
    assert ranking_of(ranker())(texts) == pytest.approx(said[:, -1] - said[:, -2], abs=2e-6)


def test_a_text_without_any_known_n_gram_is_never_ranked() -> None:
    values = ranking_of(ranker())([*UNKNOWN, OURS[0]])
    assert list(values == NEVER) == [True, True, True, True, False]


def test_a_label_is_compared_with_the_best_other_one_and_must_be_likely_at_all() -> None:
    model, _packed = fitted()
    texts = [*OURS[:60], *MIXED]
    said = model.probabilities([Input(text) for text in texts])
    place = model.classes.index(REFUND)
    others = np.delete(said, place, axis=1).max(axis=1)
    expected = np.where(said[:, place] < 0.02, NEVER, np.abs(said[:, place] - others))
    assert ranking_of(ranker(label=REFUND))(texts) == pytest.approx(expected, abs=2e-6)


def test_the_domain_column_keeps_other_texts_out_or_looks_for_them() -> None:
    model, _packed = fitted()
    training = [text for text, _label in SEEDS]
    domain = fit_domain(model.ngrams, training * 3, [*OTHER[:100], *OURS[:50]], 0.9, 1)  # type: ignore[attr-defined]
    assert domain is not None
    assert domain.threshold is not None
    ours, other = ranking_of(ranker(domain))(OURS[:60]), ranking_of(ranker(domain))(OTHER[100:])
    assert (ours < NEVER).mean() > 0.8
    assert (other == NEVER).all()
    foreign = ranking_of(ranker(domain, foreign=True))([*OURS[:60], *OTHER[100:]])
    assert (foreign[60:] < NEVER).all()
    assert (foreign[:60] == NEVER).mean() > 0.8


def test_a_source_of_the_queues_own_kind_has_no_gate() -> None:
    model, _packed = fitted()
    shuffled = [OURS[place] for place in np.random.default_rng(1).permutation(len(OURS))]
    domain = fit_domain(model.ngrams, shuffled[::2], shuffled[1::2], 0.9, 1)  # type: ignore[attr-defined]
    assert domain is not None
    assert domain.threshold is None
    assert domain.auc < 0.75


def test_each_content_is_in_front_once_and_known_ones_are_not(shards: list[Shard]) -> None:
    known = MIXED[7]
    found = front(list(one_process(task(known=(known.upper(),)), shards)), 100)
    hashes = [one.content_hash for one in found]
    assert len(set(hashes)) == len(hashes)
    assert content_hash(known) not in hashes
    assert [one.value for one in found] == sorted(one.value for one in found)
    scored = [one for one in results(list(one_process(task(known=(known,)), shards))) if isinstance(one, Scored)]
    assert sum(one.known for one in scored) >= 1


def test_what_is_kept_is_masked_as_the_policy_says_before_it_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nwhere is my refund for the lamp write to ana@firm.example\n")
    privacy = PrivacyPolicy(mask=("email",), keep_original=False)
    scored = score(task(privacy=privacy), shards_of(str(tmp_path))[0])
    assert isinstance(scored, Scored)
    [found] = scored.top
    assert "ana@firm.example" not in found.text
    assert found.content_hash == content_hash(found.text)


def test_what_is_in_front_does_not_depend_on_the_shards(tmp_path: Path, shards: list[Shard]) -> None:
    whole = shards_of(shards[0].address)
    assert len(whole) == 1
    apart, together = front(list(one_process(task(), shards))), front(list(one_process(task(), whole)))
    assert [(one.value, one.content_hash) for one in apart] == [(one.value, one.content_hash) for one in together]


@pytest.mark.slow
def test_a_pool_finds_the_same_in_any_order_and_after_deaths(shards: list[Shard]) -> None:
    here = front(list(one_process(task(), shards)))
    assert digest_of(front(list(pool(2)(task(), shards)))) == digest_of(here)
    assert digest_of(front(list(pool(2)(task(), shards[::-1])))) == digest_of(here)
    assert digest_of(front(_with_deaths(2, shards))) == digest_of(here)


@pytest.mark.slow
def test_a_shard_whose_processes_die_again_and_again_is_given_up_and_the_others_are_read(shards: list[Shard]) -> None:
    unread, *others = sorted(results(_with_deaths(DEATHS, shards)), key=lambda one: one.position)
    assert isinstance(unread, Unread)
    assert "died 3 times" in unread.problem
    assert all(isinstance(one, Scored) for one in others)


def _with_deaths(deaths: int, shards: list[Shard]) -> list[Event]:
    """The events of a pool whose process for the first shard is killed so many times, as soon as it is there."""
    killer = threading.Thread(target=_kill_children, args=(deaths,))
    killer.start()
    events = list(pool(1)(task(), shards))
    killer.join()
    return events


@pytest.mark.slow
@pytest.mark.parametrize("engine", [one_process, pool(1)], ids=["here", "pool"])
def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "a.csv").write_text("text\nwhere is my parcel\n")
    (tmp_path / "b.csv.gz").write_bytes(b"\x1f\x8b\x08damaged")
    (tmp_path / "c.csv").write_text("other\nx\n")
    good, damaged, other = sorted(results(list(engine(task(), shards_of(str(tmp_path))))), key=lambda one: one.position)
    assert isinstance(good, Scored)
    assert isinstance(damaged, Unread)
    assert "b.csv.gz cannot be read" in damaged.problem
    assert isinstance(other, Unread)
    assert "there is no column “text”" in other.problem


@pytest.mark.slow
def test_closing_a_pool_ends_its_processes(shards: list[Shard]) -> None:
    events = pool(2)(task(), shards)
    next(events)
    children = _children()
    assert children
    events.close()  # type: ignore[attr-defined]
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


SCAN = """
import os, sys
from tests.core.discovery.test_scoring import pool, results, shards_of, task
assert results(list(pool(2)(task(), shards_of(sys.argv[1], lines_bytes=6_000))))
print(open(f"/proc/self/task/{os.getpid()}/children").read())
"""


@pytest.mark.slow
def test_no_process_stays_when_a_scan_is_done(shards: list[Shard]) -> None:
    """One that only looks after others would, with the memory of an interpreter."""
    program = [sys.executable, "-c", SCAN, shards[0].address]
    told = subprocess.run(program, check=True, capture_output=True, text=True)
    assert told.stdout.split() == []


DRIVER = """
import sys
from tests.core.discovery.test_scoring import _children, pool, shards_of, task
events = pool(2)(task(), shards_of(sys.argv[1], lines_bytes=6_000))
while not hasattr(next(events), "position"):
    pass
print(*_children(), flush=True)
for event in events:
    pass
"""


@pytest.mark.slow
def test_processes_end_when_their_driver_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": f"{text} {n}"}) + "\n" for n in range(400) for text in OURS[:100]))
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(path)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    with driver.stdout as told:
        children = [int(word) for word in told.readline().split()]
        driver.kill()
        driver.wait()
    assert children
    end = time.monotonic() + 3
    while time.monotonic() < end and any(is_there(pid) for pid in children):
        time.sleep(0.05)
    assert not [pid for pid in children if is_there(pid)]


def is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_of_the_pool_watches_its_driver_before_it_loads_libraries() -> None:
    """Else it outlives a driver that is killed while its processes start, by seconds on a busy machine."""
    program = "import sys; from core.discovery.pool_process import work; print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "'core.discovery.pool_process'" in loaded
    for library in ("numpy", "scipy", "sklearn", "pydantic", "sqlalchemy"):
        assert f"'{library}'" not in loaded


def test_near_duplicates_leave_the_better_one() -> None:
    texts = ["i want my money back for the lamp", "where is my parcel", "i want my money back for the lamps"]
    assert without_near(texts, 0.85) == [0, 1]
    assert without_near([], 0.85) == []


def test_the_spread_takes_different_texts_and_no_more_than_wanted() -> None:
    texts = [f"{wish} {thing}" for wish, _label in WISHES for thing in THINGS]
    values = [number / 100 for number in range(len(texts))]
    picked = spread(texts, values, 3, seed=1)
    assert len(picked) == 3
    assert {place // len(THINGS) for place in picked} == {0, 1, 2}
    assert spread(texts[:2], values[:2], 3, seed=1) == [0, 1]


def _children() -> list[int]:
    """Processes of the pool."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_text()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and "pool_process" in words:
            found.append(int(path.parent.name))
    return found


def _kill_children(number: int) -> None:
    killed: set[int] = set()
    end = time.monotonic() + 60
    while len(killed) < number and time.monotonic() < end:
        for pid in set(_children()) - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        time.sleep(0.001)
