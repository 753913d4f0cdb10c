"""Sources: every row of every file is read once, whatever the shards, and what cannot be read says why."""

import csv
import gzip
import json
import re
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.discovery.places import checked_address
from core.discovery.sources import Columns, Shard, read, shards_of
from core.errors import Invalid

ROWS = [{"id": f"T-{number}", "body": f"text “{number}”,\nin two lines"} for number in range(700)]
COLUMNS = Columns("body", "id")


def written(folder: Path, name: str) -> Path:
    path = folder / name
    packed = gzip.open if name.endswith(".gz") else open
    if ".parquet" in name:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=100)
        return path
    with packed(path, "wt", encoding="utf-8", newline="") as file:
        if ".csv" in name:
            writer = csv.DictWriter(file, ["id", "body"])
            writer.writeheader()
            writer.writerows(ROWS)
        else:
            file.writelines(json.dumps(row) + "\n" for row in ROWS)
    return path


def everything(shards: list[Shard], columns: Columns = COLUMNS) -> list[tuple[str, str]]:
    return [pair for shard in shards for ids, texts in read(shard, columns) for pair in zip(ids, texts, strict=True)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.gz", "a.csv", "a.csv.gz", "a.parquet"])
def test_each_kind_of_file_gives_its_rows_in_order(tmp_path: Path, name: str) -> None:
    shards = shards_of(str(written(tmp_path, name)), lines_bytes=2000, parquet_rows=250)
    assert everything(shards) == [(row["id"], row["body"]) for row in ROWS]
    assert len(shards) == {"a.jsonl": 22, "a.parquet": 4}.get(name, 1)


@given(st.lists(st.text("ab \u00e9", max_size=12), min_size=1, max_size=30), st.integers(1, 60))
def test_a_line_belongs_to_one_shard(tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_text("".join(json.dumps({"body": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    found = everything(shards_of(str(path), lines_bytes=size), Columns("body"))
    assert [text for _id, text in found] == texts
    assert len({ident for ident, _text in found}) == len(texts)


def test_a_folder_a_pattern_and_an_address_are_all_files_below(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    written(tmp_path, "a.csv")
    written(tmp_path / "b", "c.jsonl")
    (tmp_path / "notes.txt").write_text("no data")
    folder = shards_of(str(tmp_path))
    assert [Path(shard.address).name for shard in folder] == ["a.csv", "c.jsonl"]
    assert shards_of(f"{tmp_path}/**/*.jsonl")[0].address == shards_of(f"file://{tmp_path}/b")[0].address


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"other": "x"}\n', "there is no column “body”. It has: other."),
        ("a.csv", b"id,other\n1,x\n", "there is no column “body”. It has: id, other."),
        ("a.jsonl", b'{"body": \n', "a line is not JSON"),
        ("a.jsonl", b"[1]\n", "each line must be a JSON object"),
        ("a.csv", b"id,body\n1,\xff\xfe\n", "this file is not UTF-8"),
        ("a.parquet", b"not one", "this cannot be read as a Parquet file"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=words.replace(".", r"\.")):
        everything(shards_of(str(tmp_path / name)))


@pytest.mark.parametrize(
    "address",
    [
        "s3://key:secret@bucket/a.csv",
        "https://user@host.example/a.csv",
        "https://host.example/a.csv?X-Amz-Signature=1",
        "https://host.example/a.csv?sig=1",
        "http://host.example/a.csv",
        "ftp://host.example/a.csv",
    ],
)
def test_an_address_with_a_secret_or_in_the_clear_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        checked_address(address)


class WholeFiles(SimpleHTTPRequestHandler):
    """A web server that sends whole files only."""

    def log_message(self, *_words: object) -> None:
        pass


class Ranges(WholeFiles):
    """A web server that sends the part of a file that it is asked for."""

    def do_HEAD(self) -> None:
        self._answer(b"", len(self._content()))

    def do_GET(self) -> None:
        first, last = re.findall(r"\d+", self.headers["Range"])
        self._answer(self._content()[int(first) : int(last) + 1])

    def _content(self) -> bytes:
        return Path(self.translate_path(self.path)).read_bytes()

    def _answer(self, part: bytes, size: int | None = None) -> None:
        self.send_response(HTTPStatus.OK if size is not None else HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(size if size is not None else len(part)))
        self.end_headers()
        self.wfile.write(part)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz"])
@pytest.mark.parametrize(("handler", "parts"), [(WholeFiles, 1), (Ranges, 22)])
def test_a_file_is_read_from_a_web_server(tmp_path: Path, name: str, handler: type[WholeFiles], parts: int) -> None:
    written(tmp_path, name)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        shards = shards_of(f"http://127.0.0.1:{server.server_port}/{name}", lines_bytes=2000)
        assert everything(shards) == [(row["id"], row["body"]) for row in ROWS]
        server.shutdown()
    assert len(shards) == (parts if name == "a.jsonl" else 1)


@pytest.mark.parametrize(("address", "package"), [("s3://bucket/a.csv", "s3fs"), ("gs://bucket/a.csv", "gcsfs")])
def test_a_missing_package_is_named(address: str, package: str) -> None:
    if find_spec(package):
        pytest.skip(f"{package} is installed here.")
    with pytest.raises(Invalid, match=f"{package}, which is not installed. Run: pip install {package}"):
        shards_of(address)


def test_a_file_that_a_web_server_does_not_have_is_told(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(WholeFiles, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/a.csv"
        with pytest.raises(Invalid, match=f"There are no files at {address}"):
            shards_of(address)
        server.shutdown()


def test_a_source_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no files"):
        shards_of(str(tmp_path / "nothing.csv"))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(Invalid, match="no files that end in"):
        shards_of(str(tmp_path))
