"""How often Python looks for objects that only each other still know of."""

import gc

AFTER = 50_000  # objects more than were dropped; by itself, after 700. What a batch makes is dropped with it


def collect_seldom() -> None:
    """For a process that makes and drops many objects: once its modules are loaded, never look through those again, and
    through what is new only when much of it stays. A tenth to a fifth of the time that it takes to store
    predictions went into it."""
    gc.freeze()
    gc.set_threshold(AFTER, *gc.get_threshold()[1:])
