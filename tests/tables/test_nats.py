"""The official archives of NATS-Bench, through a stand-in with the documented members of the package `nats_bench`.

As in its README (https://github.com/D-X-Y/NATS-Bench): create, arch, len, get_more_info, get_cost_info.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasengine.errors import TableError
from nasengine.plugins import load_space
from nasengine.search_spaces import nasbench201
from nasengine.tables import load_table, nats

CELLS = [nasbench201.to_string(one) for one in load_space("nasbench201").first(3)]


class Api:
    """Answers with numbers that tell which question was asked: cell, data set, schedule, and mean or random seed."""

    fast_mode = True

    def __init__(self) -> None:
        self.arch2infos_dict: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(CELLS)

    def arch(self, index: int) -> str:
        return CELLS[index]

    def get_more_info(
        self, index: int, dataset: str, iepoch: int | None = None, hp: str = "12", is_random: bool = True
    ) -> dict[str, float]:
        self.arch2infos_dict[index] = "much"
        base = 10.0 * index + {"12": 1, "200": 2}[hp] + (0.5 if is_random else 0) + (0 if iepoch is None else 100)
        more = {"cifar10-valid": 0.1, "cifar10": 0.2, "cifar100": 0.3, "ImageNet16-120": 0.4}[dataset]
        found = {"train-all-time": 1000 * (base + more), "test-accuracy": base + more}
        return found if dataset == "cifar10" else {**found, "valid-accuracy": base + more}

    def get_cost_info(self, index: int, dataset: str, hp: str = "12") -> dict[str, float]:
        return {"flops": 1.5 + index, "params": 0.25, "latency": 0.01}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()

    def create(path: str, space: str, fast_mode: bool = False, verbose: bool = True) -> Api:
        assert (path, space, fast_mode, verbose) == (str(folder), "tss", True, False)
        return Api()

    monkeypatch.setitem(sys.modules, "nats_bench", SimpleNamespace(create=create))
    return folder


def test_validation_and_test_are_those_of_the_right_training_and_never_the_defaults(archive: Path) -> None:
    table = load_table(archive)
    row = table.row(nasbench201.from_string(CELLS[2]))
    assert row == 2 and table.dataset == "cifar10"
    assert table.at(row) == {
        "validation_accuracy": 22.1,
        "test_accuracy": 22.2,
        "seconds": pytest.approx(22100),
        "params": 250_000,
        "macs": 3.5e6,
    }
    assert table.at(row, epochs=12)["test_accuracy"] == 21.2
    assert table.at(row, epochs=12)["seconds"] == pytest.approx(21100)


@pytest.mark.parametrize(("dataset", "value"), [("cifar100", 2.3), ("imagenet16", 2.4)])
def test_other_data_sets(archive: Path, dataset: str, value: float) -> None:
    values = load_table(archive, dataset=dataset).at(0)
    assert values["validation_accuracy"] == values["test_accuracy"] == value


def test_cells_are_not_kept_in_the_packages_memory(archive: Path) -> None:
    api = Api()
    nats._read(api, ["index", "architecture", "cifar10_val_200"])
    assert api.arch2infos_dict == {}


def test_an_archive_is_saved_as_one_file_that_needs_no_package(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = load_table(archive, dataset="cifar100")
    saved = nats.save(archive, archive.with_name("nats.npz"))
    monkeypatch.setitem(sys.modules, "nats_bench", None)
    again = load_table(saved, dataset="cifar100")
    assert [again.at(row) for row in range(3)] == [direct.at(row) for row in range(3)]
    assert again.at(1, epochs=12) == direct.at(1, epochs=12)


def test_without_the_package(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats_bench", None)
    with pytest.raises(TableError, match=r"by their own package: pip install 'nasengine\[nats\]'"):
        load_table(archive)


def test_a_broken_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(*_: Any, **__: Any) -> None:
        raise EOFError("ended early")

    monkeypatch.setitem(sys.modules, "nats_bench", SimpleNamespace(create=create))
    path = tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2"
    path.touch()
    with pytest.raises(TableError, match=r"not readable as an archive of NATS-Bench \(EOFError\('ended early'\)\)"):
        load_table(path)


def test_the_size_space_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "NATS-sss-v1_0-50262-simple"
    path.mkdir()
    with pytest.raises(TableError, match="the size space of NATS-Bench came; the topology space"):
        load_table(path)
