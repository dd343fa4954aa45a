"""A comparison from the command line: its JSON, its page, going on, stopping, and every bad word."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.made_up import write_files
from tests.bench.test_many import SLOW
from tests.console.typed import ROOT, good, nasengine

KEYS = {"strategy", "queries", "mean_validation", "mean_test", "fraction_at_optimum", "seeds"}


def command(table: Path, *more: str, strategies: str = "random-search", seeds: int = 3, budget: int = 10) -> list[str]:
    """A comparison on the made-up table, in this process."""
    numbers = ["--seeds", str(seeds), "--budget", str(budget), "--workers", "1", "--db", "n.db"]
    return ["bench", "--strategies", strategies, "--table", str(table), *numbers, *more]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_files(tmp_path)


@pytest.fixture
def drawn() -> None:
    """For tests that want page and pictures; drawing takes longer than all the rest."""
    pytest.importorskip("plotly")
    pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def seldom_drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "drawn" not in request.fixturenames:
        find = importlib.util.find_spec
        missing = ("plotly", "matplotlib")
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A strategy in a file: it goes through the space in order, and ends after `most` proposals."""
    path = tmp_path / "inorder.py"
    path.write_text(
        '"""Proposes in order."""\n\n\nclass InOrder:\n    """most: how many are proposed"""\n\n'
        "    def __init__(self, space, most: int = 81):\n"
        "        self.architectures, self.most, self.told = list(space.enumerate()), most, 0\n\n"
        "    def ask(self, rng):\n        return self.architectures[self.told] if self.told < self.most else None\n\n"
        "    def tell(self, result):\n        self.told += 1\n"
    )
    return str(path)


def test_json_is_a_list_of_strategies_and_all_that_is_printed(table: Path, other: str) -> None:
    done = good(*command(table, "--json", strategies=f"random-search,{other},{other}(most=4)"))
    first, second, third = done.json
    assert all(row.keys() >= KEYS for row in done.json)
    assert first["strategy"] == "random-search" and third["strategy"] == f"{other}(most=4)"
    assert [row["queries"] for row in done.json] == [10, 10, 4] and first["seeds"] == 3
    assert first["mean_validation"] == pytest.approx(first["mean_test"] + 0.1)
    assert second["sd_validation"] == 0.0  # it does the same under every seed
    assert "nothing more to propose" not in done.err


def test_the_same_command_gives_the_same_json_and_runs_nothing_again(table: Path) -> None:
    words = command(table, "--name", "one", "--json")
    first, again = good(*words), good(*words)
    Path("n.db").rename("before.db")
    elsewhere = good(*words)
    assert first.out == again.out == elsewhere.out
    assert "bench one: 3 runs" in first.err and "bench one: 0 runs, 3 are there already" in again.err


def test_strategies_and_seeds_may_be_added_under_a_name(table: Path, other: str) -> None:
    good(*command(table, "--name", "one"))
    done = good(*command(table, "--name", "one", "--json", strategies=f"random-search,{other}", seeds=4))
    assert "5 runs, 3 are there already" in done.err
    assert [row["seeds"] for row in done.json] == [4, 4]
    fewer = good(*command(table, "--name", "one", "--json", "--first-seed", "2", seeds=1))
    assert fewer.json[0]["seeds"] == 1 and "0 runs" in fewer.err


def test_other_facts_or_a_changed_strategy_under_the_same_name_are_refused(table: Path, other: str) -> None:
    good(*command(table, "--name", "one", strategies=other))
    done = nasengine(*command(table, "--name", "one", strategies=other, budget=11))
    assert done.code == 2 and "budget is recorded as 10, 11 came" in done.err
    Path(other).write_text(Path(other).read_text() + "# changed\n")
    done = nasengine(*command(table, "--name", "one", strategies=other))
    assert done.code == 2 and "inorder.py was changed since its runs were recorded" in done.err


def test_words_and_files_say_what_was_compared(table: Path, other: str, drawn: None) -> None:
    done = good(*command(table, "--to", "out", strategies=f"random-search,{other}(most=4)", budget=100))
    assert "tiny, 81 rows: 3 seeds from 0 on, 100 queries each, selected by validation accuracy; test acc" in done.out
    assert "uniform draws, exactly" in done.out and "had nothing more to propose in 3 of 3 runs" in done.out
    assert "larger than the table, which has 81 rows" in done.out
    names = ["comparison.html", "comparison.json", "comparison.png", "comparison.svg"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    page = Path("out/comparison.html").read_text()
    assert f"nasengine bench --strategies &#x27;random-search,{other}(most=4)&#x27;" in page
    assert len(json.loads(Path("out/comparison.json").read_text())) == 2


def test_without_a_folder_the_page_lies_beside_the_database(table: Path) -> None:
    done = good(*command(table))
    assert Path("n.runs/tiny-1/comparison.json").is_file() and "n.runs/tiny-1/comparison.json" in done.err
    assert "comparison.html cannot be made without plotly: run pip install 'nasengine[viz]'" in done.err


def test_a_strategy_that_breaks_is_named_with_its_seed_and_the_others_go_on(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "breaks.py"
    path.write_text(SLOW.replace("time.sleep(0.05)", "rng.random() < 0.2 and 1 / 0"))
    done = nasengine(*command(table, "--json", "--name", "one", strategies=f"{path},random-search"))
    assert done.code == 1
    assert re.search(r"breaks.py failed with seed \d at query \d: ZeroDivisionError: .*breaks.py:5\)", done.err)
    broken, fine = done.json
    assert broken["errors"] + broken["seeds"] == 3 and broken["errors"] and fine["seeds"] == 3


def test_multi_objective_with_a_bound(table: Path) -> None:
    done = good(*command(table, "--objective", "validation_accuracy", "--objective", "latency_ms<1.1"))
    assert "selected by validation accuracy, latency ms<1.1" in done.out and "MnasNet's reward, soft" in done.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--strategies", "evoluton"], 'Did you mean "evolution"?'),
        (["--strategies", "pr-darts"], "learns gates inside a supernet"),
        (["--objective", "min:latency"], "it has no latency; objectives may be validation_accuracy, test"),
        (["--seeds", "0", "--budget", "-1"], "--budget came as -1; give a whole number of at least 1; --seeds came"),
        (["--target", "2"], "--target came as 2.0"),
        (["--table", "nasbench_2O1"], "no such file or name"),
        (["--to", "n.txt"], "which is a file; name a folder"),
        (["--reward", "sofft"], "allowed are constraint, soft, hard"),
    ],
)  # fmt: skip
def test_bad_words_begin_nothing(table: Path, more: list[str], said: str) -> None:
    Path("n.txt").touch()
    words = command(table)
    for flag in set(more) & set(words):
        del words[words.index(flag) : words.index(flag) + 2]
    done = nasengine(*words, *more)
    assert done.code == 2 and said in done.err, done.err
    assert not Path("n.db").exists() and done.out == ""


def test_ctrl_c_saves_and_the_same_command_goes_on(table: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    words = command(table, "--name", "cut", strategies="./slow.py", seeds=10, budget=4)
    words[words.index("--workers") + 1] = "2"
    process = subprocess.Popen(
        [sys.executable, "-m", "nasengine.cli", *words],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("3/10 runs"):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers hear it, too
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "bench cut is stopped" in err and "runs are saved" in err and "Traceback" not in err and out == ""
    words[words.index("--workers") + 1] = "1"
    done = good(*words)
    assert "are there already" in done.err and "bench cut: 10 runs" not in done.err
