"""The demo's folder, which one demo at a time may use. This module imports little, so that a second demo is refused at
once."""

import fcntl
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Refusal

FOLDER = Path(".demo")
LOCK = "lock"  # a file in the folder that is locked while a demo runs, and contains its address


@contextmanager
def taken_folder() -> Iterator[Path]:
    """The demo's folder, locked for this demo, with the files of an earlier one. Raises Refusal, with the address, if a
    demo is running in it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refusal(_already_running(lock.read())) from None
        lock.truncate(0)
        yield FOLDER


def require_free_folder() -> None:
    """Raises Refusal if a demo is running in the folder. Changes no file of an earlier demo."""
    with taken_folder():
        pass


def begin(folder: Path, url: str) -> None:
    """Empty the folder, and store this demo's address for a second one."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
    (folder / LOCK).write_text(url, encoding="utf-8")


def _already_running(url: str) -> str:
    at = f" at {url}" if url else ""
    command = Path(sys.prefix) / "bin" / "goldloop"
    return (
        f"A demo is already running in this folder{at}. End it with Ctrl-C in its terminal to start another. To run "
        f"one beside it, change to another folder and type: {command} demo --port 0"
    )
