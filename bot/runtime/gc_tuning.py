"""Tuning of Python's garbage collector, which looks for cycles of unreachable objects, and of the heap."""

import ctypes
import gc
from contextlib import suppress

AFTER = 50_000  # net new objects before a collection; the default is 700. A batch frees its own objects


def collect_seldom() -> None:
    """Collect less often, in a process that creates and frees many objects: never the modules loaded so far, and new
    objects only when many have stayed. Collection took 10 to 20 % of the time to store predictions."""
    gc.freeze()
    gc.set_threshold(AFTER, *gc.get_threshold()[1:])


def give_memory_back() -> None:
    """Return what the process no longer holds to the system, after work that held much: glibc keeps it otherwise. Other
    systems' libraries have no such function."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
