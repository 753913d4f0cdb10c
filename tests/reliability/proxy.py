"""A TCP proxy between a client and a server, with faults on demand."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Link:
    """One client's connection and ours to the server for it."""

    client: socket.socket
    server: socket.socket
    said: bytearray = field(default_factory=bytearray)  # what the client has sent so far
    doomed: bool = False  # the next answer is the one that gets lost

    def reset(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                end.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                end.close()


class Proxy:
    """`latency`: seconds that each piece takes. `refusing`: new connections are reset."""

    def __init__(self, host: str, port: int) -> None:
        self.latency = 0.0
        self.refusing = False
        self.refused = 0
        self.lost_commits = 0
        self._upstream = (host, port)
        self._flowing = threading.Event()
        self._flowing.set()
        self._marks: list[tuple[bytes, bool]] = []
        self._links: set[Link] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Whatever is sent stays on the way, in both directions, without an error; it arrives afterwards."""
        self.swallow()
        try:
            yield
        finally:
            self.flow()

    def swallow(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def lose_commit(self, after: bytes, answer_only: bool = True) -> None:
        """The next COMMIT on a connection that has sent `after` gets no answer: the connection is reset. answer_only:
        the server has done it; else it never arrives there."""
        with self._lock:
            self._marks.append((after, answer_only))

    def reset_all(self) -> int:
        with self._lock:
            links = list(self._links)
        for link in links:
            link.reset()
        return len(links)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flowing.set()
        self.reset_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        self._flowing.wait()
        link = Link(client, socket.socket())
        try:
            if self.refusing:
                self.refused += 1
                raise OSError
            link.server.connect(self._upstream)
        except OSError:
            link.reset()
            return
        with self._lock:
            self._links.add(link)
        self._start(self._questions, link)
        self._answers(link)

    def _questions(self, link: Link) -> None:
        with suppress(OSError):
            while piece := link.client.recv(65536):
                self._pass_time()
                link.said += piece
                if b"COMMIT" in piece and not self._may_pass(link):
                    break
                link.server.sendall(piece)
        self._end(link)

    def _answers(self, link: Link) -> None:
        with suppress(OSError):
            while piece := link.server.recv(65536):
                self._pass_time()
                if link.doomed:
                    self.lost_commits += 1
                    break
                link.client.sendall(piece)
        self._end(link)

    def _may_pass(self, link: Link) -> bool:
        with self._lock:
            mark = next((mark for mark in self._marks if mark[0] in link.said), None)
            if mark is None:
                link.said.clear()
                return True
            self._marks.remove(mark)
        link.doomed = mark[1]
        self.lost_commits += not mark[1]
        return mark[1]

    def _pass_time(self) -> None:
        self._flowing.wait()
        if self.latency:
            time.sleep(self.latency)

    def _end(self, link: Link) -> None:
        with self._lock:
            self._links.discard(link)
        link.reset()

    def _start(self, target: object, *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True, name="proxy").start()  # type: ignore[arg-type]
