"""Which process holds a claim, and whether it is gone. Leases make that safe anyway; knowing that a process of this
very machine has died makes a restart quick."""

import os
import socket
import uuid


def this_process() -> str:
    """host:pid:tag. The tag tells two runs with the same process id apart."""
    return f"{_host()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


def _host() -> str:
    """Where a process id means the same process: containers may share a host's name and not its processes."""
    try:
        namespace = "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))
    except OSError:  # not on Linux
        return socket.gethostname()
    return f"{socket.gethostname()}/{namespace}"


def in_words(name: str) -> str:
    """For people."""
    host, number, _tag = name.rsplit(":", 2)
    return f"process {number} on {host.partition('/')[0]}"


def is_gone(name: str) -> bool:
    """True only for a process of this machine that certainly no longer runs."""
    host, _, rest = name.rpartition(":")[0].rpartition(":")
    if host != _host() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
