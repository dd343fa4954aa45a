"""A table as an evaluator: values of the row at once, test accuracy for the chosen network alone."""

from pathlib import Path
from typing import Any

import pytest

from nasengine.evaluators.table import evaluate, table_of
from nasengine.job import Job, Result
from nasengine.plugins import load_space

SPACE = '''"""A kernel."""
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op

def space(input=(1, 8, 8), classes=10):
    """A layer and a head."""
    layer = op(ConvNorm, width=4, kernel=choose("kernel", 3, 5))
    return Space("kernel", input=input, network=chain(layer=layer, head=op(Classifier, classes=classes)))
'''
MAPPING = """
space = "./kernel.py"
decisions = {"layer.kernel" = "kernel"}
values = {params = "size"}
seconds_per_epoch = "time"
datasets = ["cats", "dogs"]
[fidelities.2]
validation_accuracy = "{dataset}_low"
test_accuracy = "test"
[fidelities.9]
validation_accuracy = "{dataset}"
test_accuracy = "test"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kernel.py").write_text(SPACE)
    (tmp_path / "kernel.toml").write_text(MAPPING)
    (tmp_path / "kernel.csv").write_text(
        "kernel,cats,dogs,cats_low,dogs_low,test,size,time\n3,0.5,0.6,0.3,0.4,0.55,100,2\n"
    )
    return tmp_path


def answer(folder: Path, kernel: str = "3", final: bool = False, **fidelity: Any) -> Result:
    space = str(folder / "kernel.py")
    picks = {"layer.kernel": [kernel]}
    job = Job(7, space, {"classes": 3}, picks, "table", {}, str(folder / "kernel.csv"), fidelity, 0, final=final)
    return evaluate(job, load_space(space, {"classes": 3}))


def test_a_candidate_is_answered_without_its_test_accuracy(folder: Path) -> None:
    result = answer(folder)
    assert (result.number, result.architecture, result.error) == (7, {"layer.kernel": ["3"]}, None)
    assert result.values == {"validation_accuracy": 0.5, "params": 100, "seconds": 18}
    assert (result.params, result.macs, result.seconds, result.digest) == (100, None, 18, None)
    assert Result.from_json(result.to_json()) == result


def test_the_chosen_network_has_its_test_accuracy(folder: Path) -> None:
    assert answer(folder, final=True).values["test_accuracy"] == 0.55


def test_data_set_and_epochs_are_part_of_the_fidelity(folder: Path) -> None:
    assert answer(folder, dataset="dogs").values["validation_accuracy"] == 0.6
    low = answer(folder, dataset="dogs", epochs=2)
    assert (low.values["validation_accuracy"], low.seconds) == (0.4, 4)


def test_a_mapping_and_joined_columns_may_be_named(folder: Path) -> None:
    (folder / "kernel.toml").rename(folder / "other.toml")
    (folder / "latency.csv").write_text("kernel,milliseconds\n3,1.5\n")
    mapping = str(folder / "other.toml")
    (folder / "other.toml").write_text('join_by = "kernel"\n' + MAPPING)
    result = answer(folder, mapping=mapping, join=[str(folder / "latency.csv")])
    assert result.values["milliseconds"] == 1.5


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"kernel": "5"}, "none of its 1 rows is for layer.kernel=5"),
        ({"epochs": 3}, "epochs 3 came; it has 2, 9"),
        ({"dataset": "mice"}, 'dataset "mice" came; there are cats, dogs'),
        ({"mapping": "nowhere.toml"}, "mapping nowhere.toml: not readable"),
    ],
)
def test_what_the_table_cannot_answer_is_a_result_with_an_error(
    folder: Path, asked: dict[str, Any], fault: str
) -> None:
    result = answer(folder, **asked)
    assert result.values == {} and fault in str(result.error)


def test_a_table_is_loaded_once(folder: Path) -> None:
    job = Job(0, str(folder / "kernel.py"), {}, {}, "table", {}, str(folder / "kernel.csv"), {}, 0)
    assert table_of(job) is table_of(job)
