"""The demo's setting: its own folder with a policy file, and a local workspace with five people."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.demo.data import SEED_SHARE
from bot.sandbox.config import ChannelConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.slack.manifest import manifest

FOLDER = Path(".demo")
ANA, BEN, EVA, CLEO, DAN = "U_ANA", "U_BEN", "U_EVA", "U_CLEO", "U_DAN"
REVIEW, LEADS, HELPDESK = "C_REVIEW", "C_LEADS", "C_HELPDESK"
APP = "A_GOLDLOOP"
QUEUE = "support"

PEOPLE = (
    PersonConfig(ANA, "ana", "Ana Ruiz", "Europe/Madrid"),
    PersonConfig(BEN, "ben", "Ben Okafor", "Europe/London"),
    PersonConfig(EVA, "eva", "Eva Lindqvist", "Europe/Stockholm"),
    PersonConfig(CLEO, "cleo", "Cleo Martin (lead)", "Europe/Paris"),
    PersonConfig(DAN, "dan", "Dan Weber (may not vote)", "Europe/Berlin"),
)
EVERYONE = tuple(person.id for person in PEOPLE)

WELCOME = (
    "Act as Ana and click a label under a ticket. A ticket is settled when two of three reviewers agree; after ten "
    "tickets, Cleo gets a better model to approve."
)

GUIDELINE = (
    "Label what the customer wants done, not what went wrong. Money back for something bought: refund. A wrong charge: "
    "billing error. If two wishes are equal, the first one counts. If no label fits, say “None of these”."
)


@dataclass(frozen=True)
class Rules:
    """The settings that differ between the interactive demo and the automatic one."""

    corrections: int  # number that starts a training run; 0: only the command does
    learner: str = "text"


def fresh_folder() -> Path:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return FOLDER


def workspace() -> SandboxConfig:
    app = app_from_manifest(manifest(), id=APP, name="goldloop")
    return SandboxConfig(
        people=PEOPLE,
        channels=(
            ChannelConfig(REVIEW, "support-review", members=(*EVERYONE, APP), topic="Tickets for review"),
            ChannelConfig(LEADS, "support-leads", members=(CLEO, DAN, APP), topic="Reports and decisions"),
            ChannelConfig(HELPDESK, "helpdesk", members=EVERYONE, topic="Flag any message here for review"),
        ),
        apps=(app,),
        team_name="Fernhill",
        team_domain="fernhill",
        welcome=WELCOME,
    )


def write_policy(folder: Path, labels: tuple[str, ...], rules: Rules) -> Path:
    """Write the policy file."""
    path = folder / "goldloop.toml"
    path.write_text(
        f"""\
[queues.{QUEUE}]
title = "Support tickets"
channel = "{REVIEW}"
leads_channel = "{LEADS}"
reviewers = ["{ANA}", "{BEN}", "{EVA}"]
leads = ["{CLEO}"]
labels = {json.dumps(list(labels), ensure_ascii=False)}
guideline = "{GUIDELINE}"
time_zone = "Europe/Paris"

[queues.{QUEUE}.flagging]
audit_share = 0.1

[queues.{QUEUE}.consensus]
rule = "lead_by_2"
votes = 3

[queues.{QUEUE}.golden]
seed_share = {SEED_SHARE}

[queues.{QUEUE}.retraining]
learner = "{rules.learner}"
corrections = {rules.corrections}
""",
        encoding="utf-8",
    )
    return path
