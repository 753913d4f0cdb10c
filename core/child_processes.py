"""Child processes that work for this one. They are spawned, not forked, so no thread, lock or connection of this
process is copied into them.

multiprocessing would start one process more, which tracks shared memory and semaphores. Nothing here uses them, and it
would stay for as long as this process: 12 MB.
"""

import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from subprocess import DEVNULL, Popen


def spawn(work: Callable[..., None], *pipes: Connection) -> Popen[bytes]:
    """Start a process that calls `work`, a function at the top level of a module, with these ends of pipes. It has this
    process's `sys.path`. The caller closes its own copies of the ends, so that it notices when the process dies."""
    descriptors = [pipe.fileno() for pipe in pipes]
    program = (
        f"import sys; sys.path = {sys.path!r}; from multiprocessing.connection import Connection; "
        f"from {work.__module__} import {work.__name__} as work; work(*map(Connection, {descriptors}))"
    )
    return Popen([sys.executable, "-c", program], stdin=DEVNULL, pass_fds=descriptors)  # noqa: S603 - our own module
