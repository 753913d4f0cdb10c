"""A reader of skops files that hold only text, numbers, lists, dictionaries and arrays, like those of built-in
learners.

To know which types may be trusted, skops imports all of scikit-learn, which takes three seconds and 90 MB. None of the
types read here needs that, and building one runs no code. Everything else is left to skops."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from zipfile import ZipFile

import numpy as np

SCHEMA = "schema.json"  # skops' name for the JSON part
PROTOCOL = 2  # the version of skops' format

Node = Mapping[str, Any]


class NotPlain(Exception):  # noqa: N818 - a fact: there is something else in it, and skops must read it
    """A file that was written in another version of the format, or that contains something else."""


def read_plain(archive: ZipFile) -> object:
    """The object in a skops file. Raises NotPlain; on damaged files, the errors of readers of zip, JSON and arrays."""
    return _built(_schema(archive), lambda file: np.load(io.BytesIO(archive.read(file)), allow_pickle=False))


def is_plain(archive: ZipFile) -> bool:
    """Whether `read_plain` can read the file, so that no type in it has to be trusted. Loads no array."""
    try:
        _built(_schema(archive), lambda _file: None)
    except NotPlain:
        return False
    return True


def _schema(archive: ZipFile) -> Node:
    schema: Node = json.loads(archive.read(SCHEMA))
    if schema.get("protocol") != PROTOCOL:
        raise NotPlain
    return schema


def _built(node: Node, load: Callable[[str], object]) -> object:
    match node["__module__"], node["__class__"], node["__loader__"]:
        case "builtins", "str", "JsonNode":
            return json.loads(node["content"])
        case "builtins", "list", "ListNode":
            return [_built(one, load) for one in node["content"]]
        case "builtins", "dict", "DictNode" if all(map(_is_text, node["key_types"]["content"])):
            return {name: _built(one, load) for name, one in node["content"].items()}
        case "numpy", "ndarray", "NdArrayNode" if node["type"] == "numpy":
            return load(node["file"])
    raise NotPlain


def _is_text(key_type: Node) -> bool:
    return (key_type["__module__"], key_type["__class__"], key_type["__loader__"]) == ("builtins", "str", "TypeNode")
