"""What nobody needs is removed, and nothing else."""

from pathlib import Path

import pytest
from sqlalchemy import update

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.ledger.tables import trials
from nasengine.operations import Pruned, prune
from nasengine.runs import run_folder
from tests.operations.places import CONV, begin, train, weights


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(ledger: Ledger) -> None:
    """Six candidates from worst to best, one of them inherited from; a supernet and a final network; checkpoints."""
    with begin(ledger, "one") as record:
        for number in range(6):
            source = {} if number != 5 else {"inherit": {"a": [ledger.results("one")[0]["weights"], "b"]}}
            train(ledger, record, number, number / 10, lineage=source)
        for kind in ("supernet", "final"):
            file = weights(ledger, "one", f"{kind}.safetensors")
            record.record(Result(0, CONV, values={"test_accuracy": 0.5}, weights=file), kind=kind)
        folder = run_folder(ledger, "one") / "checkpoints"
        folder.mkdir()
        for name in ("trial-1.pt", "trial-77.pt"):
            (folder / name).write_text("state")
        record.finish()


def test_the_best_and_what_is_needed_stay(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        fill(ledger)
        folder = run_folder(ledger, "one")
        size = sum(path.stat().st_size for path in folder.rglob("trial-[123].*")) + 5
        planned = prune(ledger, keep=2, dry_run=True)
        assert planned == [Pruned("one", weights=3, checkpoints=2, bytes=size)]
        assert len(names(folder / "weights")) == 8
        assert prune(ledger, keep=2) == planned
        assert names(folder / "weights") == [
            *("final.safetensors", "supernet.safetensors"),
            *("trial-0.safetensors", "trial-4.safetensors", "trial-5.safetensors"),
        ]
        assert names(folder / "checkpoints") == []
        kept = {row["trial"]: row["weights"] is not None for row in ledger.results("one") if row["kind"] == "candidate"}
        assert kept == {0: True, 1: False, 2: False, 3: False, 4: True, 5: True}
        assert prune(ledger, keep=2) == []


def test_a_search_that_may_go_on_keeps_its_weights_and_open_checkpoints(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        fill(ledger)
        with begin(ledger, "two") as running:
            train(ledger, running, 0, 0.5)
            running.propose(1, CONV)
            folder = run_folder(ledger, "two") / "checkpoints"
            folder.mkdir()
            for name in ("trial-0.pt", "trial-1.pt"):
                (folder / name).write_text("state")
            assert [one.search for one in prune(ledger, keep=0)] == ["one"]
            assert len(names(folder)) == 2
            with pytest.raises(LedgerError, match="prune: two is being searched now; let it end"):
                prune(ledger, "two")
        assert prune(ledger, "two", keep=0) == [Pruned("two", weights=0, checkpoints=1, bytes=5)]
        assert names(folder) == ["trial-1.pt"] and ledger.results("two")[0]["weights"] is not None


def test_weights_that_answer_in_another_search_stay_there_until_nobody_has_them(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        fill(ledger)
        with begin(ledger, "two") as record:
            file = ledger.results("one")[1]["weights"]
            record.record(Result(0, CONV, values={"validation_accuracy": 0.1}, weights=file), value=0.1)
            record.finish()
        prune(ledger, "one", keep=0)
        assert Path(file).exists() and ledger.results("one")[1]["weights"] == file
        prune(ledger, keep=0)
        assert not Path(file).exists() and {row["weights"] for row in ledger.results("two")} == {None}


def test_files_of_a_database_that_was_moved_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Ledger(tmp_path / "a" / "x.db") as ledger:
        fill(ledger)
    (tmp_path / "a").rename(tmp_path / "b")
    with Ledger(tmp_path / "b" / "x.db") as ledger:
        (freed,) = prune(ledger, keep=1)
        assert freed.weights == 4
        assert ledger.results("one")[5]["weights"] is not None
        with ledger.database.writing() as connection:
            connection.execute(update(trials).values(weights="s3://bucket/one/weights/trial-5.safetensors"))
        assert prune(ledger, keep=0) == [], "what lies elsewhere is left there"


def test_bad_input(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        with pytest.raises(LedgerError, match="keep=-1 came; a whole number from 0"):
            prune(ledger, keep=-1)
        with pytest.raises(LedgerError, match="search: none; recorded are none yet"):
            prune(ledger, "none")
