"""What other systems read: items, corrections in pages, models, readings, snapshots as files."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from sqlalchemy import update

from bot.files import snapshots, writing
from bot.files.writing import FORMATS
from core.learning.data.inputs import Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import Row, content_hash_of, snapshot_rows
from core.records.learning import SeedExample
from core.storage.database import Database
from core.text.content_hash import content_hash
from core.vocabulary import Scope, Source
from goldloop_client import AnswerKind, ApiError, ItemState, ModelState, Reason
from tests.api.conftest import Api, StartApi
from tests.core.desk import BILLING, NOW, REFUND, opened
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, support_policy


def test_items_are_listed_by_state_without_votes(api: Api) -> None:
    settled, waiting = api.desk.settled(ANA, BEN, external_id="T-a"), api.desk.ticket(external_id="T-b")
    api.desk.click(ANA, waiting, REFUND)
    token = api.token(Scope.READ)
    with api.client(token) as client:
        lines = list(client.items("support"))
        [line] = client.items("support", ItemState.OPEN)
        assert [one.id for one in client.items("support", ItemState.SETTLED)] == [settled]
    assert [one.external_id for one in lines] == ["T-a", "T-b"]
    assert (line.id, line.flags, line.model_label, line.settled_at) == (waiting, (Reason.UNCERTAIN,), REFUND, None)
    [shown] = api.call("GET", "support/items?state=open", token).json()["items"]
    assert ANA not in json.dumps(shown)


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    "since",
    [
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T09:00:00Z",
        "2026-11-24T09:00:00+01:00",  # a plus sign that was not escaped is a space
        "2026-11-24",
        "0.5",
        "1795510800",
        "",
    ],
)
def test_what_is_no_time_is_refused(api: Api, since: str) -> None:
    answer = api.call("GET", f"support/corrections?since={since}", api.token(Scope.READ))
    assert (answer.status_code, answer.json()["field"]) == (422, "since")


def test_corrections_come_in_pages_and_the_cursor_goes_on_from_where_one_was(api: Api) -> None:
    ids = [api.desk.settled(ANA, BEN, answer=BILLING) for _ in range(3)]
    token = api.token(Scope.READ)
    page = api.call("GET", "support/corrections?limit=2", token).json()
    assert ([one["item_id"] for one in page["corrections"]], page["more"]) == (ids[:2], True)
    rest = api.call("GET", f"support/corrections?limit=2&cursor={page['next']}", token).json()
    assert ([one["item_id"] for one in rest["corrections"]], rest["more"]) == (ids[2:], False)
    for what in ("corrections", "items"):
        whole = api.call("GET", f"support/{what}?limit=3", token).json()
        assert (len(whole[what]), whole["more"]) == (3, False), "nothing comes after a page that is just full"
    with api.client(token) as client:
        assert list(client.corrections("support", cursor=rest["next"])) == []
        ids.append(api.desk.settled(ANA, BEN))
        [late] = client.corrections("support", cursor=rest["next"])
    assert [(one.kind, one.label, one.person) for one in late.answers] == [(AnswerKind.LABEL, REFUND, None)] * 2
    assert late.text.startswith("ticket number ")
    assert (late.item_id, late.label, late.model_was_right, late.tally) == (ids[3], REFUND, True, {REFUND: 2})


@pytest.mark.usefixtures("sqlite_only")
def test_since_leaves_out_what_was_settled_before(api: Api) -> None:
    later = NOW + timedelta(hours=1)
    for moment in (NOW, later):
        item = api.desk.ticket(now=moment)
        for person in (ANA, BEN):
            api.desk.click(person, item, REFUND, now=moment)
    token = api.token(Scope.READ)
    with api.client(token) as client:
        assert [one.settled_at for one in client.corrections("support", since=later)] == [later]
        assert len(list(client.corrections("support", since=NOW))) == 2
    naive = api.call("GET", "support/corrections?since=2026-11-24T09:00:00", token)
    assert (naive.status_code, naive.json()["field"]) == (422, "since")


@pytest.mark.usefixtures("sqlite_only")
def test_a_correction_is_shown_when_no_older_one_can_appear_any_more(api: Api) -> None:
    now = datetime.now(UTC)
    for moment in (NOW, now):
        item = api.desk.ticket(now=moment)
        for person in (ANA, BEN):
            api.desk.click(person, item, REFUND, now=moment)
    with api.client() as client:
        assert [one.settled_at for one in client.corrections("support")] == [NOW]


@pytest.mark.usefixtures("sqlite_only")
def test_models_and_readings_say_what_is_live(api: Api) -> None:
    model_id = promoted(seeded(api.desk))
    api.desk.settled(ANA, BEN)
    with api.client() as client:
        [model] = client.models("support")
        stats = client.stats("support")
    assert (model.id, model.name, model.state, model.passed, model.blocks) == (
        model_id,
        "v1",
        ModelState.LIVE,
        True,
        (),
    )
    assert (model.shadow, model.canary, model.canary_share) == (None, None, None)
    assert (stats.live, stats.settled, stats.open, stats.queue_title) == ("v1", 1, 0, "Support tickets")


RULES = support_policy().queues[0]
COLUMNS = tuple(snapshots.TYPES)
FORMULA = '=HYPERLINK("http://evil.example","refund please")'
FORMULAS = (FORMULA, " @sum(1)", "\u00a0=1+1", "\u200b=1+1", "＝1+1")
INERT = {formula: f"'{formula}" for formula in FORMULAS}
ODD = (*((formula, REFUND) for formula in FORMULAS), ("ü, “quoted”\n2 lines", BILLING), ("50 % = half", BILLING))


def test_a_snapshot_is_the_same_in_every_format_and_a_formula_is_inert(api: Api, tmp_path: Path) -> None:
    with api.desk.database.transaction() as session:
        add_seeds(session, ODD, NOW, api.desk.rules)
    promoted(seeded(api.desk))
    token = api.token()
    with api.client(token) as client:
        [model] = client.models("support")
        assert model.snapshot_id is not None
        for format in FORMATS:
            client.save_snapshot("support", model.snapshot_id, tmp_path / format, format)
    with api.desk.database.reading() as session:
        rows = snapshot_rows(session, model.snapshot_id)
        assert snapshot_rows(session, model.snapshot_id, 2, 5) == rows[2:5]
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text("utf-8").splitlines()]
    assert [(one["text"], one["label"], one["weight"]) for one in lines] == [
        (row.input.text, row.label, row.weight) for row in rows
    ]
    assert fields_read(parquet.read_table(tmp_path / "parquet").to_pylist()) == lines
    table = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_bytes().decode(), newline="")))
    assert [line["text"] for line in table] == [INERT.get(row.input.text, row.input.text) for row in rows]
    assert tuple(table[0]) == tuple(lines[0]) == COLUMNS
    answer = api.call("GET", f"support/snapshots/{model.snapshot_id}", token)
    assert answer.headers["etag"] == f'"{content_hash_of(rows)}-{api.desk.rules.fingerprint}-0-jsonl"'
    with api.desk.database.transaction() as session:
        session.execute(update(SeedExample).where(SeedExample.id == rows[0].source_id).values(text="", erased_at=NOW))
    changed = api.call("GET", f"support/snapshots/{model.snapshot_id}", token)
    assert changed.text != answer.text
    assert changed.headers["etag"] != answer.headers["etag"], "what is no longer the same is not called so"


def fields_read(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fields out of the JSON text that stands in a table."""
    return [row | {"fields": json.loads(row["fields"])} for row in rows]


@pytest.mark.usefixtures("sqlite_only")
def test_an_image_and_its_fields_are_exported_in_every_format(api: Api, tmp_path: Path) -> None:
    address, fields = "https://files.example/A.png", {"Patient": "P-7", "Note": "=1+1, “left”"}
    api.desk.settled(ANA, BEN, answer=BILLING, text=None, image_url=address, fields=fields)
    promoted(seeded(api.desk))
    with api.client() as client:
        [model] = client.models("support")
        for format in FORMATS:
            client.save_snapshot("support", model.snapshot_id or 0, tmp_path / format, format)
    line = json.loads((tmp_path / "jsonl").read_text("utf-8").splitlines()[-1])
    assert (line["text"], line["image_url"], line["fields"], line["label"]) == ("", address, fields, BILLING)
    assert line["content_hash"] == content_hash(None, address)
    assert fields_read(parquet.read_table(tmp_path / "parquet").to_pylist())[-1] == line
    [*_seeds, row] = csv.DictReader(io.StringIO((tmp_path / "csv").read_bytes().decode(), newline=""))
    assert (row["text"], row["image_url"], json.loads(row["fields"])) == ("", address, fields)


@pytest.mark.usefixtures("sqlite_only")
def test_what_the_policy_masks_is_masked_in_files_and_notes(database: Database, start_api: StartApi) -> None:
    desk = opened(database, support_policy(privacy={"mask": ["email"]}))
    with database.transaction() as session:
        add_seeds(session, [("write to ana@example.com about the refund", REFUND)], NOW, desk.rules)
    item = desk.ticket(fields={"From": "ben@example.com"})
    for person in (ANA, BEN):
        desk.click(person, item, REFUND, note="she is eva@example.com")
    promoted(seeded(desk))
    api = start_api(desk)
    with api.client() as client:
        [correction] = client.corrections("support")
        [model] = client.models("support")
    text = api.call("GET", f"support/snapshots/{model.snapshot_id}", api.token(name="other")).text
    assert "about the refund" in text
    assert '"From": "[e-mail]"' in text
    assert "@example.com" not in text + repr(correction)
    assert correction.fields == {"From": "[e-mail]"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("before", ["a;", "a\t", "a|", "a;\u00a0", 'a;"', "a\n", "a\r\n", ""])
def test_a_formula_is_inert_whichever_separator_a_spreadsheet_expects(separator: str, before: str) -> None:
    cell = f"{before}=1+1;b|c\td"
    input = Input.of(cell, f"https://files.example/{cell}", {"Note": cell})
    rows = [snapshots.record(Row(Source.SEED, number, input, REFUND, 1.0, "hash"), RULES) for number in range(2)]
    file = b"".join(writing.as_csv(iter([rows]), snapshots.TYPES)).decode()
    cells = [cell for line in csv.reader(io.StringIO(file, newline=""), delimiter=separator) for cell in line]
    assert not [cell for cell in cells if cell.strip().startswith(tuple("=+-@"))]
    assert len(file.splitlines()[0].split('","')) == len(COLUMNS), "all cells are quoted"
    if separator == ",":
        assert json.loads(cells[len(COLUMNS) + [*snapshots.TYPES].index("fields")])["Note"].replace("'", "") == cell


def test_a_file_of_several_pieces_holds_them_all() -> None:
    rows = [Row(Source.SEED, number, Input(f"text {number}"), REFUND, 1.0, "hash") for number in range(4)]
    pieces, schema = [[snapshots.record(row, RULES)] * 3 for row in rows], snapshots.TYPES
    assert parquet.read_table(io.BytesIO(b"".join(writing.as_parquet(iter(pieces), schema)))).num_rows == 12
    assert len(b"".join(writing.as_csv(iter(pieces), schema)).splitlines()) == 13
    assert len(b"".join(writing.as_jsonl(iter(pieces), schema)).splitlines()) == 12
    assert parquet.read_table(io.BytesIO(b"".join(writing.as_parquet(iter([]), schema)))).num_rows == 0


@pytest.mark.usefixtures("sqlite_only")
def test_a_snapshot_of_another_queue_or_of_none_is_not_found(api: Api, tmp_path: Path) -> None:
    with api.client() as client, pytest.raises(ApiError, match="no snapshot 7") as found:
        client.save_snapshot("support", 7, tmp_path / "rows.jsonl")
    assert found.value.problem.status == 404
    assert list(tmp_path.glob("rows*")) == []
