"""Memory that a process does not hold any more."""

import os
import platform
from pathlib import Path

import pytest

from bot.runtime.gc_tuning import give_memory_back


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries keep what they like")
def test_what_is_not_held_any_more_goes_back_to_the_system() -> None:
    held = [b"x" * 2_000 + bytes([number % 256]) for number in range(50_000)]  # 100 MB
    del held[:-1]  # the last one keeps the heap from shrinking by itself
    before = resident_mb()
    give_memory_back()
    assert resident_mb() < before - 50
