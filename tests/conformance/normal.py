"""Makes what two runs saw comparable: ids, times and tokens get names by their first appearance."""

import json
import re
from pathlib import Path

from bot.sandbox.wire import Json

SURFACES = json.loads(Path(__file__).with_name("surfaces.json").read_text(encoding="utf-8"))
CHANGING = re.compile(
    r"(?P<trigger>\b\d{10}\.\w{10}\.\w{24}\b)"
    r"|(?P<ts>\b\d{10}\.\d{6}\b)"
    r"|(?P<hash>\b\d{10}\.\w{8}\b)"
    r"|(?P<permalink>\bp\d{16}\b)"
    r"|(?P<response>(?<=/response/)\w+)"
    r"|(?P<event>\bEv[A-Z0-9]{10}\b)"
    r"|(?P<context>\b4-\w{12}\b)"
    r"|(?P<id>\b[A-Z]{1,2}\d{8}[A-Z0-9]{4}\b)"
)
TIMES = ("event_time", "created", "timestamp", "updated", "cache_ts", "last_set", "date_create")
# Bolt for JavaScript puts headers of the answer there.
WRAPPING = ("scopes", "acceptedScopes", "retryAfter")


class Normal:
    def __init__(self, address: str) -> None:
        self.address = address
        self.names: dict[str, str] = {}
        self.acts = 0
        self.new = 0

    def act(self, record: Json) -> Json:
        """A name tells in which act a value first appeared, so that a difference does not move all later names."""
        self.acts += 1
        self.new = 0
        record["answers"] = [unwrapped(each) for each in record["answers"]]
        return {name: self.value(record[name], name) for name in sorted(record)}

    def value(self, value: object, key: str) -> object:
        if isinstance(value, dict):
            return {str(self.value(name, "")): self.value(value[name], name) for name in sorted(value)}
        if isinstance(value, list | tuple):
            return [self.value(each, key) for each in value]
        if isinstance(value, str):
            return self.text(value, key)
        if isinstance(value, int) and not isinstance(value, bool) and key in TIMES:
            return "<time>" if value else 0
        return value

    def text(self, text: str, key: str) -> str:
        if key == "block_id" and text not in GIVEN:
            return self.name("block", text)
        return CHANGING.sub(self._named, text.replace(self.address, "<workspace>"))

    def _named(self, found: re.Match[str]) -> str:
        return self.name(str(found.lastgroup), found[0])

    def name(self, kind: str, value: str) -> str:
        if value not in self.names:
            self.new += 1
            self.names[value] = f"<{kind} {self.acts}.{self.new}>"
        return self.names[value]


def unwrapped(line: Json) -> Json:
    answer = line.get("answer")
    if not isinstance(answer, dict) or "response_metadata" not in answer:
        return line
    metadata = {name: value for name, value in answer["response_metadata"].items() if name not in WRAPPING}
    rest = {name: value for name, value in answer.items() if name != "response_metadata"}
    return {**line, "answer": rest | ({"response_metadata": metadata} if metadata else {})}


def _block_ids(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {str(value["block_id"])} if "block_id" in value else set()
        return own.union(*(_block_ids(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_block_ids(each) for each in value))
    return set()


GIVEN = _block_ids(SURFACES)
