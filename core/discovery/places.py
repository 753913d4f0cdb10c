"""Places of files: this machine's disk, or any that fsspec reaches (the extra [remote]).

`address` is a path or a URL. A URL that contains a password or a signature is refused: it would be stored and shown.
"""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import parse_qsl, urlsplit

from core.errors import Invalid

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "https": "aiohttp", "http": "aiohttp"}
SECRET = re.compile(r"sig|token|secret|password|credential|key", re.IGNORECASE)  # words in names of URL parameters
MAGIC = re.compile(r"[*?[]")


def checked_address(address: str) -> str:
    """The address of a source, checked. Raises Invalid if it may contain a secret or would be read unencrypted."""
    scheme = _scheme(address)
    if not scheme:
        return address
    url = urlsplit(address)
    if "@" in url.netloc or any(SECRET.search(name) for name, _value in parse_qsl(url.query, keep_blank_values=True)):
        raise Invalid(
            "The address contains a password or a key. Set credentials in the environment instead.", field="source"
        )
    if scheme == "http" and url.hostname not in LOOPBACK:
        raise Invalid("http:// is allowed on this machine only. Use https://.", field="source")
    if scheme not in ("file", *PACKAGES):
        raise Invalid(
            f"{scheme}:// is not supported. Use a path or one of {', '.join(f'{one}://' for one in PACKAGES)}."
        )
    return address


def files_at(address: str) -> list[tuple[str, int]]:
    """The files that a file, a folder or a pattern stands for, in alphabetical order: their addresses and sizes in
    bytes. A size is -1 if it is not known. Raises Invalid if there are no files."""
    found = _local_files(_path(address)) if _is_local(address) else _remote_files(address)
    if not found:
        raise Invalid(f"There are no files at {address}.", field="source")
    return sorted(found)


@contextmanager
def opened(address: str) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if its name ends with .gz."""
    with _raw(address) as file:
        yield cast(IO[bytes], gzip.GzipFile(fileobj=file)) if address.endswith(".gz") else file


@contextmanager
def _raw(address: str) -> Iterator[IO[bytes]]:
    if _is_local(address):
        with _path(address).open("rb") as file:
            yield file
        return
    files = _file_system(address)
    how = {} if _takes_ranges(files, address) else {"block_size": 0}
    with files.open(address, "rb", **how) as file:
        yield file


def _scheme(address: str) -> str:
    found = re.match(r"([a-z][a-z0-9+.-]+)://", address)
    return found[1] if found else ""


def _is_local(address: str) -> bool:
    return _scheme(address) in ("", "file")


def _path(address: str) -> Path:
    return Path(address.removeprefix("file://"))


def _local_files(path: Path) -> list[tuple[str, int]]:
    if path.is_dir():
        paths = [one for one in path.rglob("*") if one.is_file()]
    else:
        paths = [path] if path.is_file() else [Path(one) for one in glob(str(path), recursive=True)]
    return [(str(one), one.stat().st_size) for one in paths if one.is_file()]


def _remote_files(address: str) -> list[tuple[str, int]]:
    files = _file_system(address)
    try:
        if MAGIC.search(urlsplit(address).path):
            paths = files.glob(address)
        elif _is_web(address) and not address.endswith("/"):  # `find` would download it, and look for links
            paths = [address]
        else:
            paths = files.find(address) or [address]
        return [(files.unstrip_protocol(path), _size(files, path)) for path in paths]
    except FileNotFoundError:  # its message has only the path
        return []
    except OSError as error:
        raise Invalid(f"{address} cannot be listed ({error}).", field="source") from None


def _size(files: Any, path: str) -> int:
    """The size in bytes; -1: it is unknown, or only the whole file can be read."""
    size = files.info(path).get("size")
    return -1 if size is None or not _takes_ranges(files, path) else int(size)


def _takes_ranges(files: Any, address: str) -> bool:
    """Whether parts of the file can be read. Some web servers send the whole file only, which shows when its second
    byte is asked for."""
    if not _is_web(address):
        return True
    with files.open(address, "rb", block_size=1, cache_type="none") as file:
        try:
            file.seek(1)
            file.read(1)
        except ValueError:
            return False
    return True


def _is_web(address: str) -> bool:
    return _scheme(address) in ("http", "https")


def _file_system(address: str) -> Any:
    scheme = _scheme(address)
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise Invalid(
            f"{scheme}:// needs fsspec, which is not installed. Run: pip install 'goldloop[remote]' {PACKAGES[scheme]}"
        ) from None
    try:
        return url_to_fs(address)[0]
    except ImportError:
        package = PACKAGES[scheme]
        raise Invalid(f"{scheme}:// needs {package}, which is not installed. Run: pip install {package}") from None
