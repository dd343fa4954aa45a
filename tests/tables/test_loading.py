"""Loading a table: what is refused, how the space is chosen, what the fingerprint stands for."""

from pathlib import Path

import numpy as np
import pytest

from nasengine.errors import PlugInError, TableError
from nasengine.plugins import load_space
from nasengine.tables import load_table
from tests.tables.conftest import MAPPING, ROWS, SPACE, Write


def test_columns_that_the_file_does_not_have(write: Write) -> None:
    mapping = MAPPING.replace('"val"', '"vall"').replace('"arch"', '"Arch"')
    with pytest.raises(TableError) as found:
        load_table(write(mapping=mapping))
    assert 'values.validation_accuracy: there is no column "vall"; there are arch, op' in str(found.value)
    assert 'Did you mean "val"?' in str(found.value)
    assert 'architecture: there is no column "Arch"' in str(found.value) and '"arch"?' in str(found.value)


def test_values_that_are_missing_or_not_finite(write: Write) -> None:
    rows = (ROWS[0], "c3,,,nan,1", "c5,,,,1", "n,,,1,inf")
    with pytest.raises(TableError) as found:
        load_table(write(rows))
    assert "column val: 2 of 3 rows hold no finite number: row 0 (nan), row 1 (nothing)" in str(found.value)
    assert "column test: 1 of 3 rows hold no finite number: row 2 (inf)" in str(found.value)


def test_every_kind_of_fault_is_said_at_once(write: Write) -> None:
    with pytest.raises(TableError) as found:
        load_table(write((*ROWS, "c3,,,0.1,none", "z,,,0.1,0.2")))
    assert len(str(found.value).splitlines()) == 3


def test_a_table_without_rows(write: Write) -> None:
    with pytest.raises(TableError, match="block.csv: it has no rows$"):
        load_table(write(ROWS[:1]))


def test_arrays_of_different_lengths(tmp_path: Path, write: Write) -> None:
    write()
    np.savez(tmp_path / "block.npz", arch=np.array(["c3", "n"]), val=np.zeros(3), test=np.zeros(2))
    with pytest.raises(TableError, match="2 rows say what they are about; validation_accuracy has 3"):
        load_table(tmp_path / "block.npz")


def test_the_space_may_be_given(tmp_path: Path, write: Write) -> None:
    path = write()
    made = load_space(str(tmp_path / "block.py"), {"classes": 3})
    assert load_table(path, space=made).space is made
    assert (
        load_table(path, space=str(tmp_path / "block.py"), space_settings={"classes": 4}).space.settings["classes"] == 4
    )
    path.with_suffix(".toml").write_text(MAPPING.replace('space = "./block.py"', ""))
    with pytest.raises(TableError, match="its mapping names no space"):
        load_table(path)
    path.with_suffix(".toml").write_text(MAPPING + "[settings]\nclases = 3\n")
    with pytest.raises(PlugInError, match='unknown setting "clases".*Did you mean "classes"'):
        load_table(path)


def test_another_space_is_named_in_the_message(tmp_path: Path, write: Write) -> None:
    path = write(mapping=MAPPING.replace('architecture = "arch"', 'decisions = {"block.op" = "op"}'))
    (tmp_path / "other.py").write_text(SPACE.replace("block=choose", "step=choose"))
    with pytest.raises(TableError, match="block.op is no decision of space block.* space block has step.op, step.conv"):
        try:
            load_table(path, space=str(tmp_path / "other.py"))
        except TableError as error:
            raise TableError(" ".join(str(error).splitlines())) from None


def test_the_fingerprint_is_of_content_and_mapping(write: Write) -> None:
    first = load_table(write()).fingerprint
    assert load_table(write()).fingerprint == first
    assert load_table(write((*ROWS[:3], "n,none,,0.1,0.3"))).fingerprint != first
    assert load_table(write(mapping=MAPPING.replace('"test"\n', '"val"\n'))).fingerprint != first


def test_a_table_with_one_value_says_so(write: Write) -> None:
    table = load_table(write(mapping=MAPPING.replace('test_accuracy = "test"\n', "")))
    assert table.report is None
    assert table.notes == ("The table has no value to report apart from validation_accuracy, by which is selected.",)
