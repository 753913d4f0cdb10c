"""Block Kit's rules."""

from collections.abc import Mapping

from bot.sandbox.wire import Json
from bot.sandbox.workspace import File


def check_message(blocks: list[Json], files: Mapping[str, File]) -> None:
    pass


def check_view(view: Json, kind: str, files: Mapping[str, File]) -> None:
    pass
