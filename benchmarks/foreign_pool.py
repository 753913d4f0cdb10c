"""A pool of foreign sentences: those of the docstrings of the standard library and of the packages that are installed.

They are read from the source files, without importing or parsing them: a string in three double quotes that begins a
line is taken for a docstring. Files come in an order that depends on their name alone, and only as many are read as are
needed. Each sentence comes once, in an order that depends on the sentence alone.
"""

import re
import sysconfig
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

SHORTEST, LONGEST = 20, 200  # characters
LARGEST_FILE = 2_000_000  # bytes
DOCSTRING = re.compile(r'^[ \t]*[rRuU]?"""(.*?)"""', re.MULTILINE | re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")


def foreign_sentences(most: int) -> list[str]:
    """At most so many; fewer where less is installed."""
    found: set[str] = set()
    for path in sorted(_sources(), key=lambda path: sha256(path.name.encode()).digest()):
        found.update(_sentences(path))
        if len(found) >= most:
            break
    return sorted(found, key=_order)[:most]


def _order(text: str) -> bytes:
    return sha256(text.encode("utf-8", "replace")).digest()


def _sources() -> Iterator[Path]:
    for name in ("stdlib", "purelib"):
        yield from Path(sysconfig.get_paths()[name]).rglob("*.py")


def _sentences(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return
        source = path.read_text("utf-8", "replace")
    except OSError:
        return
    for documented in DOCSTRING.findall(source):
        for part in SENTENCE.split(documented):
            sentence = " ".join(part.split())
            if SHORTEST <= len(sentence) <= LONGEST and sentence[0].isalpha():
                yield sentence
