"""Where names lead: the package, and the folder NASENGINE_TABLES."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nasengine.errors import TableError
from nasengine.tables import load_table, places
from tests.tables.conftest import Write


@pytest.fixture
def folder(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tables that holds `block`."""
    path = write()
    monkeypatch.setenv("NASENGINE_TABLES", str(path.parent))
    return path.parent


def test_a_users_own_table_has_a_name(folder: Path) -> None:
    assert len(load_table("block")) == 3 and places.known()["block"] == folder / "block.csv"
    (folder / "block").mkdir()
    for name in ("block.csv", "block.toml", "block.py"):
        shutil.move(folder / name, folder / "block" / name)
    assert len(load_table("block")) == 3 and places.known()["block"] == folder / "block" / "block.csv"


def test_files_that_nothing_explains_are_no_tables(folder: Path) -> None:
    (folder / "block.toml").unlink()
    assert "block" not in places.known()
    with pytest.raises(
        TableError, match=r"write block.toml beside it, or name a mapping .*; it has arch, op, kernel, "
    ):
        load_table("block")


def test_a_mapping_of_another_place(folder: Path) -> None:
    aside = folder / "aside"
    aside.mkdir()
    for name in ("block.toml", "block.py"):
        shutil.move(folder / name, aside / name)
    assert len(load_table("block", mapping=aside / "block.toml")) == 3


def test_a_mapping_in_the_file(folder: Path) -> None:
    mapping = {"space": str(folder / "block.py"), "architecture": "arch", "values": {"validation_accuracy": "val"}}
    arrays = {"arch": np.array(["c3", "n"]), "val": np.array([[1.0, 2.0], [3.0, 4.0]])}
    np.savez(folder / "own.npz", mapping=np.array(json.dumps(mapping)), **arrays)
    assert load_table(folder / "own.npz").at(1) == {"validation_accuracy": 3.5}


def test_an_unknown_name_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(TableError, match=r'table: "blok" came, .*there are .*block.* Did you mean "block"\?') as found:
        load_table("blok")
    assert f"looked up in the folder NASENGINE_TABLES ({folder}): blok/blok.parquet" in str(found.value)


@pytest.mark.parametrize("name", ["nasbench201", "nasbench-macro", "nowhere"])
def test_without_the_folder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    with pytest.raises(TableError, match=f'table: "{name}" came, .* NASENGINE_TABLES is not set: set it to the folder'):
        load_table(name)


def test_a_published_table_that_is_not_in_the_folder(folder: Path) -> None:
    with pytest.raises(TableError, match="nasbench101/nasbench101_test.parquet or nasbench101_test.parquet there"):
        load_table("nasbench101")
