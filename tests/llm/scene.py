"""A desk with a live model and corrected texts, and a recorded language model beside it."""

from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import select

from bot.llm import writer
from core import jobs
from core.records.reviews import ReviewItem
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.storage.database import PATIENT
from core.synthesis.batches import SYNTHESIS
from core.synthesis.cards import BatchCard, batch_card
from core.synthesis.requests import Wanted, request_batch
from core.synthesis.writing import Write, write_batch
from core.vocabulary import OPERATOR, QuestionAbout
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk
from tests.core.models import promoted, seeded, ticking
from tests.people import ANA, BEN

CORRECTED = (
    "please return the money that i paid for the sofa because it came broken",
    "my vase never arrived so send me back what it cost",
    "the table is too small and i would like a refund for it",
    "can you give me a refund since the mirror has a crack",
)
NOTE = "write to ana@example.org"
PLAIN = Wanted(REFUND)


def with_model(open_desk: OpenDesk, address: str, model: str, **rules: object) -> Desk:
    """A live model, and texts that people corrected to “refund”, one with a note."""
    synthetic = {"enabled": True, "address": address, "model": model, "calls": 1, **rules}
    desk = seeded(open_desk(synthetic=synthetic, golden={"seed_share": 0.0}))
    promoted(desk)
    corrected(desk)
    return desk


def corrected(desk: Desk) -> None:
    """People correct texts to “refund”, one with a note."""
    for text in CORRECTED:
        item_id = desk.ticket(text)
        desk.click(ANA, item_id, REFUND, note=NOTE if text == CORRECTED[0] else "")
        desk.click(BEN, item_id, REFUND)


def requested(desk: Desk, wanted: Wanted = PLAIN) -> int:
    with desk.database.transaction(wait=PATIENT) as session:
        return request_batch(session, desk.rules, wanted, OPERATOR, NOW)


def claimed(desk: Desk, hours: int = 0) -> jobs.Claim:
    with desk.database.transaction(wait=PATIENT) as session:
        found = jobs.claim(session, SYNTHESIS, "worker", NOW + timedelta(hours=hours))
    assert found is not None
    return found


def client(slept: list[float] | None = None, key: str = "sk-secret") -> Write:
    return writer(SecretStr(key), ([] if slept is None else slept).append)


def written(desk: Desk, write: Write | None = None, wanted: Wanted = PLAIN) -> BatchCard:
    batch_id = requested(desk, wanted)
    write_batch(desk.database, claimed(desk), ticking(), desk.policy, write or client())
    return card(desk, batch_id)


def card(desk: Desk, batch_id: int) -> BatchCard:
    with desk.database.reading() as session:
        return batch_card(session, batch_id, desk.policy)


def batch(desk: Desk, batch_id: int) -> SyntheticBatch:
    with desk.database.reading() as session:
        return session.get_one(SyntheticBatch, batch_id)


def texts(desk: Desk) -> list[SyntheticText]:
    with desk.database.reading() as session:
        return list(session.scalars(select(SyntheticText).order_by(SyntheticText.id)))


def sample(desk: Desk) -> list[int]:
    """Ids of the items about written texts."""
    with desk.database.reading() as session:
        found = select(ReviewItem.id).where(ReviewItem.about == QuestionAbout.SYNTHETIC).order_by(ReviewItem.id)
        return list(session.scalars(found))
