"""The demo: its text is as promised, its shares do not overlap, and it plays to an honest end."""

import itertools
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import select

from bot.demo import past, screenshots
from bot.demo.data import (
    LATE_LABELS,
    OPENING,
    Ticket,
    expectation,
    file_tickets,
    own_tickets,
    share_out,
    spanish_tickets,
    titles,
)
from bot.demo.folder import FOLDER, require_free_folder
from bot.demo.place import CLEO, DAN, HELPDESK, LEADS, REVIEW, TICKETS, workspace
from bot.demo.play import Options, Stage, first_model, play, report_to_approve, staged
from bot.demo.progress import progress
from bot.demo.simulated import Crowd
from bot.demo.truth import live_answers, truth_rows
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone
from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from core.errors import Invalid, Refusal
from core.records.slices import FoundSlice
from core.storage.database import Database
from core.storage.running import running
from core.vocabulary import ItemState
from tests.core.desk import BILLING, NOW, REFUND, SURE, opened, sent
from tests.people import support_policy

QUICK = Options(auto=True, seed=1, spoil=False, data=None, size=600, cards=24, port=0, pace=40)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+(?:['’]\w+)?", text.lower()))


def test_the_text_is_large_varied_and_without_repetition() -> None:
    tickets, spanish = own_tickets(), spanish_tickets()
    labels = Counter(ticket.label for ticket in tickets if not ticket.also)
    assert len(tickets) >= 600
    assert len(labels) == 13
    assert labels[None] >= 28
    assert min(labels.values()) >= 28
    assert sorted(labels.values())[1] >= 46
    assert sum(bool(ticket.also) for ticket in tickets) >= 20
    assert {"fr", "de"} < {ticket.language for ticket in tickets}
    assert {ticket.label for ticket in spanish} == set(labels) - {None, *LATE_LABELS}
    assert "es" not in {ticket.language for ticket in tickets}
    sets = [(ticket, words(ticket.text)) for ticket in (*tickets, *spanish)]
    for (one, a), (other, b) in itertools.combinations(sets, 2):
        shared = len(a & b)
        assert 2 * shared <= (len(a) + len(b)) / 2, f"too alike: “{one.text}” and “{other.text}”"


def test_no_text_is_in_two_shares_and_late_labels_start_with_two_rows() -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(3))
    shared = [ticket.text for part in (shares.seed, shares.unseen, shares.stream, shares.helpdesk) for ticket in part]
    assert sorted(shared) == sorted(ticket.text for ticket in own_tickets())
    assert len(shares.labels) == 12


@pytest.mark.parametrize("seed", range(10))
def test_the_first_tickets_have_a_label_that_fits_and_that_the_first_model_knows(seed: int) -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(seed))
    for ticket in shares.stream[:OPENING]:
        assert ticket.label in set(shares.labels) - set(LATE_LABELS)
        assert (ticket.also, ticket.language) == ((), "en")
    assert any(ticket.label is None for ticket in shares.stream[OPENING:]), "later there are some that nothing fits"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            "text,label\n" + "".join(f"text {n},a\n" for n in range(100)),
            "this file has 100 texts and 1 labels",
        ),
        ("text,label\nhello,a\nbye,b\n", "the demo needs at least 60 different texts and 2 labels"),
        ("words,label\nhello,a\n", "The column text is missing"),
        ("text,label\nhello,\n", "row 1: label is empty"),
    ],
)
def test_data_that_does_not_suffice_is_answered_with_what_is_needed(tmp_path: Path, rows: str, sentence: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(rows, encoding="utf-8")
    with pytest.raises(Invalid, match=re.escape(sentence)):
        file_tickets(file, 600, np.random.default_rng(1))


def test_a_class_with_one_example_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    rows = [f"where is parcel number {n},delivery\nrefund order {n} please,refund\n" for n in range(40)]
    file.write_text("text,label\n" + "".join(rows) + "the only one of its kind,rare\n", encoding="utf-8")
    tickets = file_tickets(file, 600, np.random.default_rng(1))
    assert "rare" in share_out(tickets, (), np.random.default_rng(1)).labels


def own(tmp_path: Path, rows: dict[str, int]) -> Path:
    """A file with so many rows of each label."""
    file = tmp_path / "requests.csv"
    lines = [f"please {label} number {n},{label}\n" for label, count in rows.items() for n in range(count)]
    file.write_text("text,label\n" + "".join(lines), encoding="utf-8")
    return file


def test_the_size_grows_until_each_label_has_five_rows(tmp_path: Path) -> None:
    tickets = file_tickets(own(tmp_path, {f"label {n}": 9 for n in range(30)}), 60, np.random.default_rng(1))
    assert set(Counter(ticket.label for ticket in tickets).values()) == {5}
    assert expectation(tickets, 60) == (
        "Using 150 texts with 30 labels. These are more than 60, because each label needs 5."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"a": 80, "b": 80}, "Using 100 texts with 2 labels."),
        ({"a": 80, "b": 4}, "Using 54 texts with 2 labels. 1 label has fewer than 5: expect the model to miss it."),
        (
            {"a": 80, "b": 4, "c": 1},
            "Using 38 texts with 3 labels. 2 labels have fewer than 5: expect the model to miss them.",
        ),
    ],
)
def test_it_says_what_to_expect_of_labels_with_few_rows(tmp_path: Path, rows: dict[str, int], sentence: str) -> None:
    assert expectation(file_tickets(own(tmp_path, rows), 100, np.random.default_rng(1)), 100) == sentence


def test_labels_are_shown_by_title() -> None:
    assert titles(["card_arrival", "Refund_not_showing_up", "billing error", "e-mail", "_", "top_up", "Top up"]) == {
        "card_arrival": "Card arrival",
        "Refund_not_showing_up": "Refund not showing up",
        "billing error": "billing error",
        "e-mail": "e-mail",
        "_": "_",
        "top_up": "top_up",  # two labels stay two
        "Top up": "Top up",
    }


def test_the_summary_shows_the_estimate_beside_the_truth(database: Database) -> None:
    """Two tickets are sure and unseen, one of them wrong; people look at a third."""
    desk = opened(database, support_policy())
    truth = {f"T-{n}": Ticket(f"text {n}", label) for n, label in ((1, REFUND), (2, BILLING), (3, BILLING))}
    desk.ingest(
        *(sent(ticket.text, SURE, external_id=name) for name, ticket in truth.items() if name != "T-3"),
        sent("text 3", external_id="T-3"),
        sent("text 4", SURE, external_id="not a ticket"),
    )
    with database.reading() as session:
        answers = live_answers(session, truth, desk.rules, NOW)
    assert (answers.rows, answers.right, answers.seen, answers.missed) == (3, 1, 1, 1)
    [first, budget, looked] = [words for _name, words in truth_rows(answers)]
    assert first == "estimate: not known yet: 0 of 30 audits settled; in truth 1 of 3 (33.3%) right"
    assert budget.startswith("none")
    assert looked == "People looked at 1 of 3 (33.3%); in truth 1 of 3 (33.3%) were wrong and unseen"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@pytest.mark.slow
def test_ones_own_texts_have_their_own_words(elsewhere: Path) -> None:
    file = own(elsewhere, {"ask_price": 40, "ask_date": 40})
    options = replace(QUICK, data=file)
    shares = share_out(file_tickets(file, 600, np.random.default_rng(1)), (), np.random.default_rng(1))
    with staged(options, Console(quiet=True), shares) as stage:
        assert stage.queue.shown_title == "requests"
        assert stage.queue.label_names == ("Ask date", "Ask price")
        assert stage.queue.guideline == (
            "Choose the label that fits the text best. If no label fits, say “None of these”."
        )


def test_the_page_invites_to_watch_where_simulated_people_act() -> None:
    assert workspace(TICKETS).welcome.startswith("Act as Ana and click a label under a ticket.")
    assert workspace(TICKETS, auto=True).welcome.startswith("Watch: simulated reviewers label the tickets")


@pytest.mark.slow
def test_a_second_demo_says_where_the_first_one_runs_and_deletes_nothing(elsewhere: Path) -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(1))
    with staged(QUICK, Console(quiet=True), shares) as first:
        port = int(first.url.rsplit(":", 1)[1])
        for asked in (0, port):
            with pytest.raises(Refusal, match=f"already running in this folder at {first.url}. End it with Ctrl-C"):
                play(replace(QUICK, port=asked), Console(quiet=True))
        with pytest.raises(Refusal, match=r"To run one beside it, change to another folder and type: .* demo --port 0"):
            require_free_folder()
        assert first.count(*ItemState) == 0, "its database still answers"
        assert (FOLDER / "goldloop.sqlite").stat().st_size > 0
        (elsewhere / "other").mkdir()
        os.chdir(elsewhere / "other")
        with pytest.raises(Refusal, match=r"Port \d+ is already in use\. Set --port to another\."):
            play(replace(QUICK, port=port), Console(quiet=True))
        os.chdir(elsewhere)
    with staged(QUICK, Console(quiet=True), shares) as again:
        assert again.count(*ItemState) == 0


@pytest.mark.slow
def test_the_helpdesk_has_messages_to_flag(elsewhere: Path) -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(1))
    with staged(QUICK, Console(quiet=True), shares) as stage:
        first_model(stage)
        dan = stage.box.person(DAN)
        messages = dan.messages(HELPDESK)
        assert [message.text for message in messages] == [ticket.text for ticket in shares.helpdesk]
        assert len({message.user for message in messages}) == len(messages) >= 3
        assert dan.shortcut(messages[0], "flag_for_review").ok
        stage.box.wait_for(lambda: dan.view)
        assert dan.submit().ok
        assert stage.count(ItemState.OPEN) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)  # a busy machine trains for minutes
def test_a_past_leads_from_an_alarm_to_a_better_model(elsewhere: Path) -> None:
    shares = share_out(own_tickets(), LATE_LABELS, np.random.default_rng(1))
    with staged(replace(QUICK, auto=False, past=True), Console(quiet=True), shares) as stage:
        first_model(stage)
        answers = past.plant(stage.services, shares, np.random.default_rng(1))
        box, cleo = stage.box, stage.box.person(CLEO)
        alarms = box.wait_for(lambda: [one for one in cleo.messages(LEADS) if "something changed" in one.plain], 120)
        [alarm] = alarms
        thread = box.wait_for(lambda: [one for one in cleo.messages(LEADS, alarm.ts) if one.files], 120, "its chart")
        stats = str(cleo.command("/goldloop stats", channel=LEADS).response)
        assert cleo.open_home().plain.count("Show wrong answers") >= 1
        with stage.services.database.reading() as session:
            weak = session.scalars(select(FoundSlice.name).where(FoundSlice.value == "fax", FoundSlice.is_weak)).all()
        cleo.click(alarm, "Retrain")
        report = box.wait_for(lambda: report_to_approve(stage, "v2"), 600, "a report that can be approved")
        assert report is not None
        cleo.react(report, "white_check_mark")
        box.wait_for(lambda: "newest model: v2 (live)" in _state(stage), 60, "the second model to be live")
    assert thread[0].files[0]["name"] == "drift-1.png"
    assert "No label fits" in str(alarm.buttons)
    assert "the model was unsure of" in alarm.plain
    assert "New label?" in alarm.buttons
    assert weak == ["Channel"]
    assert answers.rows == past.DAYS * past.A_DAY
    assert answers.estimate.right is not None
    assert answers.estimate.right.low <= answers.right / answers.rows <= answers.estimate.right.high
    assert "40%: 24 allowed" in stats.replace("\u200b", "")


def _state(stage: Stage) -> str:
    with stage.services.database.reading() as session:
        return progress(session, stage.services.serving.live(stage.queue))


def test_a_past_is_for_people_and_the_demos_own_tickets() -> None:
    for options in (replace(QUICK, past=True), replace(QUICK, auto=False, past=True, queue="scans")):
        with pytest.raises(Refusal, match="--past is for the demo's own tickets"):
            play(options, Console(quiet=True))


def test_the_lead_reacts_once_though_the_reaction_is_not_acknowledged() -> None:
    with serve(workspace(TICKETS)) as url, SandboxClient(url) as box:
        report = box.person(DAN).post(LEADS, "Tickets: v2 compared with v1. The golden gate passes it.")
        crowd = Crowd(box, {}, [], {}, np.random.default_rng(1), lambda words: None, pace=100)
        crowd.waiting_for = "v2"
        acting = threading.Thread(target=crowd.run)
        acting.start()
        decided = box.wait_for(lambda: crowd.outcome, 10, "the lead's decision")
        time.sleep(0.1)  # some more looks at the channel
        crowd.stop.set()
        acting.join()
        [shown] = [one for one in box.person(DAN).messages(LEADS) if one.ts == report.ts]
    assert decided == "promoted"
    assert shown.reactions == {"white_check_mark": [CLEO]}


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [False, True], ids=["honest", "spoilt"])
def test_it_plays_itself_to_a_decision(elsewhere: Path, spoil: bool) -> None:
    with (elsewhere / "out").open("w", encoding="utf-8") as file:
        console = Console(record=True, width=160, file=file)
        play(replace(QUICK, spoil=spoil), console)
    told = console.export_text()
    assert "24 settled items" in told
    assert len(re.findall(r"Open: \d+, disputed: \d+, settled: \d+; newest model: v1 \(live\)", told)) >= 3
    assert "training run 1: " in told
    assert "training run 2: " in told
    assert "Add --keep to look around" in told
    assert re.search(r"\d+\.\d% → \d+\.\d% on \d+ rows; difference [+−]\d", told)
    points = r"[+−]\d+\.\d"
    cost = rf"24 items, \d+ votes: {points} points \({points} to {points}\); as many random labels: {points} points"
    assert re.search(cost, told)
    assert re.search(r"Live answers of v1 .* in truth \d+ of \d+ \(\d+(\.\d)?%\) right", told)
    assert "Random labels can gain as much in a demo of this size" in told
    assert re.search(r"Items flagged .* 24 \(.*uncertain(; an item can have several reasons)?\)", told)
    if spoil:
        assert "v2 did not go live: the golden gate refused it" in told
        assert "have changed places" in told
    else:
        assert "v2 passed the golden gate, was approved by a lead and is live" in told


@pytest.mark.slow
def test_with_keep_the_workspace_stays_open_until_it_is_ended(elsewhere: Path) -> None:
    stop, out = threading.Event(), elsewhere / "out"
    with out.open("w", encoding="utf-8") as file:
        playing = threading.Thread(target=play, args=(replace(QUICK, cards=10, keep=True), Console(file=file), stop))
        playing.start()
        while not (found := re.search(r"stays open at\s+(http://[\d.]+:\d+)", out.read_text(encoding="utf-8"))):
            assert playing.is_alive(), out.read_text(encoding="utf-8")
            playing.join(0.1)
            file.flush()
        with SandboxClient(found[1]) as box:
            assert len(box.person(DAN).messages(REVIEW)) >= 10
        stored_in = f"sqlite:///{elsewhere / FOLDER / 'goldloop.sqlite'}"
        with closing(Database(stored_in)) as database, database.reading() as session:
            assert [one.works for one in running(session, utc_now(), is_gone)] == [True]
        stop.set()
        playing.join()
    with pytest.raises(httpx.ConnectError), SandboxClient(found[1]) as box:
        box.state()


@pytest.mark.slow
@pytest.mark.timeout(300)  # a busy machine settles a ticket in three seconds
def test_the_pictures_show_a_candidate_that_is_better(elsewhere: Path) -> None:
    with staged(screenshots.OPTIONS, Console(quiet=True), screenshots.shares()) as stage:
        assert "v2 compared with v1" in screenshots.better_candidate(stage).plain
