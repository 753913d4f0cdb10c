"""The model card, and the evidence pack: it verifies without a database, and every change in it is found."""

import json
from typing import Any

import pytest

from bot.wording.evidence import evidence_sentence
from bot.wording.format import PLAIN
from bot.wording.model_card import model_card_sections
from core.errors import Invalid, NotFound
from core.learning.lifecycle.evidence import (
    CARD,
    DECISIONS,
    FILES,
    HASHES,
    SCORECARD,
    SNAPSHOT,
    as_bytes,
    digest_of,
    evidence_files,
    hashes_of,
    zipped,
)
from core.learning.lifecycle.evidence_check import Checked, check_evidence
from core.learning.lifecycle.model_card import ModelCard, model_card
from core.privacy.erasure import erase
from core.vocabulary import Coded, EvidenceFault, ModelState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, Desk
from tests.core.models import SEEDS, candidate, promoted, seeded
from tests.people import ANA, BEN, CLEO

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


SECRET = "taken twice from my account"


def taught(desk: Desk) -> int:
    """A live model that learned from seeds and one correction."""
    seeded(desk).settled(ANA, BEN, answer=BILLING, text=SECRET, external_id="T-secret")
    return promoted(desk)


def files_of(desk: Desk, model_id: int) -> dict[str, bytes]:
    with desk.database.reading() as session:
        return evidence_files(session, model_id, desk.policy)


def card_of(desk: Desk, model_id: int) -> ModelCard:
    with desk.database.reading() as session:
        return model_card(session, model_id, desk.policy)


def faults(checked: Checked) -> list[tuple[str, str]]:
    return [(fault.code, fault.values.get("file", "")) for fault in checked.faults]


def rewritten(files: dict[str, bytes], name: str, change: dict[str, Any]) -> dict[str, bytes]:
    """The pack made anew, hashes to match, with these values in one file."""
    others = {other: files[other] for other in FILES} | {name: as_bytes(json.loads(files[name]) | change)}
    return {HASHES: as_bytes(hashes_of(others)), **others}


def test_the_card_says_how_a_model_came_to_be_and_what_was_decided(desk: Desk) -> None:
    model_id = taught(desk)
    promoted(desk)
    card = card_of(desk, model_id)
    assert (card.name, card.queue, card.state) == ("v1", "support", ModelState.RETIRED)
    data = card.training
    assert (data.corrections, data.rows) == (1, data.seeds + 1)
    assert sum(data.labels.values()) == data.rows
    assert list(data.labels.values()) == sorted(data.labels.values(), reverse=True)
    assert [line.instead for line in card.decisions] == [None, "v2"]
    assert [line.compared_with for line in card.evaluations] == [None]
    assert card.untaught == ()
    said = dict(model_card_sections(card, PLAIN))
    assert said["Support tickets: v1 (model 1)"][0] == "State: no longer live."
    assert any(f"promoted by {CLEO}" in line for line in said["Decisions"])
    assert f"{data.seeds} seeds and 1 correction" in said["Training data"][0]


def test_a_label_without_rows_is_on_the_card(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk())
    more = desk.under(labels=["refund", "billing error", "delivery", "praise"])
    card = card_of(more, candidate(more))
    assert card.untaught == ("praise",)
    said = dict(model_card_sections(card, PLAIN))
    assert "No training rows, so never predicted: praise." in said["Training data"]
    assert said["Decisions"] == ["None yet. No model goes live without a lead's approval."]


def test_there_is_no_card_of_a_model_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no model 9"):
        card_of(desk, 9)


def test_the_card_is_json_and_has_no_texts(desk: Desk) -> None:
    written = json.dumps(card_of(desk, taught(desk)).as_dict())
    assert json.loads(written)["training"]["corrections"] == 1
    assert SECRET not in written


def test_a_pack_verifies_and_has_no_texts(desk: Desk) -> None:
    model_id = taught(desk)
    files = files_of(desk, model_id)
    packed = zipped(files)
    checked = check_evidence(packed, digest_of(files[HASHES]))
    assert (checked.faults, checked.model) == ((), ("support", "v1"))
    assert packed == zipped(files_of(desk, model_id)), "the same rows give the same bytes"
    whole = b"".join(files.values()).decode()
    assert SECRET not in whole
    assert not any(text in whole for text, _label in SEEDS)


def test_a_pack_verifies_after_a_row_of_its_snapshot_was_erased(desk: Desk) -> None:
    model_id = taught(desk)
    with desk.database.transaction() as session:
        erase(session, "support", "T-secret", NOW)
    assert check_evidence(zipped(files_of(desk, model_id))).faults == ()
    assert card_of(desk, model_id).training.erased == 1


@pytest.mark.parametrize("name", [HASHES, *FILES])
def test_any_change_of_a_file_is_found_and_the_file_is_named(desk: Desk, name: str) -> None:
    files = files_of(desk, taught(desk))
    place = len(files[name]) // 2
    for changed in (
        files[name][:place] + bytes([files[name][place] ^ 1]) + files[name][place + 1 :],
        files[name] + b" ",
        files[name][:-1],
        b"",
    ):
        found = check_evidence(zipped({**files, name: changed}))
        assert (EvidenceFault.CHANGED, name) in faults(found) or name == HASHES
        assert found.faults
        assert found.model is None


@pytest.mark.parametrize("name", [HASHES, *FILES])
def test_a_missing_file_is_named(desk: Desk, name: str) -> None:
    files = files_of(desk, taught(desk))
    del files[name]
    assert faults(check_evidence(zipped(files))) == [(EvidenceFault.MISSING, name)]


def test_a_file_that_does_not_belong_there_is_named(desk: Desk) -> None:
    files = files_of(desk, taught(desk))
    assert faults(check_evidence(zipped({**files, "notes.txt": b"trust me"}))) == [(EvidenceFault.ADDED, "notes.txt")]


@pytest.mark.usefixtures("sqlite_only")
def test_a_damaged_file_is_named(desk: Desk) -> None:
    files = files_of(desk, taught(desk))
    packed = bytearray(zipped(files))
    packed[packed.index(SCORECARD.encode()) + len(SCORECARD) + 5] ^= 0xFF
    assert (EvidenceFault.UNREADABLE, SCORECARD) in faults(check_evidence(bytes(packed)))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (CARD, {"training": {}}),
        (SNAPSHOT, {"rows": []}),
        (DECISIONS, {"decisions": [{"snapshot_hash": "0" * 64, "instead": None}]}),
        (SCORECARD, {"evaluations": []}),
    ],
)
def test_a_pack_that_was_made_anew_contradicts_itself(desk: Desk, name: str, change: dict[str, Any]) -> None:
    found = check_evidence(zipped(rewritten(files_of(desk, taught(desk)), name, change)))
    assert (EvidenceFault.DISAGREES, name) in faults(found)


def test_a_pack_that_was_made_anew_without_a_contradiction_has_another_digest(desk: Desk) -> None:
    files = files_of(desk, taught(desk))
    forged = rewritten(files, DECISIONS, {"decisions": []})
    assert check_evidence(zipped(forged)).faults == ()
    [fault] = check_evidence(zipped(forged), digest_of(files[HASHES])).faults
    assert fault.code == EvidenceFault.OTHER_DIGEST


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 10])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not an evidence pack"):
        check_evidence(content)


def test_an_empty_zip_lacks_everything() -> None:
    found = check_evidence(zipped({}))
    assert faults(found) == [(EvidenceFault.MISSING, name) for name in (HASHES, *FILES)]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (EvidenceFault.CHANGED, "card.json was changed after the pack was made."),
        (EvidenceFault.MISSING, "card.json is missing."),
        (EvidenceFault.ADDED, "card.json does not belong to the evidence pack."),
        (EvidenceFault.UNREADABLE, "card.json is damaged and cannot be read."),
        (
            EvidenceFault.DISAGREES,
            "card.json contradicts the other files: it belongs to another training snapshot.",
        ),
        (EvidenceFault.OTHER_DIGEST, "This is a different evidence pack: its digest is ab, not cd."),
    ],
)
def test_each_fault_has_its_sentence(fault: EvidenceFault, sentence: str) -> None:
    values = {"file": CARD, "found": "ab", "expected": "cd"}
    assert evidence_sentence(Coded(fault, values), PLAIN) == sentence
