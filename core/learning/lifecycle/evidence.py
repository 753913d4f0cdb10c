"""The evidence of a model as one file: a zip of its card, its evaluations, the manifest of its snapshot and the
decisions about it, with the SHA-256 of each. It holds hashes of the training rows and no texts.

core/learning/lifecycle/evidence_check.py verifies such a file without a database."""

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.lifecycle.cards import snapshot_of
from core.learning.lifecycle.model_card import model_card
from core.policy import Policy
from core.records.learning import ModelVersion, Snapshot, SnapshotRow

HASHES, CARD, SCORECARD = "hashes.json", "card.json", "scorecard.json"
SNAPSHOT, DECISIONS = "snapshot.json", "decisions.json"
FILES = (CARD, DECISIONS, SCORECARD, SNAPSHOT)  # the files that `HASHES` lists
FORMAT = "goldloop-evidence-1"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold: the same evidence gives the same bytes


def evidence_files(session: Session, model_id: int, policy: Policy) -> dict[str, bytes]:
    """The files of the pack by name, `HASHES` included. The same rows give the same bytes. Raises NotFound."""
    card = model_card(session, model_id, policy).as_dict()
    parts = {
        SCORECARD: {"evaluations": card.pop("evaluations")},
        DECISIONS: {"decisions": card.pop("decisions")},
        CARD: card,
        SNAPSHOT: _manifest(session, snapshot_of(session, session.get_one(ModelVersion, model_id))),
    }
    files = {name: as_bytes(parts[name]) for name in FILES}
    return {HASHES: as_bytes(hashes_of(files)), **files}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """One zip file; without times, so that equal files give equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def digest_of(hashes: bytes) -> str:
    """The digest of the pack, to be kept apart from it: the SHA-256 of `HASHES`, and so of every file in it."""
    return sha256(hashes).hexdigest()


def hashes_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The content of `HASHES`."""
    return {"format": FORMAT, "files": {name: sha256(files[name]).hexdigest() for name in sorted(files)}}


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """JSON in the one spelling that the pack uses: keys sorted, indented by one, with a line break at the end."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _manifest(session: Session, snapshot: Snapshot) -> dict[str, Any]:
    """The manifest of the snapshot. rows: what `Snapshot.content_hash` covers, row by row: source, its id, content
    hash, label, weight."""
    found = session.execute(
        select(
            SnapshotRow.source, SnapshotRow.source_id, SnapshotRow.content_hash, SnapshotRow.label, SnapshotRow.weight
        )
        .where(SnapshotRow.snapshot_id == snapshot.id)
        .order_by(SnapshotRow.position)
    )
    return {
        "content_hash": snapshot.content_hash,
        "created_at": snapshot.created_at.isoformat(),
        "golden_up_to": snapshot.golden_up_to,
        "rows": [[source.value, *rest] for source, *rest in found],
    }
