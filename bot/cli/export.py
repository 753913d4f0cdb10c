"""`goldloop export`: what people have decided, and what models were trained on, as a file."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Console
from sqlalchemy.orm import Session

from bot.cli.context import QueueOption, model_meant, opened
from bot.cli.printing import terminal_safe
from bot.files.snapshots import TYPES as SNAPSHOT_TYPES
from bot.files.snapshots import snapshot_pieces
from bot.files.writing import FORMATS, Format, Pieces, Write, as_jsonl
from bot.runtime.clock import utc_now
from bot.wording.numbers import count
from core.errors import Invalid, NotFound
from core.learning.lifecycle.listing import SnapshotHead, training_set_of
from core.learning.lifecycle.models import live_model_id
from core.pictures.stored import display_picture
from core.policy import Policy, QueuePolicy
from core.queues import queue_named
from core.review.listing import CorrectionLine, correction_page
from core.storage.database import PATIENT, Database
from core.text.picture_address import picture_sha256s

commands = typer.Typer(no_args_is_help=True, help="Write corrections or a training set to a file.")
out = Console()

PICTURES = "pictures"  # the folder of the pictures
PIECE = 1000  # rows per transaction, and in memory at once
TYPES = {  # the column types of Parquet
    "id": "int64",
    "item_id": "int64",
    "external_id": "string",
    "text": "string",
    "image_url": "string",
    "group": "string",
    "fields": "string",
    "model_version": "string",
    "model_label": "string",
    "label": "string",
    "model_was_right": "bool",
    "reason": "string",
    "note": "string",
    "tally": "string",
    "answers": "string",
    "settled_by": "string",
    "destination": "string",
    "guideline_version": "int64",
    "settled_at": "string",
    "withheld": "bool",
}
_LINE = TypeAdapter(CorrectionLine)


@commands.command()
def corrections(file: Path, queue: QueueOption) -> None:
    """Write all corrections of a queue to a new CSV, JSONL or Parquet file, as `GET corrections` returns them.

    Each has the text, the settled label, and every reviewer's answer with reason and note. Texts, fields and notes are
    masked as the policy says, and names are given only where it reveals them. `fields`, `tally` and `answers` are JSON
    text in CSV and Parquet.
    """
    write = _writer(file)
    with opened() as (database, policy):
        chosen, written = policy.queue(queue), _Counted()
        _save(file, write(written.through(_pieces(database, chosen, utc_now())), TYPES))
    out.print(f"{count(written.rows, 'correction')} written to {terminal_safe(str(file))}.", soft_wrap=True)


@commands.command()
def pictures(folder: Path, queue: QueueOption) -> None:
    """Write all corrections of a queue and the pictures that they are about to a new folder.

    The folder gets corrections.jsonl and pictures/. The file has a line for each correction, as `goldloop export
    corrections` writes it, and names its picture in `image`, and all of several in `images`. Pictures are PNG files,
    named by the SHA-256 of their pixels. Erased pictures are left out.
    """
    with opened() as (database, policy):
        chosen, written = policy.queue(queue), _Counted()
        _new_folder(folder)
        pieces = _with_pictures(database, chosen, folder, _pieces(database, chosen, utc_now()))
        _save(folder / "corrections.jsonl", as_jsonl(written.through(pieces), TYPES))
    files = len(list((folder / PICTURES).iterdir()))
    words = f"{count(written.rows, 'correction')} and {count(files, 'picture')} written to {folder}."
    out.print(terminal_safe(words), soft_wrap=True)


@commands.command()
def snapshot(
    file: Path,
    queue: QueueOption,
    model: Annotated[
        str, typer.Option(help="Name of the model, such as v7, or its id; by default, the live one.")
    ] = "",
) -> None:
    """Write the rows that a model was trained on to a new CSV, JSONL or Parquet file, as `GET snapshots/{id}` returns
    them.

    Each has the text, the label, the weight and where it comes from. Golden examples are not among them. Texts and
    fields are masked as the policy says. `fields` is JSON text in CSV and Parquet.
    """
    write = _writer(file)
    with opened() as (database, policy):
        chosen = policy.queue(queue)
        with database.reading(wait=PATIENT) as session:
            head = _training_set(session, policy, chosen, model)
        _save(file, write(snapshot_pieces(database, head, chosen, PATIENT), SNAPSHOT_TYPES))
    words = f"Snapshot {head.id} with {count(head.rows, 'row')} written to {file}."
    out.print(terminal_safe(words), soft_wrap=True)


def _training_set(session: Session, policy: Policy, queue: QueuePolicy, model: str) -> SnapshotHead:
    model_id = model_meant(session, policy, model, queue.name) if model else live_model_id(session, queue.name)
    if model_id is None:
        raise NotFound(f"No model of {queue.name} is live. Give --model.")
    return training_set_of(session, queue_named(session, queue.name).id, model_id)


def _new_folder(folder: Path) -> None:
    try:
        folder.mkdir()
        (folder / PICTURES).mkdir()
    except FileExistsError:
        raise Invalid(f"{folder} exists already. Choose another name.") from None
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: {error.strerror}.") from None


def _with_pictures(database: Database, queue: QueuePolicy, folder: Path, pieces: Pieces) -> Pieces:
    """The lines with their pictures. Each picture is written once, before the first line that names it."""
    for piece in pieces:
        yield [{**record, **_named(database, queue, folder, record["image_url"])} for record in piece]


def _named(database: Database, queue: QueuePolicy, folder: Path, address: str | None) -> dict[str, Any]:
    """The names of a line's pictures. image: the first picture, which a learner reads; images: all of them, in
    order."""
    names = [name for one in picture_sha256s(address) if (name := _picture(database, queue, folder, one))]
    return {"image": next(iter(names), None), "images": names}


def _picture(database: Database, queue: QueuePolicy, folder: Path, sha256: str) -> str | None:
    name = f"{PICTURES}/{sha256}.png"
    if not (folder / name).exists():
        try:
            with database.reading(wait=PATIENT) as session:
                content = display_picture(session, queue_named(session, queue.name).id, sha256)
        except NotFound:  # the picture was erased since the line was read
            return None
        (folder / name).write_bytes(content)
    return name


class _Counted:
    def __init__(self) -> None:
        self.rows = 0

    def through(self, pieces: Pieces) -> Pieces:
        for piece in pieces:
            self.rows += len(piece)
            yield piece


def _pieces(database: Database, queue: QueuePolicy, now: datetime) -> Pieces:
    """The corrections in pieces, each read in a transaction of its own: on SQLite, no click waits for a whole file."""
    after, more = 0, True
    while more:
        with database.reading(wait=PATIENT) as session:
            page = correction_page(session, queue, None, after, PIECE, settled_by=now)
        yield [_record(line) for line in page.lines]
        after, more = page.lines[-1].id if page.lines else after, page.more


def _record(line: CorrectionLine) -> dict[str, Any]:
    record: dict[str, Any] = _LINE.dump_python(line, mode="json")
    return record


def _writer(file: Path) -> Write:
    formats: dict[str, Format] = {f".{name}": name for name in FORMATS}
    if file.suffix.lower() not in formats:
        raise Invalid(f"{file}: a file must end in {', '.join(sorted(formats))}.")
    return FORMATS[formats[file.suffix.lower()]][1]


def _save(file: Path, content: Iterator[bytes]) -> None:
    """Write a new file. If that fails, the incomplete file is deleted."""
    try:
        with file.open("xb") as target:
            try:
                target.writelines(content)
            except BaseException:
                file.unlink()
                raise
    except FileExistsError:
        raise Invalid(f"{file} exists already. Choose another name.") from None
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}.") from None
