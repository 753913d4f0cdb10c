"""The small HTTP listener of a process whose work needs none, so that it can be watched."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

log = logging.getLogger(__name__)

STOP_SECONDS = 2  # for requests at hand when the process ends


@contextmanager
def listening(app: FastAPI, host: str, port: int) -> Iterator[None]:
    """Answers until the block is left. A port that is taken is said, and no reason to stay away from work: on one
    machine several processes may be given the same."""
    try:
        taken = _bound(host, port)
    except OSError as error:
        words = "Port %d cannot be had (%s), so this process is not to be watched, nor reached over HTTP; set PORT."
        log.warning(words, port, error.strerror)
        yield
        return
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([taken],), name="listener", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        taken.close()


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(100)
    except OSError:
        made.close()
        raise
    return made
