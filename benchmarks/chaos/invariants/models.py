"""Training runs, decisions and the live model."""

import re
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.chaos.invariants.scene import Finding, Scene
from benchmarks.chaos.ledger import Reacted
from benchmarks.chaos.place import LEADS
from core.delivery import outbox
from core.records.delivery import Notice
from core.records.learning import Approval, Decision, Live, ModelVersion, TrainingRun
from core.vocabulary import Card, DecisionKind, ModelState, RunState

GOES_LIVE = (DecisionKind.PROMOTE, DecisionKind.OVERRULE, DecisionKind.ROLL_BACK)
RUN = re.compile(r"Training run (\d+) is on its way")
BACK = re.compile(r"v(\d+) of .* is live again")


def each_run_ends(session: Session, scene: Scene) -> Finding:
    runs = session.scalars(select(TrainingRun)).all()
    models = Counter(session.scalars(select(ModelVersion.run_id)))
    scene.notes["runs: done"] = sum(run.state is RunState.DONE for run in runs)
    scene.notes["runs: failed, and said so"] = sum(run.state is RunState.FAILED and bool(run.problem) for run in runs)
    broken = [
        f"run {run.id} is {run.state.value} ({run.problem or 'no problem named'}) with {models[run.id]} candidates"
        for run in runs
        if (run.state, models[run.id], bool(run.problem)) not in ((RunState.DONE, 1, False), (RunState.FAILED, 0, True))
    ]
    return Finding("each run ends in one candidate or says why not", len(runs), tuple(broken))


def one_live_model_that_a_lead_approved(session: Session, scene: Scene) -> Finding:
    live = session.scalars(select(Live)).one()
    alive = session.scalars(select(ModelVersion.id).where(ModelVersion.state == ModelState.LIVE)).all()
    moves = session.scalars(select(Decision).where(Decision.kind.in_(GOES_LIVE)).order_by(Decision.id)).all()
    broken = []
    if list(alive) != ([live.model_id] if live.model_id else []):
        broken.append(f"models {list(alive)} are live, and the queue serves {live.model_id}")
    if live.changes != len(moves) or live.model_id != (moves[-1].model_id if moves else None):
        broken.append(f"{live.changes} changes and {len(moves)} decisions; {live.model_id} is live")
    former = None
    for move in moves:
        if move.former_model_id != former or not set(move.people["leads"]) <= set(LEADS) or not move.people["leads"]:
            broken.append(f"decision {move.id} by {move.people} instead of {move.former_model_id}; live was {former}")
        former = move.model_id
    return Finding("one live model, by a lead's decision", len(moves), tuple(broken))


def each_decision_is_applied_once(session: Session, scene: Scene) -> Finding:
    """Slack brings a reaction until it is acknowledged, so in the end each was. It counted, or its lead was told."""
    decided = Counter((one.model_id, one.kind) for one in session.scalars(select(Decision)))
    once = (DecisionKind.PROMOTE, DecisionKind.OVERRULE, DecisionKind.REJECT)
    broken = [
        f"model {model} was decided {count} times: {kind.value}"
        for (model, kind), count in decided.items()
        if kind in once and count > 1
    ]
    broken += [
        f"this reaction led to nothing: {one}" for one in scene.ledger.reactions if not _counted(session, one)
    ]  # fmt: skip
    return Finding("a reaction counts once, or is refused in words", len(scene.ledger.reactions), tuple(broken))


def commands_that_were_answered_were_obeyed(session: Session, scene: Scene) -> Finding:
    runs = {run.id: run for run in session.scalars(select(TrainingRun))}
    back = Counter(
        session.scalars(
            select(ModelVersion.version)
            .join(Decision, Decision.model_id == ModelVersion.id)
            .where(Decision.kind == DecisionKind.ROLL_BACK)
        )
    )
    broken, heard = [], [one for one in scene.ledger.commands if one.heard]
    for one in heard:
        if (found := RUN.search(one.words)) and (
            int(found[1]) not in runs or runs[int(found[1])].requested_by != one.person
        ):
            broken.append(f"this run is not there: {one}")
    answered = Counter(int(found[1]) for one in heard if (found := BACK.search(one.words)))
    asked = sum("rollback" in one.text for one in scene.ledger.commands)
    if answered - back or back.total() > asked:
        broken.append(f"roll-backs answered: {dict(answered)}, stored: {dict(back)}, asked for: {asked}")
    return Finding("an answered command was obeyed", len(heard), tuple(broken))


def _counted(session: Session, reaction: Reacted) -> bool:
    model_id = outbox.subject_at(session, reaction.channel, reaction.ts, Card.CANDIDATE)
    if model_id is None:
        return False
    if _refused_in_words(session, reaction):
        return True
    if not reaction.approves:
        rejected = select(Decision).where(Decision.model_id == model_id, Decision.kind == DecisionKind.REJECT)
        return any(one.people["leads"] == [reaction.person] for one in session.scalars(rejected))
    yes = select(Approval).where(Approval.model_id == model_id, Approval.person == reaction.person)
    return any(one.reacted_at >= reaction.reacted_at for one in session.scalars(yes))


def _refused_in_words(session: Session, reaction: Reacted) -> bool:
    about = f":{reaction.channel}:{reaction.ts}:{reaction.person}:"
    return any(about in key for key in session.scalars(select(Notice.key)))
