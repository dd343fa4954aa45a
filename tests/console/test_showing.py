"""One network shown, whatever became of it, and drawn where dot is there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nasengine.job import Result
from nasengine.ledger import Ledger, Trial
from tests.console.typed import good, nasengine

FACTS = {
    "space": "small-cell",
    "strategy": "evolution",
    "data": "digits",
    "trials": 9,
    "command": "typed so",
    "settings": {},
}
CELL = {
    "cell.edge_0_1.op": ["conv_3x3"], "cell.edge_0_2.op": ["none"], "cell.edge_1_2.op": ["conv_1x1"],
    "cell.edge_1_3.op": ["max_pool_3x3"], "cell.edge_2_3.op": ["conv_3x3"],
}  # fmt: skip


def test_show_tells_a_network_and_where_it_comes_from(db: str) -> None:
    out = good("show", "best", "--db", db).out  # the newest search, where none is named
    assert "node0" in out and "test accuracy" in out and "nas1:" in out and "random-search" in out
    final = good("show", "final", "--db", db, "--json").json["epochs"]
    assert f"train loss {final[0]['train_loss']:.4f} to {final[1]['train_loss']:.4f}  █▁" in out
    found = good("show", "1", "--name", "one", "--db", db, "--json").json
    assert (found["kind"], found["trial"], found["state"]) == ("candidate", 1, "complete")
    assert len(found["epochs"]) == 1 and found["settings"]["channels"] == 4
    assert found["architecture"].keys() >= {"normal.node0.inputs"}


def test_the_commands_that_come_next_work(db: str) -> None:
    first, second = good("show", "final", "--db", db, "--json").json["next"]
    assert first.startswith("nasengine export final") and second.startswith("nasengine train --space darts")
    assert f"--db {db}" in first and f"--db {db}" in second
    assert all(f"  {command}" in good("show", "final", "--db", db).out for command in (first, second))


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    """A database with a trial in every state."""
    with Ledger(tmp_path / "m.db") as ledger:
        with ledger.open_search("ended", **FACTS) as record:
            record.record(Result(0, CELL, values={"validation_accuracy": 0.5}, params=1000, macs=2000, seconds=1.0))
            record.record(Result(1, CELL, values={"validation_accuracy": 0.2}, stopped=3, seconds=1.0))
            record.record(Result(2, CELL, error="TrainingError: not finite"))
            supernet = Result(0, CELL, values={"train_accuracy": 0.4}, params=9000, seconds=3.0)
            record.record(supernet, kind="supernet")
            record.finish()
        with ledger.open_search("halted", **FACTS) as record:
            record.start(Trial(0, architecture=CELL))
            record.start(Trial(1))
    return str(tmp_path / "m.db")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["0", "--name", "ended"], ["complete", "node2", "conv_1x1", "none were kept", "--architecture ended:0"]),
        (["1", "--name", "ended"], ["pruned", "it was ended early", "after epoch 3", "node2"]),
        (["2", "--name", "ended"], ["failed", "not finite", "node2", "nasengine retry ended --trial 2"]),
        (["supernet", "--name", "ended"], ["train accuracy", "--strategy evolution --supernet ended"]),
        (["0", "--name", "halted"], ["stopped", "stopped while it ran", "node2", "typed so"]),
        (["1", "--name", "halted"], ["stopped", "typed so"]),
    ],
)
def test_whatever_became_of_a_trial_is_told(words: list[str], parts: list[str], mixed: str) -> None:
    out = good("show", *words, "--db", mixed).out
    assert [part for part in parts if part not in out] == [], out
    assert "supernet" not in words or "node2" not in out  # an evenly sampled supernet settles on nothing


def test_a_running_trial_says_what_is_known(tmp_path: Path) -> None:
    db = str(tmp_path / "r.db")
    with Ledger(db) as ledger, ledger.open_search("now", **FACTS) as record:
        record.start(Trial(0, architecture=CELL))
        for epoch in (1, 2):
            record.epoch(1, {"epoch": epoch, "train_loss": 2 / epoch, "validation_accuracy": 0.1 * epoch})
        out = good("show", "0", "--db", db).out
    assert "running" in out and "those so far" in out and "0.1000 to 0.2000  ▁█" in out
    assert f"nasengine watch now --db {db}" in out


def test_nothing_can_be_drawn_of_a_trial_without_an_architecture(mixed: str, tmp_path: Path) -> None:
    done = nasengine("show", "1", "--name", "halted", "--db", mixed, "--draw", "x.svg")
    assert done.code == 2 and "no architecture" in done.err and not (tmp_path / "x.svg").exists()


def test_published_networks_are_shown_as_stages_and_as_cells(tmp_path: Path) -> None:
    out = good("show", "--space", "metaformer", "--architecture", "caformer-s18").out
    assert "  9x  attention | Expand ratio 4, star_relu, Pointwise" in out.replace("     9x", "  9x")
    assert "26,341,656" in out and "stage3: 14×14, 320 channels" in out
    found = good("show", "--architecture", "PRDARTS", "--space.layers", "3", "--json").json
    assert found["settings"]["layers"] == 3 and found["params"] > 0 < found["macs"]
    done = nasengine("show", "--space", "metaformer")
    assert done.code == 2 and "--architecture" in done.err
    done = nasengine("show", "--architecture", "PRDART")
    assert done.code == 2 and "PRDARTS" in done.err


def test_a_network_is_drawn_by_dot(db: str, needs: Callable[[str], Path], tmp_path: Path) -> None:
    needs("dot")
    for name in ("cell.svg", "deep/cell.png", "cell.pdf"):
        good("show", "best", "--db", db, "--draw", name)
    assert (tmp_path / "cell.svg").read_text().startswith("<svg")
    assert (tmp_path / "deep" / "cell.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "cell.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in tmp_path.iterdir()} == {"cell.svg", "deep", "cell.pdf"}, "nothing half-written"


def test_drawing_says_what_it_lacks(db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = nasengine("show", "best", "--db", db, "--draw", "cell.txt")
    assert done.code == 2 and "cell.txt" in done.err and ".svg, .png, .pdf" in done.err
    monkeypatch.setenv("PATH", str(tmp_path))
    done = nasengine("show", "best", "--db", db, "--draw", "cell.svg")
    assert done.code == 2 and "graphviz" in done.err and not (tmp_path / "cell.svg").exists()
    assert "node0" in done.out, "the lines are there without it"
