"""A learner that begins to fit and continues when a test says so, provided like one of another package."""

from pathlib import Path

SLOW = '''
import os, time
from pathlib import Path
from core.learning.learners.text import TextLearner

class SlowLearner(TextLearner):
    name = "slow"

    def fit(self, examples, seed, progress):
        """Begins, and goes on when the test says so."""
        folder = Path(os.environ["SLOW_LEARNER"])
        (folder / "began").touch()
        while not (folder / "go on").exists():
            time.sleep(0.02)
        return super().fit(examples, seed, progress)
'''


def install(folder: Path) -> None:
    """As pip would have put it there."""
    (folder / "slow_learner.py").write_text(SLOW, encoding="utf-8")
    told = folder / "slow_learner-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-learner\nVersion: 1.0\n", encoding="utf-8")
    (told / "entry_points.txt").write_text("[goldloop.learners]\nslow = slow_learner:SlowLearner\n", encoding="utf-8")
