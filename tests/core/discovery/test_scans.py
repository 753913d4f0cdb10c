"""Scans on the support desk: resumed, cancelled, told; and what becomes of their finds."""

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.worker.executors.threaded import execute_in_thread
from core import jobs
from core.discovery.cards import ScanCard, scan_card
from core.discovery.engines import Engine, one_process
from core.discovery.find_counts import find_counts
from core.discovery.finds import open_finds, outdated_finds, renew_finds
from core.discovery.running import domain_of, listed_shards, run_scan
from core.discovery.scans import SCAN, Wanted, cancel_scan, request_scan
from core.discovery.selection import select_finds
from core.discovery.sources import Columns, Shard
from core.errors import AlreadySettled, Invalid, NotFound, Refusal
from core.intake.cuts import store_cut
from core.intake.waiting import open_next
from core.learning.data.golden import golden_set
from core.privacy.erasure import erase, erase_expired
from core.records.discovery import Find, ScanShard
from core.records.jobs import Job
from core.records.predictions import Flag, Prediction
from core.records.reviews import ReviewItem
from core.review.cards import item_card
from core.storage.database import PATIENT
from core.vocabulary import OPERATOR, Card, Destination, FindState, Reason, RunProblem, ScanState, Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, SURE, Desk, sent
from tests.core.models import promoted, seeded, ticking
from tests.people import ANA, BEN

pytestmark = pytest.mark.slow
NOUNS = (
    "accordion", "bookshelf", "chandelier", "dishwasher", "escritoire", "footstool", "greenhouse", "hammock", "icebox",
    "jukebox", "keyboard", "lawnmower", "microphone", "nightstand", "ottoman", "piano", "quilt", "radiator",
    "sideboard", "trampoline", "umbrella", "vacuum", "wardrobe", "xylophone",
)  # fmt: skip
BETWEEN = ("my money and the parcel", "charged and not back", "where is the card payment", "twice, and my money")
TEXTS = [
    f"{one} {NOUNS[(place * 7 + 5) % 24]} {between} {NOUNS[(place * 11 + number) % 24]}"
    for number, between in enumerate(BETWEEN)
    for place, one in enumerate(NOUNS)
]
KNOWN = TEXTS[0]
FAR = timedelta(days=40)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for part in range(6):
        rows = [{"id": f"R-{place}", "body": text} for place, text in enumerate(TEXTS) if place % 6 == part]
        (tmp_path / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def with_model(open_desk: OpenDesk, **sections: Any) -> Desk:
    desk = seeded(open_desk(**sections))
    promoted(desk)
    return desk


def requested(desk: Desk, source: Path, column: str = "body", **how: Any) -> int:
    wanted = Wanted(str(source), Columns(column, "id"), **how)
    with desk.database.transaction(wait=PATIENT) as session:
        return request_scan(session, desk.rules, wanted, OPERATOR, NOW)


def claimed(desk: Desk) -> jobs.Claim:
    with desk.database.transaction(wait=PATIENT) as session:
        found = jobs.claim(session, SCAN, "worker", NOW)
    assert found is not None
    return found


def worked(desk: Desk, claim: jobs.Claim, engine: Engine = one_process) -> None:
    run_scan(desk.database, claim, ticking(), desk.policy, lambda _scan, _shards: engine)


def scanned(desk: Desk, source: Path, **how: Any) -> ScanCard:
    scan_id = requested(desk, source, **how)
    worked(desk, claimed(desk))
    return card(desk, scan_id)


def card(desk: Desk, scan_id: int) -> ScanCard:
    with desk.database.reading() as session:
        return scan_card(session, scan_id, desk.policy)


def finds(desk: Desk) -> list[Find]:
    with desk.database.reading() as session:
        return list(session.scalars(select(Find).order_by(Find.rank)))


def opened(desk: Desk) -> list[ReviewItem]:
    with desk.database.transaction(wait=PATIENT) as session:
        open_finds(session, desk.rules, NOW)
    with desk.database.reading() as session:
        found = select(ReviewItem).join(Flag, Flag.prediction_id == ReviewItem.prediction_id)
        return list(session.scalars(found.where(Flag.reason == Reason.DISCOVERY).order_by(ReviewItem.id)))


def ended_after(results: int, then: Callable[[], None]) -> Engine:
    """The same work; after so many results something happens."""

    def run(task: Any, shards: Any) -> Any:
        for number, shard in enumerate(shards):
            if number == results:
                then()
            yield from one_process(task, [shard])

    return run


class Killed(BaseException):
    """As if the process had been killed: nothing after it is done."""


def killed() -> None:
    raise Killed


def test_a_scan_finds_texts_and_keeps_no_other(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    desk.ticket(KNOWN)
    done = scanned(desk, source, items=10)
    assert done.state is ScanState.DONE
    assert done.counts is not None
    assert (done.counts.read, done.counts.found, done.counts.unread) == (len(TEXTS), 10, 0)
    assert done.counts.known == 1
    assert KNOWN not in [one.text for one in finds(desk)]
    assert done.finds.waiting == 10
    assert done.clusters
    assert desk.wanted(Card.SCAN, done.scan_id) > 1
    with desk.database.reading() as session:
        assert session.scalars(select(ScanShard)).all() == []


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_scan_whose_driver_was_killed_goes_on_and_finds_the_same(
    open_desk: OpenDesk, source: Path, after: int
) -> None:
    desk = with_model(open_desk)
    whole = scanned(desk, source, items=5).digest
    with desk.database.transaction() as session:
        for row in session.scalars(select(Find)):
            session.delete(row)
    scan_id = requested(desk, source, items=5)
    claim = claimed(desk)
    with pytest.raises(Killed):
        worked(desk, claim, ended_after(after, killed))
    with desk.database.transaction() as session:
        jobs.release(session, claim, NOW)
    left: list[Shard] = []

    def watched(task: Any, shards: Any) -> Any:
        left.extend(shards)
        return one_process(task, left)

    worked(desk, claimed(desk), watched)
    assert len(left) == 6 - after
    assert card(desk, scan_id).digest == whole


def test_a_scan_can_be_cancelled_and_nothing_of_it_is_kept(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    scan_id = requested(desk, source)

    def cancelled() -> None:
        with desk.database.transaction(wait=PATIENT) as session:
            cancel_scan(session, scan_id, NOW)

    worked(desk, claimed(desk), ended_after(3, cancelled))
    assert card(desk, scan_id).state is ScanState.CANCELLED
    assert finds(desk) == []
    with desk.database.reading() as session:
        assert session.scalars(select(ScanShard)).all() == []
    with pytest.raises(AlreadySettled):
        cancelled()


@pytest.mark.parametrize("ident", ["id", None])
def test_a_find_s_card_leads_to_the_text_in_the_source_by_its_id_there(
    open_desk: OpenDesk, source: Path, ident: str | None
) -> None:
    desk = with_model(open_desk, review={"link": "https://desk.example/{external_id}"})
    wanted = Wanted(str(source), Columns("body", ident), items=5)
    with desk.database.transaction(wait=PATIENT) as session:
        request_scan(session, desk.rules, wanted, OPERATOR, NOW)
    worked(desk, claimed(desk))
    found = opened(desk)
    assert len(found) == 5
    with desk.database.reading() as session:
        links = {item_card(session, one.id, desk.policy).link for one in found}
    expected = {f"https://desk.example/{one.external_id}" for one in finds(desk)}
    assert links == (expected if ident else {None})


def test_finds_are_masked_as_the_policy_says_from_the_scan_to_the_card(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = with_model(open_desk, privacy={"mask": ["email"], "keep_original": False})
    rows = [{"id": f"R-{place}", "body": f"{text} ana{place}@firm.example"} for place, text in enumerate(TEXTS[:40])]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scanned(desk, tmp_path, items=5)
    waiting = [one.text for one in finds(desk)]
    assert len(waiting) == 5
    with desk.database.reading() as session:
        shown = [item_card(session, one.id, desk.policy).text for one in opened(desk)]
    assert len(shown) == 5
    assert not [text for text in (*waiting, *shown) if "@firm" in text or not text]


@pytest.mark.parametrize("step", [listed_shards, domain_of, select_finds])
def test_a_scan_can_be_cancelled_in_every_step(open_desk: OpenDesk, source: Path, step: Callable[..., Any]) -> None:
    desk = with_model(open_desk)
    scan_id, done = requested(desk, source), threading.Event()
    cancelled: list[float] = []

    def endless_at_the_step(function: Any, *arguments: Any, report: Any, check: Any = jobs.unchecked) -> Any:
        if function is not step:
            return execute_in_thread(function, *arguments, report=report, check=check)
        with desk.database.transaction(wait=PATIENT) as session:
            cancel_scan(session, scan_id, NOW)
        cancelled.append(time.monotonic())
        return execute_in_thread(lambda _report: done.wait(60), report=report, check=check)

    claim = claimed(desk)
    run_scan(desk.database, claim, ticking(), desk.policy, lambda _scan, _shards: one_process, endless_at_the_step)
    seconds = time.monotonic() - cancelled[0]
    done.set()
    assert (card(desk, scan_id).state, finds(desk)) == (ScanState.CANCELLED, [])
    assert seconds < 10, "3 on a free machine; the step would take 60"
    with desk.database.reading() as session:
        assert session.get_one(Job, claim.id).state == "done"


def test_a_scan_can_be_cancelled_just_before_its_shards_are_read_for_work(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    scan_id, claim, begun = requested(desk, source), claimed(desk), threading.Event()

    def cancel(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if statement.startswith("SELECT") and "FROM scan_shard" in statement and not begun.is_set():
            begun.set()
            with desk.database.transaction(wait=PATIENT) as session:
                cancel_scan(session, scan_id, NOW)

    event.listen(desk.database.engine, "before_cursor_execute", cancel)
    worked(desk, claim)
    assert begun.is_set()
    assert (card(desk, scan_id).state, finds(desk)) == (ScanState.CANCELLED, [])
    with desk.database.reading() as session:
        assert session.get_one(Job, claim.id).state == "done"


def test_a_source_without_the_column_fails_with_its_sentence(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    done = scanned(desk, source, column="text")
    assert done.state is ScanState.FAILED
    assert done.problem is not None
    assert done.problem.code == RunProblem.REFUSED
    assert "there is no column “text”. It has: body, id." in done.problem.values["sentence"]


def test_a_label_that_the_model_does_not_know_yet_is_told(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk).under(labels=[REFUND, BILLING, DELIVERY, "praise"])
    done = scanned(desk, source, label="praise")
    assert done.state is ScanState.FAILED
    assert done.problem is not None
    assert "does not know “praise” yet" in done.problem.values["sentence"]


def test_a_part_that_cannot_be_read_is_told(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    (source / "9.csv").write_text("other\n1\n")
    done = scanned(desk, source)
    assert done.state is ScanState.DONE
    assert done.counts is not None
    assert (done.counts.shards, done.counts.unread, done.counts.read) == (7, 1, len(TEXTS))
    assert "there is no column" in done.unread[0]


def test_a_queue_has_one_scan_at_a_time_and_the_same_one_goes_on(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    assert requested(desk, source) == requested(desk, source)
    with pytest.raises(Refusal, match="is under way"):
        requested(desk, source, items=7)
    with pytest.raises(Invalid, match="not a label"):
        requested(desk, source, label="nothing")


def test_a_scan_needs_a_live_model(desk: Desk, source: Path) -> None:
    with pytest.raises(Refusal, match="no live model"):
        requested(desk, source)


def test_finds_are_opened_as_far_as_the_day_has_room(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk, discovery={"open_items": 4})
    done = scanned(desk, source, items=10)
    items = opened(desk)
    assert len(items) == 4
    assert len(opened(desk)) == 4
    for person in (ANA, BEN):
        desk.click(person, items[0].id, REFUND)
    assert len(opened(desk)) == 5
    first = [one.value for one in finds(desk) if one.state is FindState.OPENED]
    assert max(first) <= min(one.value for one in finds(desk) if one.state is FindState.WAITING)
    assert all(not one.text for one in finds(desk) if one.state is FindState.OPENED)
    assert card(desk, done.scan_id).finds.opened == 5


def test_the_days_share_of_votes_bounds_what_is_opened(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk, workload={"daily_cap": 10}, discovery={"daily_share": 0.5})
    scanned(desk, source, items=20)
    assert len(opened(desk)) == 5  # half of the ten items that three people with ten votes each can answer


def test_a_budget_leaves_finds_their_share_of_the_day(open_desk: OpenDesk, source: Path) -> None:
    """Half of the six items are kept for finds, as long as enough of them wait; the day has no seventh item."""
    sections = {"flagging": {"budget": "6 a day", "audit_share": 1e-9}, "discovery": {"daily_share": 0.5}}
    desk = with_model(open_desk, **sections)
    scanned(desk, source, items=5)
    with desk.database.transaction(wait=PATIENT) as session:
        store_cut(session, desk.rules, "sender-1", [], {}, NOW)
    desk.ingest(*(sent(chances=SURE) for _ in range(9)))
    assert turns(desk) == 3
    assert len(opened(desk)) == 3
    assert turns(desk) == 0
    assert len(opened(desk)) == 3
    tomorrow = NOW + timedelta(days=1)
    assert turns(desk, tomorrow) == 4, "two finds still wait"


def turns(desk: Desk, now: datetime = NOW) -> int:
    """Opens what the waiting list has room for."""
    with desk.database.transaction(wait=PATIENT) as session:
        return open_next(session, desk.rules, now)


def test_a_find_is_no_sample_of_traffic(open_desk: OpenDesk, source: Path) -> None:
    """Blind, with every draw of an ordinary item certain: it is golden as a past error, or it trains."""
    sections = {"review": {"blind_share": 1.0}, "golden": {"random_share": 1.0}, "flagging": {"audit_share": 1.0}}
    desk = with_model(open_desk, **sections)
    scanned(desk, source, items=10)
    for item in opened(desk)[:4]:
        predicted = desk.prediction(item.id)
        assert (predicted.lot_probability, predicted.flag_probability) == (0, 0)
        wrong = BILLING if predicted.label != BILLING else DELIVERY
        label = predicted.label if item.id % 2 else wrong
        assert label is not None
        for person in (ANA, BEN):
            desk.click(person, item.id, label)
        destination = desk.correction(item.id).destination
        assert destination is (Destination.TRAINING if label == predicted.label else Destination.GOLDEN)
    with desk.database.reading() as session:
        found = [one for one in golden_set(session, desk.queue().id) if one.origin == "flagged"]
        flags = session.scalars(select(Flag.reason).join(Prediction).where(Prediction.external_id.like("scan%"))).all()
    assert len(found) == 2
    assert {one.stratum for one in found} == {Stratum.PAST_ERROR}
    assert set(flags) == {Reason.DISCOVERY}


def test_what_became_known_meanwhile_is_not_opened(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk, discovery={"open_items": 1})
    scanned(desk, source, items=3)
    first = min(finds(desk), key=lambda one: one.value)
    desk.ticket(first.text)
    assert opened(desk) == []
    assert [one.state for one in finds(desk) if one.id == first.id] == [FindState.DROPPED]


def test_finds_that_wait_are_predicted_anew_by_the_next_model(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    done = scanned(desk, source, items=4)
    second = promoted(desk)
    assert opened(desk) == []  # what another model said is not shown
    with desk.database.reading() as session:
        outdated = outdated_finds(session, desk.rules, second)
    assert len(outdated) == 4
    unsure = {REFUND: 0.4, BILLING: 0.35, DELIVERY: 0.25}
    said = {one.find_id: SURE if place == 0 else unsure for place, one in enumerate(outdated)}
    with desk.database.transaction() as session:
        assert renew_finds(session, desk.rules, second, said, NOW) == 1
    counts = card(desk, done.scan_id).finds
    assert (counts.waiting, counts.dropped) == (3, 1)
    assert {one.value for one in finds(desk) if one.state is FindState.WAITING} == {0.05}
    assert len(opened(desk)) == 3


def test_a_find_can_be_erased_and_is_not_found_again(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    scanned(desk, source, items=5)
    gone = finds(desk)[0]
    with desk.database.transaction() as session:
        assert erase(session, desk.rules.name, gone.external_id, NOW).finds == 1
        with pytest.raises(NotFound):
            erase(session, desk.rules.name, gone.external_id, NOW)
    assert [(one.text, one.state) for one in finds(desk) if one.id == gone.id] == [("", FindState.ERASED)]
    scanned(desk, source, items=50)
    assert gone.text not in [one.text for one in finds(desk)]


def test_a_scan_that_runs_forgets_what_is_erased(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk)
    desk.ticket(TEXTS[0], external_id="E-1")
    requested(desk, source)

    def erased() -> None:
        with desk.database.transaction(wait=PATIENT) as session:
            tops = [one for top in session.scalars(select(ScanShard.top)) for one in top]
            assert tops
            with pytest.raises(NotFound):  # no prediction has the id, but a shard of the scan holds the text
                erase(session, desk.rules.name, tops[0]["external_id"], NOW)
            left = [one for top in session.scalars(select(ScanShard.top)) for one in top]
            assert tops[0] not in left

    worked(desk, claimed(desk), ended_after(2, erased))


def test_finds_do_not_wait_longer_than_texts_are_kept(open_desk: OpenDesk, source: Path) -> None:
    desk = with_model(open_desk, privacy={"retention_days": 30})
    done = scanned(desk, source, items=5)
    with desk.database.transaction() as session:
        erase_expired(session, desk.rules, NOW + FAR)
        assert find_counts(session, done.scan_id).dropped == 5
    assert {one.text for one in finds(desk)} == {""}


@pytest.mark.parametrize("how", [{"label": REFUND}, {"foreign": True}], ids=["label", "foreign"])
def test_a_scan_can_look_for_a_label_or_for_new_topics(open_desk: OpenDesk, source: Path, how: dict[str, Any]) -> None:
    desk = with_model(open_desk)
    done = scanned(desk, source, items=5, **how)
    assert done.state is ScanState.DONE
    assert done.finds.waiting == 5
    assert how.get("foreign") or all(one.probabilities[REFUND] >= 0.02 for one in finds(desk))
    with desk.database.reading() as session:
        assert len(opened(desk)) == 5
        [values] = {tuple(one) for one in session.scalars(select(Flag.values))}
    assert values == ("scan", "source_id", "foreign" if how.get("foreign") else "wanted")
