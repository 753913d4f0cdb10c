"""The same desk as in tests/core."""

from tests.core.conftest import desk, open_desk

__all__ = ["desk", "open_desk"]
