"""Tuning of Python's garbage collector, which searches for unreachable cycles of objects, and of the heap."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_ARENA_MAX = -8  # from glibc's malloc.h
AFTER = 50_000  # net new objects before a collection; the default is 700. A batch frees its objects itself


def collect_seldom() -> None:
    """Collect less often, for a process that creates and frees many objects: never the modules loaded so far, and new
    objects only when many have stayed. Collection took 10 to 20 % of the time to store predictions."""
    gc.freeze()
    gc.set_threshold(AFTER, *gc.get_threshold()[1:])


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing in this block, which imports modules, because nearly all objects of an import stay. Nothing is
    collected at the end either: otherwise the next new object would start a search of all of them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def share_one_heap() -> None:
    """Make threads that start later share one heap of glibc. By default, each thread gets its own, up to eight per
    core. A training run uses several threads, and each run left holes in further heaps: the process grew by 10 MB with
    each."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return freed memory to the system, after work that used much: glibc keeps it otherwise. Other C libraries have no
    such function."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
