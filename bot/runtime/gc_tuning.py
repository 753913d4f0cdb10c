"""Tuning of Python's garbage collector, which looks for cycles of unreachable objects, and of the heap."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_ARENA_MAX = -8  # of glibc's malloc.h
AFTER = 50_000  # net new objects before a collection; the default is 700. A batch frees its own objects


def collect_seldom() -> None:
    """Collect less often, in a process that creates and frees many objects: never the modules loaded so far, and new
    objects only when many have stayed. Collection took 10 to 20 % of the time to store predictions."""
    gc.freeze()
    gc.set_threshold(AFTER, *gc.get_threshold()[1:])


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing in the block, which imports modules: nearly all that it makes stays. Nor at its end, when
    otherwise the next new object would have all of it looked through."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def share_one_heap() -> None:
    """Have all threads that start later take memory from one heap of glibc's. By default it gives a thread one of its
    own, up to eight for each core. A training run is the work of several threads, and each run left holes in further
    heaps: the process grew by 10 MB with each."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return what the process no longer holds to the system, after work that held much: glibc keeps it otherwise. Other
    systems' libraries have no such function."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
