"""Files as columns: what is read as text, what as numbers, what cannot be read."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasengine.errors import TableError
from nasengine.tables.reading import numbers, open_source, texts


def test_the_same_table_in_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"arch": ["0012", "None"], "kernel": [3, 5], "val": [0.5, 0.25]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t", encoding="utf-8-sig")
    np.savez(tmp_path / "t.npz", arch=frame["arch"].to_numpy(str), kernel=frame["kernel"], val=frame["val"])
    for ending in ("parquet", "csv", "tsv", "npz"):
        source = open_source(tmp_path / f"t.{ending}")
        assert source.names == ("arch", "kernel", "val")
        read = source.read(["val", "arch", "kernel"])
        assert texts(read["arch"]) == ["0012", "None"], ending  # neither a number nor missing
        assert texts(read["kernel"]) == ["3", "5"]
        assert numbers(read["val"], "val")[0].tolist() == [0.5, 0.25]


def test_bytes_and_missing_cells_of_parquet(tmp_path: Path) -> None:
    pd.DataFrame({"hash": [b"\x00\x01", b"\xff"], "kernel": [3, None], "op": ["a", None]}).to_parquet(
        tmp_path / "t.parquet"
    )
    read = open_source(tmp_path / "t.parquet").read(["hash", "kernel", "op"])
    assert texts(read["hash"]) == [b"\x00\x01", b"\xff"]
    assert texts(read["kernel"]) == ["3", ""] and texts(read["op"]) == ["a", ""]


def test_arrays_of_two_dimensions(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", val=np.array([[1.0, 3.0], [2.0, 2.5]]), about=np.array('{"by": "us"}'))
    source = open_source(tmp_path / "t.npz")
    assert source.names == ("val", "val[0]", "val[1]") and source.mapping is None
    read = source.read(source.names)
    assert numbers(read["val"], "val")[0].tolist() == [2.0, 2.25]
    assert numbers(read["val[1]"], "val[1]")[0].tolist() == [3.0, 2.5]


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["1", "", "x", "inf"], r"3 of 4 rows hold no finite number: row 1 \(nothing\), row 2 \(x\), row 3 \(inf\)"),
        (np.array([1.0, np.nan]), r"1 of 2 rows hold no finite number: row 1 \(nan\)"),
        (np.array([[1.0, np.inf], [1.0, 2.0]]), "1 of 2 rows hold no finite number: row 0"),
        ([None] * 9, r"9 of 9 rows .*row 4 \(nothing\), …$"),
    ],
)
def test_numbers_that_are_none(cells: Any, shown: str) -> None:
    _, faults = numbers(cells, "val")
    assert len(faults) == 1 and re.match("column val: " + shown, faults[0])


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("t.xlsx", b"PK", r"a file with the ending '.xlsx' came; allowed are .parquet, .csv, .tsv, .npz"),
        ("t.parquet", b"no parquet", "not readable as parquet"),
        ("t.npz", b"no zip", "not readable as npz"),
        ("t.csv", b"", "not readable as csv .it is empty; the first line has to name the columns"),
        ("t.csv", b"a,b\n1,2\n3\n", "its first line names 2 columns; row 1 has 1"),
        ("t.csv", b"a,b\n\xff\xfe,2\n", "not readable as csv .*utf-8"),
    ],
)
def test_a_file_that_cannot_be_read(name: str, content: bytes, fault: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=fault):
        open_source(tmp_path / name)


def test_pickled_arrays_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", val=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(TableError, match="not readable as npz"):
        open_source(tmp_path / "t.npz")
