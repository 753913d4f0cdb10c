"""Parquet, which needs pyarrow, the extra [parquet]: it would be a third of Goldloop's size on disk."""

from typing import Any

from core.errors import Invalid

MISSING = "Parquet needs pyarrow, which is not installed. Install it with: pip install 'goldloop[parquet]'"


def parquet_of(what: str) -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet. what: the file or option that needs Parquet, for the error. Raises
    Invalid if pyarrow is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise Invalid(f"{what}: {MISSING}, or use CSV or JSON Lines.") from None
    return pyarrow, pyarrow.parquet
