"""Sentences that tell leads of a decision about a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.wording.format import Format
from bot.wording.numbers import count
from core.vocabulary import DecisionKind

DECIDED: dict[DecisionKind, str] = {
    DecisionKind.PROMOTE: "promoted by",
    DecisionKind.OVERRULE: "promoted against the gate by",
    DecisionKind.REJECT: "rejected by",
    DecisionKind.EXPIRE: "no decision in time, so the leads are asked again",
    DecisionKind.ROLL_BACK: "brought back by",
    DecisionKind.KEEP: "allowed to answer all requests by",
}


def rolled_back(values: Mapping[str, Any], form: Format) -> str:
    """The sentence on a rollback. values: those of `NoticeKind.ROLLED_BACK`."""
    head = f"{form.text(values['queue'])}: {values['model']} is live again."
    why = f": {quoted(values['reason'], form)}." if values["reason"] else ", who gave no reason."
    rows = values["erased_rows"]
    erased = f" {values['model']} learned from {count(rows, 'row')} erased since." if rows else ""
    return f"{head} {values['former']} was rolled back by {people(values['leads'], form)}{why}{erased}"


def overruled(values: Mapping[str, Any], form: Format) -> str:
    """The sentence on a promotion against the gate. values: those of `NoticeKind.OVERRULED`."""
    head = f"{form.text(values['queue'])}: {values['model']} is live, although "
    problem = _although(values["gate_passed"], values["erased_rows"])
    why = f" Promoted by {people(values['leads'], form)}: {quoted(values['reason'], form)}."
    return f"{head}{problem}.{why}{how_to_roll_back(values['former'], values['name'])}"


def stays_live(values: Mapping[str, Any], at: str, form: Format) -> str:
    """The sentence on a model that stays live. values: those of `NoticeKind.STAYS_LIVE`; at: when it went live, in
    words."""
    how = DECIDED[DecisionKind(values["kind"])]
    head = f"{form.text(values['queue'])}: {values['model']} stays live, {how} {people(values['leads'], form)} {at}."
    undone = how_to_roll_back(values["former"], values["name"]) or " There is no earlier model to go back to."
    return f"{head} Removing your check mark changed nothing.{undone}"


def how_to_roll_back(former: str | None, queue: str) -> str:
    """How to roll back. former: the previous model; None: there is none, so the text is empty. queue: the queue's
    name."""
    return f" To bring {former} back, type `/goldloop rollback {queue}` and say why." if former else ""


def people(leads: Sequence[str], form: Format) -> str:
    return ", ".join(form.person(lead) for lead in leads)


def quoted(reason: str, form: Format) -> str:
    return f"“{form.text(reason)}”"


def _although(gate_passed: bool, erased_rows: int) -> str:
    """The reasons against a model that was promoted nevertheless; completes "although ___"."""
    refused = [] if gate_passed else ["the golden gate refused it"]
    erased = [f"it learned from {count(erased_rows, 'row')} erased since"] if erased_rows else []
    return " and ".join(refused + erased)
