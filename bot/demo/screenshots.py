"""`make screenshots`: the README's pictures, taken from a running demo. Needs Chromium and playwright, and fonts-inter
for the usual letters."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from bot.demo import place, story
from bot.demo.data import LATE_LABELS, Shares, own_tickets, share_out
from bot.demo.play import Options, Stage, arrives, first_model, staged
from bot.sandbox.client import Message, Person
from core.learning.lifecycle.cards import candidate_card
from core.vocabulary import ItemState

FOLDER = Path("docs/images")
SIZE = {"width": 1280, "height": 860}
PACE = 40  # speed as a multiple of Slack's rate limits
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SETTLED, OPEN = 60, 4  # tickets; so many corrections make a candidate visibly better
OPTIONS = Options(auto=True, seed=4, spoil=False, data=None, size=600, cards=SETTLED + OPEN, port=0, pace=PACE)


def take(folder: Path, console: Console) -> None:
    """Play a short demo and write open-card, settled-card, report and home as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    with staged(OPTIONS, console, shares()) as stage, _browser() as page:
        report = better_candidate(stage)
        ana, cleo = stage.box.person(place.ANA), stage.box.person(place.CLEO)
        _picture(
            page,
            stage,
            ana,
            place.REVIEW,
            _card(stage, "Votes stay hidden until decided", guess=True),
            folder / "open-card.png",
        )
        _picture(page, stage, ana, place.REVIEW, _card(stage, "The model said"), folder / "settled-card.png")
        _picture(page, stage, cleo, place.LEADS, report, folder / "report.png")
        ana.open_home()
        page.goto(f"{stage.url}/as/ana/goldloop")
        page.get_by_text("My reviews").wait_for()
        _write_screenshot(page, folder / "home.png")
    console.print(f"Four pictures are in {folder}.")


def shares() -> Shares:
    return share_out(own_tickets(), LATE_LABELS, np.random.default_rng(OPTIONS.seed))


def better_candidate(stage: Stage) -> Message:
    """The report on a second model that gets more golden examples right than the first."""
    first_model(stage)
    _review_some(stage)
    cleo = stage.box.person(place.CLEO)
    cleo.command("/goldloop retrain", channel=place.LEADS)
    report = stage.box.wait_for(lambda: _newest(cleo, place.LEADS, ": v2 compared with"), 90, "the report")
    with stage.services.database.reading() as session:
        random = candidate_card(session, story.newest_model(session).id, stage.services.policy).scorecard.random
    if report is None or random.candidate_right <= random.live_right:
        raise RuntimeError("The candidate is no better than the live model; change the seed in OPTIONS.")
    return report


def _review_some(stage: Stage) -> None:
    """Ana and Ben settle tickets with the right label. The first ones of the stream, which are easy, come last and stay
    open for the pictures."""
    ana, ben = stage.box.person(place.ANA), stage.box.person(place.BEN)
    stream = stage.shares.stream
    for number, ticket in enumerate((*stream[OPEN : OPEN + SETTLED], *stream[:OPEN]), 1):
        before = stage.count(*ItemState)
        arrives(stage, number, ticket)
        if stage.count(*ItemState) == before or number > SETTLED:
            continue
        card = stage.box.wait_for(lambda text=ticket.text[:60]: _newest(ana, place.REVIEW, text))  # type: ignore[misc]
        assert card is not None
        for person in (ana, ben):
            wanted = ticket.label or "None of these"
            if wanted in card.buttons:
                person.click(card, wanted)
            else:
                person.click(card, "Other…")
                stage.box.wait_for(lambda who=person: who.view)  # type: ignore[misc]
                person.submit({"label": wanted})


def _card(stage: Stage, words: str, guess: bool = False) -> Message:
    def found() -> Message | None:
        cards = [one for one in stage.box.person(place.ANA).messages(place.REVIEW) if not one.ephemeral]
        return next((one for one in cards if words in one.plain and (not guess or "The model says" in one.plain)), None)

    card = stage.box.wait_for(found, 30, words)
    assert card is not None
    return card


def _newest(person: Person, channel: str, words: str) -> Message | None:
    hits = [one for one in person.messages(channel) if words in one.plain and not one.ephemeral]
    return hits[-1] if hits else None


def _picture(page: Page, stage: Stage, person: Person, channel: str, message: Message | None, path: Path) -> None:
    assert message is not None
    page.goto(f"{stage.url}/as/{person.name}/{channel}")
    shown = page.locator(f'[data-ts="{message.ts}"]').first
    shown.wait_for()
    shown.evaluate("one => one.scrollIntoView({block: one.offsetHeight > 600 ? 'start' : 'nearest'})")
    page.wait_for_timeout(400)
    _write_screenshot(page, path)


def _write_screenshot(page: Page, path: Path) -> None:
    """Write a screenshot with 256 colours: it looks the same, and its file has two fifths of the size."""
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def _browser() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is missing. Install it with: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport=SIZE, device_scale_factor=1)  # type: ignore[arg-type]
        browser.close()


if __name__ == "__main__":
    take(FOLDER, Console())
