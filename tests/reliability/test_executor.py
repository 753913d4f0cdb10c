"""Long computations run in a child process: the worker's memory and interpreter stay free, and the fate of the process
is reported."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.worker.executors.local import LocalExecutor, in_one_process
from bot.worker.executors.threaded import execute_in_thread
from core.errors import Invalid
from core.jobs import Execute, Interrupted, Report, WorkFailed, execute_here
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import unpack
from core.learning.learners.fitting import fit_and_pack
from core.learning.learners.text import TextLearner
from core.vocabulary import Coded
from tests.reliability.pieces_of_work import HERE, MEGABYTE, break_down, die, hoard, leave, process_of, refuse, stay

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


WORDS = [f"word{number}" for number in range(1000)]


def ignored(_step: Coded) -> None:
    pass


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def examples(count: int) -> list[Example]:
    chance = random.Random(1)
    return [Example(Input(" ".join(chance.sample(WORDS, 5))), ("refund", "delivery")[n % 2]) for n in range(count)]


def test_work_is_done_in_another_process_and_reports_from_there() -> None:
    told: list[Coded] = []
    assert LocalExecutor()(process_of, report=told.append) != os.getpid()
    assert execute_here(process_of, report=told.append) == os.getpid()
    assert told == [HERE, HERE]


def test_a_refusal_comes_back_as_it_was_said() -> None:
    with pytest.raises(Invalid, match="All rows have one label") as refused:
        LocalExecutor()(refuse, report=ignored)
    assert (refused.value.field, refused.value.details) == ("learner", {"rows": 3})


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (break_down, "ValueError: no such column"),
        (die, "its process was ended by SIGKILL"),
        (leave, "its process ended with exit code 3"),
    ],
)
def test_what_went_wrong_there_is_told_in_a_line(work: Callable[[Report], None], reason: str) -> None:
    with pytest.raises(WorkFailed, match=reason):
        LocalExecutor()(work, report=ignored)


def test_pieces_of_one_job_run_in_one_process_which_a_refusal_and_an_error_do_not_end() -> None:
    executor = LocalExecutor()
    with executor.one_process() as execute:
        first = execute(process_of, report=ignored)
        with pytest.raises(Invalid, match="All rows have one label"):
            execute(refuse, report=ignored)
        with pytest.raises(WorkFailed, match="no such column"):
            execute(break_down, report=ignored)
        assert execute(process_of, report=ignored) == first != os.getpid()
    assert not Path(f"/proc/{first}").exists()
    with in_one_process(executor) as execute:
        assert execute(process_of, report=ignored) != first
    with in_one_process(execute_here) as execute:
        assert execute(process_of, report=ignored) == os.getpid()


@pytest.mark.parametrize("work", [die, leave])
def test_the_next_piece_after_a_death_has_a_new_process(work: Callable[[Report], None]) -> None:
    with LocalExecutor().one_process() as execute:
        first = execute(process_of, report=ignored)
        with pytest.raises(WorkFailed, match="its process"):
            execute(work, report=ignored)
        assert execute(process_of, report=ignored) not in (first, os.getpid())


def test_a_process_that_waits_for_its_next_piece_ends_when_the_executor_is_stopped() -> None:
    executor = LocalExecutor()
    with executor.one_process() as execute:
        waiting = execute(process_of, report=ignored)
        executor.stop()
        with pytest.raises(Interrupted):
            execute(process_of, report=ignored)
        assert not Path(f"/proc/{waiting}").exists()


def test_no_process_stays_when_the_work_is_done() -> None:
    """One that only looks after others would, with the memory of an interpreter."""
    program = f"""import os
from bot.worker.executors.local import LocalExecutor
from core.jobs import unheard
from {process_of.__module__} import process_of
assert LocalExecutor()(process_of, report=unheard) != os.getpid()
print(open(f"/proc/self/task/{{os.getpid()}}/children").read())"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.split() == []


def test_a_process_that_waits_for_its_next_piece_ends_with_its_worker() -> None:
    worker = subprocess.Popen([sys.executable, "-m", "tests.reliability.waiting_worker"], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker.stdout as said:
        waiting = Path(f"/proc/{int(said.readline())}")
        assert waiting.exists()
        worker.kill()
        worker.wait()
        end = time.monotonic() + 3
        while waiting.exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert not waiting.exists()


def test_an_executor_that_is_stopped_ends_its_work_and_begins_no_more(tmp_path: Path) -> None:
    executor, began = LocalExecutor(), tmp_path / "began"

    def stop() -> None:
        while not began.exists():
            time.sleep(0.01)
        executor.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Interrupted):
        executor(stay, began, report=ignored)
    stopper.join()
    with pytest.raises(Interrupted):
        executor(process_of, report=ignored)


@pytest.mark.parametrize("execute", [LocalExecutor(), execute_in_thread], ids=["process", "thread"])
def test_work_ends_within_three_seconds_when_a_check_says_so(execute: Execute, tmp_path: Path) -> None:
    ended = []

    def check() -> None:
        if (tmp_path / "began").exists():
            ended.append(time.monotonic())
            raise Interrupted

    with pytest.raises(Interrupted):
        execute(stay, tmp_path / "began", report=ignored, check=check)
    assert time.monotonic() - ended[0] < 3


def test_a_thread_gives_results_and_refusals_back() -> None:
    told: list[Coded] = []
    assert execute_in_thread(process_of, report=told.append) == os.getpid()
    assert told == [HERE]
    with pytest.raises(Invalid, match="All rows have one label"):
        execute_in_thread(refuse, report=ignored)


def test_the_memory_of_a_fit_is_given_back() -> None:
    """The libraries, the rows, and whatever a learner keeps."""
    rows = examples(1000)
    before = resident()
    made = LocalExecutor()(fit_and_pack, "text", {}, rows, 1, report=ignored)
    LocalExecutor()(hoard, 300, report=ignored)
    assert resident() - before < 60 * MEGABYTE
    assert unpack(made.packed, TextLearner()).classes == ("delivery", "refund")


def test_a_child_watches_its_worker_before_it_loads_libraries() -> None:
    """Else it outlives a worker that is killed while it starts, by seconds on a busy machine."""
    program = "import sys; from bot.worker.executors.child import work; print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "'bot.worker.executors.child'" in loaded
    for library in ("numpy", "scipy", "sklearn", "pydantic", "sqlalchemy"):
        assert f"'{library}'" not in loaded
