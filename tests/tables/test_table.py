"""A table in memory: rows, values, fidelities, the optimum."""

import numpy as np
import pytest

from nasengine.errors import TableError
from nasengine.space import Architecture
from nasengine.tables import Table, load_table, table
from tests.tables.conftest import Write

FIDELITIES = """
space = "./block.py"
architecture = "arch"
seconds_per_epoch = "test"
[fidelities.9]
validation_accuracy = "val"
[fidelities.2]
validation_accuracy = "test"
"""
CONV3 = Architecture({"block.op": ("conv",), "block.conv.kernel": ("3",)})


@pytest.fixture
def made(write: Write) -> Table:
    return load_table(write())


def test_a_table_answers_by_row(made: Table) -> None:
    assert (made.name, made.dataset, made.objective, made.report) == (
        "block",
        None,
        "validation_accuracy",
        "test_accuracy",
    )
    assert len(made) == 3 and made.fidelities == {}
    assert made.row(CONV3) == 0
    assert made.at(0) == {"validation_accuracy": 0.5, "test_accuracy": 0.4}
    assert made.at(0) is made.at(0)
    assert made.best("validation_accuracy") == 0.7
    assert all(column.dtype == np.float64 for column in made.values.values())


def test_equal_architectures_have_one_row_however_their_picks_are_ordered(made: Table) -> None:
    assert made.row(Architecture(dict(reversed(CONV3.picks.items())))) == 0


def test_answers_cannot_be_written_into(made: Table) -> None:
    with pytest.raises(TypeError):
        made.at(0)["validation_accuracy"] = 1.0  # type: ignore[index]


def test_fidelities_are_ordered_and_the_highest_is_the_table_itself(write: Write) -> None:
    made = load_table(write(mapping=FIDELITIES))
    assert list(made.fidelities) == [2, 9]
    assert made.at(1) == made.at(1, epochs=9) == {"validation_accuracy": 0.7, "seconds": pytest.approx(9 * 0.6)}
    assert made.at(1, epochs=2) == {"validation_accuracy": 0.6, "seconds": pytest.approx(2 * 0.6)}
    with pytest.raises(TableError, match="table block: epochs 3 came; it has 2, 9"):
        made.at(1, epochs=3)


def test_epochs_of_a_table_that_knows_none(made: Table) -> None:
    with pytest.raises(TableError, match="epochs 3 came; it has no numbers of epochs; leave them out"):
        made.at(0, epochs=3)


def test_an_architecture_without_a_row_is_named(write: Write) -> None:
    made = load_table(write(("arch,val,test", "c3,0.5,0.4")))
    with pytest.raises(TableError, match=r"none of its 1 rows is for block.op=none; "):
        made.row(Architecture({"block.op": ("none",)}))
    assert made.notes[0].startswith("The table holds 1 of the 3 architectures of the space")


def test_an_unknown_value_is_answered_with_the_nearest(made: Table) -> None:
    with pytest.raises(TableError, match='no value "tst_accuracy"; there are .*Did you mean "test_accuracy"'):
        made.best("tst_accuracy")


def test_memory_is_bounded(made: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "REMEMBERED", 2)
    for row in range(3):
        assert made.at(row)["validation_accuracy"] == (0.5, 0.7, 0.1)[row]
    assert len(made._ready) <= 2
