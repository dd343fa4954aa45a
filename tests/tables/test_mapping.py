"""What a mapping may say, and what is wrong with one that cannot be followed."""

from pathlib import Path
from typing import Any

import pytest

from nasengine.errors import TableError
from nasengine.tables.mapping import TableMapping, read_mapping

GOOD: dict[str, Any] = {"space": "darts", "architecture": "arch", "values": {"validation_accuracy": "val"}}


def read(**changed: Any) -> TableMapping:
    return TableMapping.from_plain("m.toml", {**GOOD, **changed})


def test_what_is_chosen_where_nothing_is_said() -> None:
    assert (read().objective, read().report) == ("validation_accuracy", "")
    both = {"validation_accuracy": "val", "test_accuracy": "test"}
    assert read(values=both).report == "test_accuracy"
    assert read(values=both, objective="test_accuracy").report == ""
    assert read(values={"score": "s"}).objective == "score"


def test_a_mapping_survives_json() -> None:
    made = read(fidelities={"3": {"validation_accuracy": "v3"}}, notes=["Kept."], datasets=["a", "b"])
    assert TableMapping.from_plain("again", made.to_plain()) == made


def test_columns_by_data_set() -> None:
    datasets = {"a": {"timed": "a"}, "b": {"timed": "a"}}
    values = {"validation_accuracy": "{dataset}_val", "seconds": "{timed}_s"}
    made = read(datasets=datasets, values=values)
    assert made.of("t", None)[1] == "a"
    chosen, name = made.of("t", "b")
    assert (chosen.values, name) == ({"validation_accuracy": "b_val", "seconds": "a_s"}, "b")
    with pytest.raises(TableError, match='t: dataset "B" came; there are a, b. Did you mean "b"?'):
        made.of("t", "B")
    with pytest.raises(TableError, match="the table knows one only; leave it out"):
        read().of("t", "b")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"value": {}}, 'm.toml: "value" is no key; allowed are .*Did you mean "values"'),
        ({"values": {}}, "values is empty; give it values"),
        ({"values": {"score": "s", "size": "n"}}, "values holds no validation_accuracy; say which value to select by"),
        ({"values": {"validation_accuracy": 3}}, "values came as .*give a table of column names"),
        ({"objective": "validation"}, 'objective "validation" is not in values; .*Did you mean "validation_accuracy"'),
        ({"report": "test"}, 'report "test" is no value; there are validation_accuracy'),
        ({"picks": "p"}, "architecture and picks says what a row is about; give one of architecture, picks, decisions"),
        ({"architecture": ""}, "nothing says what a row is about"),
        ({"architecture": ["arch"]}, "architecture came as .*give text"),
        ({"epochs": 0}, "epochs came as 0; give a whole number of at least 1"),
        ({"fidelities": {"many": {}}}, "fidelities came as .*from whole numbers of epochs"),
        (
            {"values": {}, "fidelities": {2: {"a": "x"}, 4: {"b": "x"}}, "objective": "a"},
            "is not in fidelities.4; .* b",
        ),
        ({"seconds_per_epoch": "s"}, "seconds_per_epoch came without a number of epochs"),
        (
            {"seconds_per_epoch": "s", "epochs": 3, "values": {"validation_accuracy": "v", "seconds": "t"}},
            "both seconds_per_epoch and a value called seconds came",
        ),
        (
            {"values": {"validation_accuracy": "v", "seconds": "t"}, "fidelities": {1: {"a": "a"}, 2: {"a": "b"}}},
            "values.seconds would be the same at every fidelity",
        ),
        ({"datasets": "cifar10"}, "datasets came as 'cifar10'; give a list of names"),
        ({"notes": "one"}, "notes came as 'one'; give a list of sentences"),
    ],
)
def test_faults(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(TableError, match=fault):
        read(**changed)


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(TableError) as found:
        read(value={}, epochs=0, notes="one")
    assert str(found.value).count("mapping m.toml: ") == 3


def test_a_mapping_is_toml_or_json(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('space = "./s.py"\narchitecture = "arch"\n[values]\nvalidation_accuracy = "val"')
    (tmp_path / "a.json").write_text(
        '{"space": "./s.py", "architecture": "arch", "values": {"validation_accuracy": "val"}}'
    )
    made = read_mapping(tmp_path / "a.toml")
    assert made == read_mapping(tmp_path / "a.json") and made.space == str(tmp_path / "s.py")


@pytest.mark.parametrize(
    ("name", "text"), [("a.toml", "space = "), ("a.json", "{"), ("a.json", "[]"), ("a.toml", None)]
)
def test_a_mapping_that_cannot_be_read(name: str, text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match=f"mapping .*{name}: "):
        read_mapping(tmp_path / name)
