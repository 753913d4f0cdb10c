"""The docs say what the code does: the policy page lists every setting, and every link leads somewhere.

`python -m tests.test_docs` writes the table of docs/policy.md anew.
"""

import ast
import re
from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.cli.pages import page_names
from core.policy import LabelPolicy, QueuePolicy
from core.policy.discovery import SourcePolicy
from core.policy.file import load_policy
from core.policy.synthetic import ReadersPolicy

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "policy.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def settings_table() -> str:
    """Every key of a queue's section, its default, what is allowed and what it means."""
    lines = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, field in QueuePolicy.model_fields.items():
        if name == "name":
            continue
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += [row(f"{name}.{key}", inner) for key, inner in section.model_fields.items()]
        else:
            lines.append(row(name, field))
    lines += [row(f"labels[].{key}", inner) for key, inner in LabelPolicy.model_fields.items()]
    lines += [row(f"discovery.sources[].{key}", inner) for key, inner in SourcePolicy.model_fields.items()]
    lines += [row(f"synthetic.readers[].{key}", inner) for key, inner in ReadersPolicy.model_fields.items()]
    return "\n".join(lines)


def row(key: str, field: FieldInfo) -> str:
    return f"| `{key}` | {default(field)} | {allowed(field)} | {field.description} |"


def default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, bool):
        return f"`{field.default}`".lower()
    if isinstance(field.default, float):
        return f"{field.default:.4g}"
    return "none" if field.default in (None, (), "") else f"`{field.default}`"


def allowed(field: FieldInfo) -> str:
    words = []
    if any(get_origin(part) is not None and "Literal" in str(get_origin(part)) for part in [field.annotation]):
        return " or ".join(f"`{choice}`" for choice in get_args(field.annotation))
    inside = [part for choice in get_args(field.annotation) for part in getattr(choice, "__metadata__", ())]
    for limit in [*field.metadata, *(found for part in inside for found in getattr(part, "metadata", [part]))]:
        for kind, attribute, sign in (
            (Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"),
            (MinLen, "min_length", "length ≥"), (MaxLen, "max_length", "length ≤"),
        ):  # fmt: skip
            if isinstance(limit, kind):
                words.append(f"{sign} {getattr(limit, attribute)}")
    either = get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else ()
    spelled = [f"`{choice}`" for part in either if get_origin(part) is Literal for choice in get_args(part)]
    return " or ".join([*filter(None, [", ".join(words)]), *spelled]) or "any"


def page_with_table() -> str:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return before + BEGIN + "\n" + settings_table() + "\n" + END + rest.split(END)[1]


def test_the_policy_page_lists_every_setting_with_its_default_and_range() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_table(), "run: python -m tests.test_docs"


def test_the_example_on_the_policy_page_is_a_valid_policy(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "goldloop.toml"
    file.write_text(example, encoding="utf-8")
    assert load_policy(file).queues[0].label_names


PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_and_every_named_file_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for named in re.findall(
        r"`((?:bot|core|client|tests|docs|benchmarks|migrations)/[\w./-]+\.(?:py|md|toml|txt|jsonl))`", text
    ):
        assert (ROOT / named).exists(), f"{page.name} names {named}"


def test_each_page_that_an_error_names_is_there_and_none_is_named_that_a_wheel_lacks() -> None:
    """Comments and docstrings are read in a checkout; every other text may be shown where there is none."""
    for source in sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "core").rglob("*.py")]):
        text = source.read_text(encoding="utf-8")
        for page in re.findall(r"`goldloop docs (\w+)`", text):
            assert page in page_names(), f"{source} names {page}"
        if "docs/" in text:
            assert not re.search(r"docs/\w+\.md", " ".join(shown_texts(ast.parse(text)))), source


def shown_texts(tree: ast.Module) -> list[str]:
    """Every text of a module but its docstrings."""
    documented = [ast.get_docstring(node, False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if text not in documented]


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def test_each_fault_of_the_reliability_page_is_tried_by_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    assert rows
    for line in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line)
        assert named, f"no test is named: {line}"
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file} has no {test}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), encoding="utf-8")
