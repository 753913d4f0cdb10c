"""A pool of foreign sentences: those of the docstrings of the standard library and of the packages that are installed.

They are read from the source files, without importing them. Each sentence comes once, in an order that depends on the
sentence alone, so that a part of the pool is a random part.
"""

import ast
import re
import sysconfig
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

SHORTEST, LONGEST = 20, 200  # characters
LARGEST_FILE = 2_000_000  # bytes
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def foreign_sentences(most: int) -> list[str]:
    """At most so many; fewer where less is installed."""
    found = {sentence for path in _sources() for sentence in _sentences(path)}
    return sorted(found, key=lambda text: sha256(text.encode("utf-8", "replace")).digest())[:most]


def _sources() -> Iterator[Path]:
    for name in ("stdlib", "purelib"):
        yield from Path(sysconfig.get_paths()[name]).rglob("*.py")


def _sentences(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        documented = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
        for part in SENTENCE.split(documented or ""):
            sentence = " ".join(part.split())
            if SHORTEST <= len(sentence) <= LONGEST and sentence[0].isalpha():
                yield sentence.encode("utf-8", "replace").decode()
