"""The months are played in processes of their own, as many at a time as there are cores. Each finished month is a file
in a folder that is named after the code, so a stopped benchmark goes on, and changed code begins anew."""

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import sklearn

from benchmarks.loop.months import gated_without_refusals, play
from benchmarks.loop.plan import Arm, Setting
from benchmarks.loop.results import Month, keep, kept
from benchmarks.loop.sources import Source, read_source

ROOT = Path(__file__).resolve().parents[2]
REPORTING = ("judged.py", "report.py", "__main__.py")  # may change without a month being played again


class MonthFailed(Exception):  # noqa: N818 - what happened, for the terminal
    """A process that played a month has ended with an error, which stands above."""


@dataclass(frozen=True)
class Part:
    """What one process plays. The month with the gate comes after the one without: it may be the same."""

    setting: Setting
    arms: tuple[Arm, ...]

    def is_done(self, folder: Path) -> bool:
        return all(kept(folder, self.setting, arm) for arm in self.arms)


def parts_of(settings: Sequence[Setting]) -> list[Part]:
    return [Part(setting, arms) for setting in settings for arms in ((Arm.ALWAYS, Arm.GATE), (Arm.RANDOM,))]


def work_folder(root: Path) -> Path:
    """For the results of the code as it is now, committed or not."""
    digest = hashlib.sha256(sklearn.__version__.encode())
    own = [file for file in Path(__file__).parent.glob("*.py") if file.name not in REPORTING]
    for file in sorted([*(ROOT / "core").rglob("*.py"), *own]):
        digest.update(file.read_bytes())
    folder = root / digest.hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_all(settings: Sequence[Setting], data: Path, folder: Path, at_once: int) -> None:
    """Play what is not there yet. Raises MonthFailed. An error or Ctrl-C here ends the other processes too; one whose
    parent was killed ends itself after its cycle."""
    parts = parts_of(settings)
    waiting = [part for part in parts if not part.is_done(folder)]
    began, done, running = time.monotonic(), len(parts) - len(waiting), list[BaseProcess]()
    say(f"{done} of {len(parts)} parts are there; results are kept in {folder}")
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_started(waiting.pop(0), data, folder))
            ended = _ended(running)
            running = [process for process in running if process not in ended]
            if any(process.exitcode for process in ended):
                raise MonthFailed
            done += len(ended)
            say(f"{done} of {len(parts)} parts after {time.monotonic() - began:.0f} s")
    finally:
        for process in running:
            process.terminate()
            process.join()


def _ended(running: Sequence[BaseProcess]) -> list[BaseProcess]:
    """Wait for one of them."""
    by_sentinel = {process.sentinel: process for process in running}
    ended = [by_sentinel[sentinel] for sentinel in wait(list(by_sentinel)) if isinstance(sentinel, int)]
    for process in ended:
        process.join()  # its exit code comes a moment after its sentinel
    return ended


def _started(part: Part, data: Path, folder: Path) -> BaseProcess:
    process = get_context("spawn").Process(target=work_on, args=(part, data, folder), daemon=True)
    process.start()
    return process


def work_on(part: Part, data: Path, folder: Path) -> None:
    """In a process of its own."""
    try:
        play_part(part, read_source(data, part.setting.source), folder)
    except KeyboardInterrupt:
        sys.exit(130)


def play_part(part: Part, source: Source, folder: Path) -> None:
    """Play the months that are not there yet, and keep each."""
    for arm in part.arms:
        if not kept(folder, part.setting, arm):
            keep(folder, _played(part.setting, arm, source, folder))


def _played(setting: Setting, arm: Arm, source: Source, folder: Path) -> Month:
    def told(words: str) -> None:
        say(f"{setting.team}, {setting.name}, {arm}: {words}")
        parent = parent_process()
        if parent is not None and not parent.is_alive():
            sys.exit(1)

    always = kept(folder, setting, Arm.ALWAYS) if arm is Arm.GATE else None
    same = always and gated_without_refusals(always)
    if same:
        told("nothing would be refused: the same month")
    return same or play(setting, arm, source, folder, told)


def say(words: str) -> None:
    """Progress goes to stderr, the report to stdout."""
    print(words, file=sys.stderr, flush=True)
