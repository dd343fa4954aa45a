"""Which row is which architecture's: by spelling, by JSON, by columns, by numbers of options."""

import json
from pathlib import Path

import numpy as np
import pytest

from nasengine.errors import TableError
from nasengine.space import Architecture
from nasengine.tables import indexing, load_table
from tests.tables.conftest import MAPPING, READS, ROWS, SPACE, SPELLING, WRITES, Write

WORDS = {
    "c3": Architecture({"block.op": ("conv",), "block.conv.kernel": ("3",)}),
    "c5": Architecture({"block.op": ("conv",), "block.conv.kernel": ("5",)}),
    "n": Architecture({"block.op": ("none",)}),
}
DECISIONS = MAPPING.replace('architecture = "arch"', 'decisions = {"block.op" = "op", "block.conv.kernel" = "kernel"}')
PICKS = MAPPING.replace('architecture = "arch"', 'picks = "arch"')


def rows_of(path: Path) -> list[int]:
    table = load_table(path)
    return [table.row(architecture) for architecture in WORDS.values()]


@pytest.mark.parametrize("spelling", [READS + WRITES, READS, WRITES])
def test_by_the_spelling_of_the_space(write: Write, spelling: str) -> None:
    assert rows_of(write(space=SPACE + SPELLING + spelling)) == [0, 1, 2]


def test_a_table_too_large_to_be_read_whole(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "READ_WHOLE", 2)
    assert rows_of(write()) == [0, 1, 2]


def test_by_a_column_each_decision(write: Write) -> None:
    assert rows_of(write(mapping=DECISIONS)) == [0, 1, 2]


def test_by_json(tmp_path: Path, write: Write) -> None:
    import pandas as pd

    path = write(mapping=PICKS)
    cells = [json.dumps({name: kept[0] for name, kept in one.picks.items()}) for one in WORDS.values()]
    pd.DataFrame({"arch": cells, "val": [1, 2, 3], "test": [1, 2, 3]}).to_csv(path, index=False)
    assert rows_of(path) == [0, 1, 2]


def test_by_numbers_of_options(tmp_path: Path, write: Write) -> None:
    write(mapping=PICKS)
    arrays = {"val": np.arange(3.0), "test": np.arange(3.0)}
    picks = np.array([[0, 0], [0, 1], [1, -1]], np.int8)
    np.savez(tmp_path / "block.npz", arch=picks, **arrays)
    assert rows_of(tmp_path / "block.npz") == [0, 1, 2]
    named = np.array(["block.conv.kernel", "block.op"])
    np.savez(tmp_path / "block.npz", arch=picks[:, ::-1], decisions=named, **arrays)
    assert rows_of(tmp_path / "block.npz") == [0, 1, 2]
    np.savez(tmp_path / "block.npz", arch=picks + 1, **arrays)
    with pytest.raises(TableError, match=r"block.conv.kernel: no option has number 2 \(row 1\)"):
        load_table(tmp_path / "block.npz")
    np.savez(tmp_path / "block.npz", arch=picks[:, :1], **arrays)
    with pytest.raises(TableError, match="picks of 1 decisions came; there are 2: block.op, block.conv.kernel"):
        load_table(tmp_path / "block.npz")


@pytest.mark.parametrize("spelling", [READS, WRITES])
def test_rows_without_and_with_one_architecture_twice(write: Write, spelling: str) -> None:
    rows = (*ROWS, "c3,,,0.5,0.5", ",,,0.5,0.5", "n,,,0.1,0.1")
    with pytest.raises(TableError) as found:
        load_table(write(rows, space=SPACE + SPELLING + spelling))
    assert "2 of 6 rows repeat the architecture of another: row 3 as row 0, row 5 as row 2" in str(found.value)
    assert "no architecture" in str(found.value) and "row" in str(found.value) and "4" in str(found.value)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            "x,convolution,3,0,0",
            "block.op: 'convolution' is no option; the options are conv, none. Did you mean \"conv\"",
        ),
        ("x,conv,9,0,0", "block.conv.kernel: '9' is no option; the options are 3, 5"),
        ("x,conv,,0,0", "block.conv.kernel is missing; give 1 of 3, 5"),
        ("x,none,3,0,0", "block.conv.kernel is not asked with the other picks"),
        ("x,conv+none,,0,0", "block.op: 2 options came"),
    ],
)
def test_a_table_and_a_space_that_disagree_about_options(write: Write, row: str, fault: str) -> None:
    with pytest.raises(TableError, match=fault) as found:
        load_table(write((*ROWS, row), mapping=DECISIONS))
    assert "(row 3)" in str(found.value)


def test_a_mapping_and_a_space_that_disagree_about_decisions(write: Write) -> None:
    with pytest.raises(TableError) as found:
        load_table(write(mapping=DECISIONS.replace('"block.conv.kernel"', '"block.kernel"')))
    assert 'block.kernel is no decision of space block. Did you mean "block.conv.kernel"?' in str(found.value)
    assert "space block has block.conv.kernel, too; name a column for each" in str(found.value)


def test_spellings_that_the_space_cannot_read_are_counted_and_shown(write: Write) -> None:
    rows = ("arch,val,test", "c3,1,1", *(f"z{number},1,1" for number in range(20)))
    with pytest.raises(TableError, match=r"from_string\('z0'\): KeyError\('z0'\) \(row 1\)") as found:
        load_table(write(rows))
    assert "and 10 more that the table and space block disagree about" in str(found.value)


def test_spellings_that_the_space_never_writes(write: Write) -> None:
    rows = ("arch,val,test", "conv-3,1,1", "conv-5,1,1")
    with pytest.raises(TableError, match='none of 50 random architectures of space block has a row; it has "conv-3"'):
        load_table(write(rows, space=SPACE + SPELLING + WRITES))


def test_a_space_that_spells_nothing(write: Write) -> None:
    with pytest.raises(TableError, match="defines neither from_string.* nor to_string.*or map `decisions`"):
        load_table(write(space=SPACE))


def test_picks_that_are_no_json(write: Write) -> None:
    with pytest.raises(TableError, match="picks 'c3' came; JSON such as .* is needed"):
        load_table(write(mapping=PICKS))
