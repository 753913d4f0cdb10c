"""When the collector looks, and memory that a process does not hold any more."""

import gc
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bot.runtime.gc_tuning import give_memory_back, uncollected


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries keep what they like")
def test_what_is_not_held_any_more_goes_back_to_the_system() -> None:
    held = [b"x" * 2_000 + bytes([number % 256]) for number in range(50_000)]  # 100 MB
    del held[:-1]  # the last one keeps the heap from shrinking by itself
    before = resident_mb()
    give_memory_back()
    assert resident_mb() < before - 50


def test_what_is_made_by_imports_is_not_looked_through_during_them_nor_after() -> None:
    looks: list[str] = []
    gc.callbacks.append(lambda phase, _info: looks.append(phase))
    try:
        with uncollected():
            made = [[number] for number in range(200_000)]
        made.append([])
    finally:
        gc.callbacks.pop()
        gc.unfreeze()
    assert (looks, gc.isenabled()) == ([], True)


HEAPS = """
import ctypes, sys, threading
from bot.runtime.gc_tuning import share_one_heap

def hold():
    held.append([b"x" * 2_000 + bytes([number]) for number in range(200)])
    together.wait()

held, together = [], threading.Barrier(4)
{before}
threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have other heaps")
@pytest.mark.parametrize(("before", "is_shared"), [("", False), ("share_one_heap()", True)])
def test_threads_share_a_heap_if_they_start_later(before: str, is_shared: bool) -> None:
    told = subprocess.run(
        [sys.executable, "-c", HEAPS.format(before=before)], capture_output=True, text=True, check=True
    )
    assert (told.stdout.count("<heap nr=") == 1) == is_shared
