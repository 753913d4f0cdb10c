"""docs/api.md matches the code: its example runs unchanged, and its tables come from the code.

`python -m tests.api.test_page` writes its table of settings anew.
"""

import contextlib
import io
import re
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel
from standardwebhooks import Webhook

from bot.api.problems import STATUS
from core.errors import CommitOutcomeUnknown, DiskFull
from core.policy.integrations import ApiPolicy, WebhookEndpoint
from core.vocabulary import EventKind
from tests.api.conftest import Api
from tests.api.receiver import SECRET
from tests.core.desk import BILLING
from tests.people import ANA, BEN
from tests.test_docs import BEGIN, END, ROOT, row

PAGE = ROOT / "docs" / "api.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def settings_table() -> str:
    lines = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for title, section in (("api", ApiPolicy), ("webhooks.NAME", WebhookEndpoint)):
        lines += _rows(title, section)
    return "\n".join(lines)


def _rows(title: str, section: type[BaseModel]) -> list[str]:
    fields = section.model_fields.items()
    return [row(f"{title}.{key}", field) for key, field in fields if key != "name"]


def page_with_table() -> str:
    before, rest = TEXT.split(BEGIN)
    return before + BEGIN + "\n" + settings_table() + "\n" + END + rest.split(END)[1]


@pytest.mark.usefixtures("sqlite_only")
def test_the_example_prints_what_the_page_says(api: Api) -> None:
    send, read, _hook = blocks("python")
    sent, answered, settled = blocks("text")
    token, names = api.token(), dict[str, Any]()

    def here(example: str) -> str:
        return example.replace("http://127.0.0.1:3000", api.address).replace("goldloop_…", token)

    assert _printed(here(send), names) == sent
    [request] = blocks("sh")
    done = subprocess.run(["bash", "-c", here(request)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == answered.strip()
    for person in (ANA, BEN):
        api.desk.click(person, 1, BILLING)
    assert _printed(here(read), names) == settled
    names["client"].close()


@pytest.mark.usefixtures("sqlite_only")
def test_the_receiver_on_the_page_accepts_what_is_signed(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"SECRET": SECRET}
    exec(blocks("python")[2], names)
    body, now = '{"type": "item.settled", "data": {"external_id": "T-1", "label": "refund"}}', datetime.now(UTC)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("evt_1", now, body),
    }
    names["receive"](body.encode(), headers)
    assert capsys.readouterr().out == "T-1 is refund\n"


@pytest.mark.usefixtures("sqlite_only")
def test_the_tables_are_those_of_the_code() -> None:
    assert page_with_table() == TEXT, "run: python -m tests.api.test_page"
    for kind, status in (STATUS | {DiskFull: 503, CommitOutcomeUnknown: 503}).items():
        if kind.code not in ("already_settled", "outdated"):  # no endpoint says these
            assert re.search(rf"^\| {status} \| .*`{kind.code}`", TEXT, re.MULTILINE), kind.code
    for event in EventKind:
        assert f"| `{event}` |" in TEXT


def _printed(example: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(example, names)
    return out.getvalue()


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), encoding="utf-8")
