"""The names of reactions: Slack's standard emoji, and the workspace's own."""

from functools import cache
from pathlib import Path


@cache
def standard() -> frozenset[str]:
    lines = Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
