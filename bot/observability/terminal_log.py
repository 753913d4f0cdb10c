"""The log in a terminal, by Rich. Loaded only for a terminal: Rich takes 4 MB and a twentieth of a process's start."""

import logging
from typing import TextIO

from rich.console import Console
from rich.logging import RichHandler


class _Steady(Console):
    """A console that goes on when its output is closed; Rich's own would end the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def terminal_handler(stream: TextIO) -> logging.Handler:
    return RichHandler(console=_Steady(file=stream), show_path=False)
