"""The small real language model of `make demo-synthetic`: its server speaks the protocol. Nothing is said about what it
writes."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from bot.demo import small_model
from bot.demo.small_model import NAME, missing, serving
from bot.llm import writer
from core.errors import Refusal
from core.synthesis.answers import Written, read_answer
from core.synthesis.calls import Ask
from core.synthesis.prompt import MOST_ANSWER_TOKENS, Shown, TextSpec, messages
from core.vocabulary import CallProblem
from tests.llm.scene import CORRECTED

PROMPT = messages(TextSpec("refund"), [Shown(text) for text in CORRECTED])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if problem := missing():
        pytest.skip(problem)
    with serving() as found:
        yield found


def answer(address: str, seed: int) -> Written:
    answered = writer(SecretStr(""))(Ask(1, seed, 2, PROMPT, seed, address, NAME, 600))
    assert answered.problem is None
    return read_answer(answered.body)


@pytest.mark.slow
@pytest.mark.timeout(1300)
def test_a_real_server_keeps_the_schema_and_the_cap(address: str) -> None:
    written = answer(address, 1)
    assert written.problem in (None, CallProblem.CUT)
    assert written.texts
    assert written.tokens_out is not None
    assert 0 < written.tokens_out <= MOST_ANSWER_TOKENS
    assert written.tokens_in


def test_what_is_missing_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_model, "find_spec", lambda _name: None)
    with pytest.raises(Refusal, match="goldloop\\[llm-demo\\]"), serving():
        pass
