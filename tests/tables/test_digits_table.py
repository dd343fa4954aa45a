"""The table that ships: complete, small, repeatable, and worth as much as its card says."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import nasengine.tables
from benchmarks import digits_table, digits_table_card, digits_table_figures
from nasengine.evaluators.train import evaluate
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.job import Job
from nasengine.search_spaces import small_cell
from nasengine.tables import load_table
from nasengine.training.data import load

FILE = Path(nasengine.tables.__file__).with_name("digits.npz")


@pytest.fixture(scope="module")
def columns():
    with np.load(FILE) as file:
        return dict(file)


@pytest.fixture(scope="module")
def about(columns):
    return json.loads(str(columns["about"]))


@pytest.fixture(scope="module")
def table():
    return load_table("digits")


def test_it_is_small():
    assert FILE.stat().st_size < 1_000_000


def test_it_covers_the_space_exactly_once(table, columns):
    space = small_cell.space()
    rows = [table.row(architecture) for architecture in space.enumerate()]
    assert rows == list(range(space.count())) == list(range(len(table)))
    spelled = [small_cell.to_string(architecture) for architecture in space.enumerate()]
    assert columns["architecture"].tolist() == spelled


def test_values_are_means_of_the_counts_in_percent(table, columns, about):
    images, seeds = about["images"], about["seeds"]
    assert images == {"train": 431, "validation": 647, "test": 719} and seeds == list(range(len(seeds)))
    assert len(seeds) >= 10
    assert columns["validation_correct"].shape == (1024, len(seeds), 5)
    assert columns["test_correct"].shape == (1024, len(seeds))
    assert (table.objective, table.report) == ("validation_accuracy", "test_accuracy")
    assert sorted(table.fidelities) == [1, 2, 3, 4, 5]
    for epochs, values in table.fidelities.items():
        correct = columns["validation_correct"][:, :, epochs - 1]
        assert np.allclose(values["validation_accuracy"], 100 * correct.mean(axis=1) / images["validation"])
    assert np.allclose(table.values["test_accuracy"], 100 * columns["test_correct"].mean(axis=1) / images["test"])
    assert np.allclose(table.values["seconds"], 5 * columns["seconds_per_epoch"])
    assert {"params", "macs", "latency_ms"} <= table.values.keys()


def test_halves_of_the_seeds_agree_as_promised(columns):
    everything, top = np.ones(1024, bool), digits_table_figures.top_half(columns)
    even, odd = digits_table_figures.even_and_odd(columns)
    assert digits_table_figures.tau(even, odd) >= 0.85
    assert digits_table_figures.tau(even[top], odd[top]) >= 0.6
    assert digits_table_figures.halvings(columns, everything)[0] >= 0.85
    assert digits_table_figures.halvings(columns, top)[0] >= 0.6


def test_networks_differ_and_selection_by_validation_makes_sense(table):
    validation, test = table.values["validation_accuracy"], table.values["test_accuracy"]
    assert validation.std() > 10 and np.quantile(validation, 0.9) < 95
    assert digits_table_figures.tau(validation, test) > 0.9
    assert test.max() - test[validation.argmax()] < 2


def test_parameters_and_multiply_adds_are_those_of_the_cost_interpreter(table):
    space, rng = small_cell.space(), random.Random(0)
    for architecture in [space.sample(rng) for _ in range(50)]:
        found, row = cost(space, architecture), table.at(table.row(architecture))
        assert (row["params"], row["macs"]) == (found.params, found.macs)


def test_equal_rows_are_those_of_equal_digests(columns):
    space = small_cell.space()
    spelled = columns["architecture"][::41]
    digests = {str(text): digest(space, small_cell.from_string(str(text))) for text in spelled}
    for text, first in zip(spelled, columns["equal_to"][::41], strict=True):
        other = str(columns["architecture"][first])
        assert digest(space, small_cell.from_string(other)) == digests[str(text)]
    assert len(np.unique(columns["equal_to"])) == 582


def test_latencies_grow_with_the_number_of_layers(table):
    latency = table.values["latency_ms"]
    assert (latency > 0).all()
    assert latency[-1] > latency[0], "max pooling on every edge takes longer than none on any"


@pytest.mark.parametrize(("row", "seed"), [(700, 3), (1023, 0)])
def test_a_row_trained_again_gives_the_recorded_counts(row, seed, columns, about):
    """To the image on the torch build and the kind of processor that made the table, else to a tenth of the images."""
    architecture = small_cell.from_string(str(columns["architecture"][row]))
    place = about["seeds"].index(seed)
    job = Job(0, "small_cell", {}, architecture.to_json(), "train", about["recipe"], "digits", {}, seed)
    result = evaluate(job, small_cell.space(), load(**about["data"]))
    validation = [round(record["validation_accuracy"] * about["images"]["validation"]) for record in result.epochs]
    test = digits_table.train((row, seed))["test"]
    here = digits_table.about()
    if all(here[name] == about[name] for name in ("torch", "instructions", "machine")):
        assert validation == columns["validation_correct"][row, place].tolist()
        assert test == columns["test_correct"][row, place]
    assert here["fingerprint"] == about["fingerprint"]
    assert validation[-1] == pytest.approx(columns["validation_correct"][row, place, -1], abs=65)
    assert test == pytest.approx(columns["test_correct"][row, place], abs=72)


def test_the_script_would_train_what_the_file_holds(about):
    here = digits_table.about()
    made_by = {"torch", "instructions", "machine"}
    assert {name: about[name] for name in here.keys() - made_by} == {n: here[n] for n in here.keys() - made_by}
    assert torch.get_num_threads() == here["threads"]


def test_the_card_is_that_of_the_file(columns):
    assert FILE.with_name("digits.md").read_text(encoding="utf-8") == digits_table_card.card(columns)


def test_the_script_goes_on_where_it_was_stopped(monkeypatch, tmp_path):
    some = digits_table.architectures()[-2:]
    monkeypatch.setattr(digits_table, "architectures", lambda: some)
    monkeypatch.setattr(
        digits_table, "train", lambda run: {"row": run[0], "seed": run[1], "validation": [1], "test": 1, "seconds": 0.1}
    )
    path = tmp_path / "runs.jsonl"
    monkeypatch.setattr("sys.argv", ["digits_table", str(path), "--seeds", "2"])
    digits_table.main()
    whole = path.read_text()
    path.write_text(whole[:-20])
    digits_table.main()
    assert path.read_text() == whole
    runs = [(record["row"], record["seed"]) for record in digits_table.read(path)[1]]
    assert runs == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_the_script_refuses_runs_that_were_made_otherwise(tmp_path, monkeypatch):
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({**digits_table.about(), "torch": "0.1"}) + "\n")
    monkeypatch.setattr("sys.argv", ["digits_table", str(path)])
    with pytest.raises(SystemExit, match="made otherwise"):
        digits_table.main()
