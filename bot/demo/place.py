"""The demo's setting: a policy file, and a local workspace with five people."""

import json
from dataclasses import dataclass
from pathlib import Path

from bot.demo.data import SEED_SHARE
from bot.sandbox.config import ChannelConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.slack.manifest import manifest

ANA, BEN, EVA, CLEO, DAN = "U_ANA", "U_BEN", "U_EVA", "U_CLEO", "U_DAN"
REVIEW, LEADS, HELPDESK = "C_REVIEW", "C_LEADS", "C_HELPDESK"
APP = "A_GOLDLOOP"
QUEUE, SCANS = "support", "scans"

PEOPLE = (
    PersonConfig(ANA, "ana", "Ana Ruiz", "Europe/Madrid"),
    PersonConfig(BEN, "ben", "Ben Okafor", "Europe/London"),
    PersonConfig(EVA, "eva", "Eva Lindqvist", "Europe/Stockholm"),
    PersonConfig(CLEO, "cleo", "Cleo Martin (lead)", "Europe/Paris"),
    PersonConfig(DAN, "dan", "Dan Weber (may not vote)", "Europe/Berlin"),
)
EVERYONE = tuple(person.id for person in PEOPLE)

WELCOME = (
    "Act as Ana and click a label under a {one}. A {one} is settled when two of three reviewers agree; after ten "
    "{one}s, Cleo gets a better model to approve."
)
WATCH = (
    "Watch: simulated reviewers label the {one}s, then Cleo decides about a new model. Ana and Ben see the cards, Cleo "
    "sees the reports."
)


@dataclass(frozen=True)
class Subject:
    """The subject of the review. one: the word for a single input; queue: the queue's name in the policy, and of its
    channels."""

    title: str
    one: str
    guideline: str
    queue: str = QUEUE
    learner: str = "text"

    @property
    def name(self) -> str:
        return self.one.capitalize()


TICKETS = Subject(
    "Support tickets",
    "ticket",
    "Label what the customer wants done, not what went wrong. Money back for something bought: refund. A wrong charge: "
    "billing error. If two wishes are equal, the first one counts. If no label fits, say “None of these”.",
)


def own_texts(file: Path) -> Subject:
    """The subject of the user's texts. Only the user knows the meaning of their labels."""
    return Subject(
        file.stem[:80], "text", "Choose the label that fits the text best. If no label fits, say “None of these”."
    )


DIGITS = Subject(
    "Handwritten digits",
    "scan",
    "Choose the digit that was written. If it could be two digits, choose the likelier one. If it is no digit, say "
    "“None of these”.",
    SCANS,
    "image",
)


def own_pictures(path: Path) -> Subject:
    return Subject(
        path.stem[:80],
        "scan",
        "Choose the label that fits the picture best. If no label fits, say “None of these”.",
        SCANS,
        "image",
    )


@dataclass(frozen=True)
class Rules:
    """The settings that differ between the interactive demo and the automatic one."""

    corrections: int  # the number that starts a training run; 0: only the command does
    learner: str = ""  # empty: the subject's learner
    budget: str = ""
    promise: str = ""


def workspace(subject: Subject, auto: bool = False) -> SandboxConfig:
    """The workspace. auto: simulated people act, and real ones watch."""
    app, queue = app_from_manifest(manifest(), id=APP, name="goldloop"), subject.queue
    return SandboxConfig(
        people=PEOPLE,
        channels=(
            ChannelConfig(REVIEW, f"{queue}-review", members=(*EVERYONE, APP), topic=f"{subject.name}s for review"),
            ChannelConfig(LEADS, f"{queue}-leads", members=(CLEO, DAN, APP), topic="Reports and decisions"),
            ChannelConfig(HELPDESK, "helpdesk", members=EVERYONE, topic="Flag any message here for review"),
        ),
        apps=(app,),
        team_name="Fernhill",
        team_domain="fernhill",
        welcome=(WATCH if auto else WELCOME).format(one=subject.one),
    )


def write_policy(folder: Path, labels: tuple[str, ...], rules: Rules, subject: Subject) -> Path:
    """Write the policy file."""
    path = folder / "goldloop.toml"
    path.write_text(
        f"""\
[queues.{subject.queue}]
title = {_toml(subject.title)}
channel = "{REVIEW}"
leads_channel = "{LEADS}"
reviewers = ["{ANA}", "{BEN}", "{EVA}"]
leads = ["{CLEO}"]
labels = {_toml(list(labels))}
guideline = {_toml(subject.guideline)}
time_zone = "Europe/Paris"

[queues.{subject.queue}.flagging]
audit_share = 0.1
budget = {_toml(rules.budget)}
promise = {_toml(rules.promise)}

[queues.{subject.queue}.golden]
seed_share = {SEED_SHARE}
second_looks = 0

[queues.{subject.queue}.retraining]
learner = "{rules.learner or subject.learner}"
corrections = {rules.corrections}
""",
        encoding="utf-8",
    )
    return path


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
