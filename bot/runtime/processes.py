"""Names of processes that hold leases, and a check whether such a process has ended. Leases are safe without the check,
but it makes a restart quick."""

import os
import socket
import uuid


def this_process() -> str:
    """host:pid:tag. The tag tells two runs with the same process id apart."""
    return f"{_host()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


def _host() -> str:
    """The scope of a process id: the host name and, because containers can share a host name, the process namespace."""
    try:
        namespace = "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))
    except OSError:  # the system is not Linux
        return socket.gethostname()
    return f"{socket.gethostname()}/{namespace}"


def process_title(name: str) -> str:
    """The name of the process for people."""
    host, number, _tag = name.rsplit(":", 2)
    return f"process {number} on {host.partition('/')[0]}"


def is_gone(name: str) -> bool:
    """True only if the process ran on this machine and has certainly ended."""
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
