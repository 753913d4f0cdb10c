"""`goldloop docs`: the documentation of this release. Errors name pages by this command, because an installed Goldloop
has no checkout."""

from pathlib import Path
from typing import Annotated

import typer

from core.errors import NotFound

commands = typer.Typer()


@commands.command("docs")
def print_page(
    page: Annotated[str, typer.Argument(help="Name of a page, such as slack; default: list the pages.")] = "",
) -> None:
    """Print a page of the documentation, in Markdown."""
    names = page_names()
    if page and page not in names:
        raise NotFound(f"There is no page “{page}”. Pages: {', '.join(names)}.")
    typer.echo((pages_folder() / f"{page}.md").read_text(encoding="utf-8") if page else "\n".join(names))


def page_names() -> list[str]:
    return sorted(path.stem for path in pages_folder().glob("*.md"))


def pages_folder() -> Path:
    """The folder of the documentation: inside the package when installed, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "docs"
    return installed if installed.is_dir() else package.parent / "docs"
