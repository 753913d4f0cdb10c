"""Verification of an evidence pack, without a database: each file has its listed hash, and the files agree about the
snapshot. Everything in the pack is untrusted."""

import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.data.snapshots import Row, content_hash_of
from core.learning.lifecycle.evidence import (
    CARD,
    DECISIONS,
    FILES,
    FORMAT,
    HASHES,
    SCORECARD,
    SNAPSHOT,
    as_bytes,
    digest_of,
)
from core.vocabulary import Coded, EvidenceFault, Source

LARGEST = 1 << 30  # bytes of all files unpacked; a snapshot of a million rows has about 150 MB
MOST_FILES = 100

_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
_NOT_AS_WRITTEN = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class Checked:
    """digest: of the pack, to be compared with the one printed when it was made; empty if there is none. faults: of
    `EvidenceFault`; none: the pack is unchanged. model: queue and name, from the pack; None unless it is unchanged."""

    digest: str
    faults: tuple[Coded, ...]
    model: tuple[str, str] | None = None


def check_evidence(packed: bytes, digest: str | None = None) -> Checked:
    """packed: the zip file. digest: the one printed when the pack was made; without it, a pack that was recreated with
    matching hashes is not recognised. Raises Invalid if this is not a zip file, or is too large to be a pack."""
    files, unreadable = _unpacked(packed)
    faults = [Coded(EvidenceFault.UNREADABLE, {"file": name}) for name in unreadable]
    faults += _compared(files, unreadable)
    found = digest_of(files[HASHES]) if HASHES in files else ""
    if digest is not None and digest.strip().lower() != found:
        faults.append(Coded(EvidenceFault.OTHER_DIGEST, {"expected": digest.strip().lower(), "found": found}))
    if faults:
        return Checked(found, tuple(faults))
    faults += _contradictions(files)
    card = {} if faults else json.loads(files[CARD])
    return Checked(found, tuple(faults), (card["queue"], card["name"]) if card else None)


def _unpacked(packed: bytes) -> tuple[dict[str, bytes], list[str]]:
    """The files that could be read, and the names of those that could not. A name that occurs twice cannot be read."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
    except _UNREADABLE as broken:
        raise Invalid(
            "This is not an evidence pack: it is not a zip file, or its table of contents is damaged."
        ) from broken
    listed = archive.infolist()
    if len(listed) > MOST_FILES or sum(one.file_size for one in listed) > LARGEST:
        raise Invalid("This is not an evidence pack: it is too large.")
    files: dict[str, bytes] = {}
    unreadable = [name for name, times in Counter(one.filename for one in listed).items() if times > 1]
    for one in listed:
        if one.filename not in unreadable:
            try:
                files[one.filename] = archive.read(one)
            except _UNREADABLE:
                unreadable.append(one.filename)
    return files, unreadable


def _compared(files: Mapping[str, bytes], unreadable: list[str]) -> Iterator[Coded]:
    """The faults of files against the list of hashes. The list must be written exactly as `evidence` writes it."""
    hashes = _listed(files[HASHES]) if HASHES in files else None
    if hashes is None:
        if HASHES not in unreadable:
            yield Coded(EvidenceFault.CHANGED if HASHES in files else EvidenceFault.MISSING, {"file": HASHES})
        hashes = {}
    for name in sorted({*FILES, *hashes, *files} - {HASHES, *unreadable}):
        if name not in files:
            yield Coded(EvidenceFault.MISSING, {"file": name})
        elif name not in FILES:
            yield Coded(EvidenceFault.ADDED, {"file": name})
        elif hashes and hashes.get(name) != sha256(files[name]).hexdigest():
            yield Coded(EvidenceFault.CHANGED, {"file": name})


def _listed(content: bytes) -> dict[str, str] | None:
    """The list of hashes. None: it is not written as `evidence` writes it."""
    try:
        read = json.loads(content)
        is_ours = read["format"] == FORMAT and set(read) == {"format", "files"} and as_bytes(read) == content
        files: dict[str, str] = read["files"]
        return files if is_ours and set(files) == set(FILES) else None
    except (*_NOT_AS_WRITTEN, RecursionError):
        return None


def _contradictions(files: Mapping[str, bytes]) -> list[Coded]:
    """Contradictions between what the files say about the snapshot and its rows. They reveal a pack that was recreated
    with new hashes."""
    read: dict[str, Any] = {}
    for name in FILES:
        try:
            read[name] = json.loads(files[name])
        except (ValueError, RecursionError):
            return [Coded(EvidenceFault.CHANGED, {"file": name})]
    return [Coded(EvidenceFault.DISAGREES, {"file": name}) for name in FILES if not _agrees(name, read)]


def _agrees(name: str, read: Mapping[str, Any]) -> bool:
    try:
        return _AGREES[name](read)
    except _NOT_AS_WRITTEN:
        return False


def _card_agrees(read: Mapping[str, Any]) -> bool:
    rows, training = read[SNAPSHOT]["rows"], read[CARD]["training"]
    labels = Counter(label for *_, label, _weight in rows)
    told = (training["snapshot_hash"], training["rows"], training["labels"])
    return bool(told == (read[SNAPSHOT]["content_hash"], len(rows), dict(labels)))


def _decisions_agree(read: Mapping[str, Any]) -> bool:
    """The decisions about the model itself; others are about the model that took over."""
    about_it = [line for line in read[DECISIONS]["decisions"] if line["instead"] is None]
    return all(line["snapshot_hash"] == read[SNAPSHOT]["content_hash"] for line in about_it)


def _snapshot_agrees(read: Mapping[str, Any]) -> bool:
    rows = [
        Row(Source(source), number, Input(), label, weight, digest)
        for source, number, digest, label, weight in read[SNAPSHOT]["rows"]
    ]
    return bool(content_hash_of(rows) == read[SNAPSHOT]["content_hash"])


_AGREES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    CARD: _card_agrees,
    DECISIONS: _decisions_agree,
    SCORECARD: lambda read: len(read[SCORECARD]["evaluations"]) > 0,
    SNAPSHOT: _snapshot_agrees,
}
