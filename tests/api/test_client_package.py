"""The client as a distribution of its own: its shapes are those of the OpenAPI document, and it needs little."""

import re
from datetime import UTC, datetime
from importlib.metadata import requires
from importlib.resources import files
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from bot.files.writing import FORMATS
from goldloop_client import Format, ItemLine, ItemState, Reason, shapes
from tests.api.conftest import Api

ANSWERS = tuple[
    shapes.CorrectionPage,
    shapes.ItemPage,
    shapes.Models,
    shapes.Predicted,
    shapes.Problem,
    shapes.Received,
    shapes.StatsCard,
    shapes.Submitted,
]


def plain(schema: Any) -> Any:
    """Without the words for people, and without "or any other text" beside a vocabulary."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("anyOf", [])
    if [choice for choice in choices if "$ref" in choice] and {"type": "string"} in choices:
        rest = [choice for choice in choices if choice != {"type": "string"}]
        return plain(rest[0] if len(rest) == 1 else {"anyOf": rest})
    return {
        key: {name: plain(one) for name, one in value.items()} if key == "properties" else plain(value)
        for key, value in schema.items()
        if key not in ("title", "description") and (key, value) != ("default", None)
    }


@pytest.mark.usefixtures("sqlite_only")
def test_its_shapes_are_those_of_the_openapi_document(api: Api) -> None:
    document = api.http.get(f"{api.address}/api/openapi.json").json()
    ours = TypeAdapter(ANSWERS).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    assert {name: plain(one) for name, one in ours["$defs"].items()} == {
        name: plain(one) for name, one in document["components"]["schemas"].items()
    }
    paths = document["paths"]
    sent = paths["/v1/queues/{queue}/predictions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert sent["oneOf"][1]["maxItems"] == shapes.MOST_ROWS
    assert set(get_args(Format)) == set(FORMATS)


def test_what_a_newer_server_adds_breaks_nothing() -> None:
    line = {
        "id": 1, "external_id": "T-1", "model_version": "7", "model_label": None, "confidence": None, "blind": True,
        "flags": ["audit", "full moon"], "state": "frozen", "opened_at": "2031-01-01T00:00:00Z", "settled_at": None,
        "mood": "good",
    }  # fmt: skip
    read = TypeAdapter(ItemLine).validate_python(line)
    assert (read.flags, read.state) == ((Reason.AUDIT, "full moon"), "frozen")
    assert isinstance(read.flags[0], Reason)
    assert read.opened_at == datetime(2031, 1, 1, tzinfo=UTC)
    assert isinstance(TypeAdapter(ItemLine).validate_python(line | {"state": "open"}).state, ItemState)


def names(distribution: str) -> set[str]:
    return {re.split(r"[^\w.-]", line)[0] for line in requires(distribution) or []}


def test_it_needs_httpx_and_pydantic_and_the_server_does_not_need_it() -> None:
    assert names("goldloop-client") == {"httpx", "pydantic"}
    assert "goldloop-client" not in names("goldloop")
    assert files("goldloop_client").joinpath("py.typed").is_file()
