"""Published tables against the figures of their papers; skipped where the tables are not there."""

import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from nasengine.errors import TableError
from nasengine.search_spaces import nasbench201, nasbench_macro
from nasengine.tables import Table, load_table

Needs = Callable[[str], Path]


@pytest.fixture(autouse=True)
def tables(needs: Needs) -> Path:
    return needs("tables")


@lru_cache
def cells(dataset: str | None = None) -> Table:
    """NAS-Bench-201, loaded once."""
    return load_table("nasbench201", dataset=dataset)


# best validation (Dong and Yang, 2020, https://arxiv.org/abs/2001.00326, table 4: 91.61, 73.49, 46.77), best test
@pytest.mark.parametrize(
    ("dataset", "validation", "test"),
    [(None, 91.607, 94.373), ("cifar10", 91.607, 94.373), ("cifar100", 73.493, 73.513), ("imagenet16", 46.733, 47.311)],
)
def test_optima_of_nasbench201(dataset: str | None, validation: float, test: float) -> None:
    table = cells(dataset)
    assert len(table) == table.space.count() == 15_625
    assert table.dataset == (dataset or "cifar10")
    assert (table.objective, table.report) == ("validation_accuracy", "test_accuracy")
    assert table.best("validation_accuracy") == pytest.approx(validation, abs=5e-4)
    assert table.best("test_accuracy") == pytest.approx(test, abs=5e-4)


def test_rows_of_nasbench201_are_found_and_have_two_fidelities() -> None:
    table = cells()
    # the cell like a residual network's: 90.860 validation and 93.910 test accuracy after 200 epochs
    text = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    row = table.row(nasbench201.from_string(text))
    assert table.at(row)["validation_accuracy"] == pytest.approx(90.860, abs=5e-4)
    assert table.at(row)["test_accuracy"] == pytest.approx(93.910, abs=5e-4)
    assert list(table.fidelities) == [12, 200]
    low, high = table.at(row, epochs=12), table.at(row, epochs=200)
    assert high == table.at(row) and low["validation_accuracy"] < high["validation_accuracy"]
    assert high["seconds"] / low["seconds"] == pytest.approx(200 / 12)
    # all six edges 3x3: 1,531,546 parameters
    all_conv = nasbench201.from_string("|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|".format("nor_conv_3x3"))
    assert table.at(table.row(all_conv))["params"] == 1_531_546


def test_every_architecture_of_nasbench201_has_a_row_of_its_own() -> None:
    table = cells()
    assert sorted(table.row(architecture) for architecture in table.space.enumerate()) == list(range(15_625))


def test_isomorphic_cells_keep_their_own_rows() -> None:
    table = cells()
    twins = (  # a 3x3 on either of two paths that add up to the same network
        "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
    )
    first, second = (table.at(table.row(nasbench201.from_string(text))) for text in twins)
    assert first["params"] == second["params"]
    assert first["validation_accuracy"] != second["validation_accuracy"]


def test_seconds_of_imagenet16_are_its_own() -> None:
    small, same, larger = (cells(dataset).values["seconds"] for dataset in ("cifar10", "cifar100", "imagenet16"))
    assert (larger / small).min() > 2 and np.array_equal(small, same)


def test_an_unknown_data_set_and_unknown_epochs() -> None:
    with pytest.raises(TableError, match='dataset "cifar" came; there are cifar10, cifar100, imagenet16. Did you mean'):
        load_table("nasbench201", dataset="cifar")
    with pytest.raises(TableError, match="table nasbench201: epochs 50 came; it has 12, 200"):
        cells().at(0, epochs=50)
    with pytest.raises(TableError, match="the table knows one only"):
        load_table("nasbench_macro", dataset="cifar10")


@pytest.mark.parametrize("word", ["nb201_latency_ms", "hw_latency/nb201_latency_ms.parquet"])
def test_latencies_are_joined(word: str) -> None:
    table = load_table("nasbench201", join=(word,))
    # as printed by HW-NAS-Bench (Li et al., 2021, https://github.com/GATECH-EIC/HW-NAS-Bench) for cells 0, 1 and 2
    assert [table.at(row)["hwnb_raspi4_latency_ms"] for row in range(3)] == pytest.approx(
        [10.48198, 54.77740, 50.40940]
    )
    assert table.at(0, epochs=12)["hwnb_raspi4_latency_ms"] == table.at(0)["hwnb_raspi4_latency_ms"]
    assert any("HW-NAS-Bench" in note for note in table.notes)


def test_latencies_of_another_space_are_refused() -> None:
    with pytest.raises(
        TableError, match='joined by the column "index", which .*fbnet_latency_ms.parquet does not have'
    ):
        load_table("nasbench201", join=("fbnet_latency_ms",))


def test_nasbench_macro() -> None:
    """Su et al., 2021, https://github.com/xiusu/NAS-Bench-Macro: 93.13 % at best, by 22212220 and 22212202."""
    table = load_table("nasbench-macro")
    assert len(table) == table.space.count() == 6_561
    assert (table.objective, table.report) == ("test_accuracy", None)
    assert any("both objective and result" in note for note in table.notes)
    for text in ("22212220", "22212202"):
        row = table.row(nasbench_macro.from_string(text))
        assert table.at(row)["test_accuracy"] == table.best("test_accuracy") == pytest.approx(93.12666)
    worst = table.at(table.row(nasbench_macro.from_string("00000000")))
    assert worst["test_accuracy"] == pytest.approx(45.363, abs=5e-4) and worst["macs"] == 7_713_280


def test_nasbench101() -> None:
    """Ying et al., 2019, https://arxiv.org/abs/1902.09635: 423,624 cells."""
    table = load_table("nasbench101")
    assert len(table) == 423_624 and list(table.fidelities) == [108]
    assert (table.objective, table.report) == ("test_accuracy", None)
    assert any("one run" in note.lower() for note in table.notes)
    rng = random.Random(0)
    rows = [table.row(table.space.sample(rng)) for _ in range(200)]
    assert len(set(rows)) > 100 and min(table.at(row)["test_accuracy"] for row in rows) > 0.09
