"""The suite with made-up benchmarks: what is repeated, refused, kept and said."""

import json
from collections.abc import Generator
from pathlib import Path
from textwrap import dedent

import pytest

from benchmarks import suite
from benchmarks.measure import Measured
from benchmarks.suite import Outcome, measure, modules
from benchmarks.suite_part import figures_of
from benchmarks.suite_record import keep, read

ROOT = Path(__file__).parents[2]


def figure(name: str, spread: float = 1.0, ratio: float = 3.0) -> Measured:
    return Measured(name, ratio, spread, 2.0, "the loop")


class Runs:
    """A benchmark of the figures a, b and c, of which b agrees only after so many runs."""

    def __init__(self, restless: int):
        self.restless, self.runs, self.taken = restless, 0, list[str]()

    def __call__(self) -> Generator[Measured, None, None]:
        self.runs += 1
        for name in "abc":
            self.taken.append(name)
            yield figure(name, 2.0 if name == "b" and self.runs <= self.restless else 1.1, ratio=self.runs)


@pytest.mark.parametrize(("restless", "runs", "refused"), [(0, 1, set()), (2, 3, set()), (9, 4, {"b"})])
def test_what_spreads_is_measured_again_and_at_last_refused(restless: int, runs: int, refused: set[str]) -> None:
    benchmark, outcome = Runs(restless), Outcome()
    measure(benchmark, outcome)
    assert (benchmark.runs, outcome.refused) == (runs, refused)
    assert outcome.figures["a"].ratio == 1  # a steady figure stays as it was measured first
    assert outcome.figures["b"].ratio == runs


def test_a_repeat_ends_with_the_last_figure_that_is_missing() -> None:
    benchmark = Runs(1)
    measure(benchmark, Outcome())
    assert benchmark.taken == ["a", "b", "c", "a", "b"]


def test_a_partial_run_leaves_the_other_figures_and_a_whole_one_does_not(tmp_path: Path) -> None:
    keep({"one": [figure("a"), figure("b")]}, tmp_path, whole=True)
    keep({"two": [figure("b", spread=1.6), figure("c", ratio=5.0)]}, tmp_path, whole=False)
    assert [(one.name, one.ratio, one.steady) for one in read(tmp_path)] == [
        ("a", 3.0, True), ("b", 3.0, False), ("c", 5.0, True)
    ]  # fmt: skip
    keep({"two": [figure("c")]}, tmp_path, whole=True)
    assert read(tmp_path) == [figure("c")]
    assert [set(fact) for fact in json.loads((tmp_path / "bench.json").read_text())] == [
        {"name", "ratio", "spread", "goal", "peer"}
    ]
    lines = [json.loads(line) for line in (tmp_path / "bench_history.jsonl").read_text().splitlines()]
    assert [[list(map(lambda one: one["name"], of)) for of in line["figures"].values()] for line in lines] == [
        [["a", "b"]], [["c"]], [["c"]]
    ]  # fmt: skip
    assert all(line.keys() == {"date", "commit", "cpu", "torch", "figures"} and line["cpu"] for line in lines)


MADE_UP = {
    "good.py": """
        import os
        from benchmarks.measure import Measured

        def measurements(rounds=7):
            print("said in between")
            yield Measured("rounds", rounds, 1.0, 2.0, "the loop")
            yield Measured("threads", float(os.environ["OMP_NUM_THREADS"]), 1.0, 1.0, "none", at_most=True, unit="")
    """,
    "bad.py": """
        from benchmarks.measure import Measured

        def measurements():
            yield Measured("before", 1.0, 1.0, 2.0, "the loop")
            raise ValueError("the compiler has gone")
    """,
    "other.py": "def main():\n    pass\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "made_up").mkdir()
    for name, text in MADE_UP.items():
        (tmp_path / "made_up" / name).write_text(dedent(text))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(ROOT)
    return tmp_path / "made_up"


def test_a_benchmark_that_fails_is_a_line_and_not_the_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.main(["--rounds", "3", "--to", str(folder)], folder) == 1
    said = capsys.readouterr().out
    assert "failed" in said and "the compiler has gone" in said
    assert {one.name: one.ratio for one in read(folder)} == {"before": 1.0, "rounds": 3.0, "threads": 1.0}


def test_two_benchmarks_cannot_have_a_figure_of_one_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.py").write_text((folder / "good.py").read_text().replace('"threads"', '"others"'))
    assert suite.main(["--rounds", "3", "--to", str(folder)], folder) == 1
    said = capsys.readouterr().out
    assert '"rounds" came, which is a figure of bad already' in said
    assert [one.name for one in read(folder)] == ["rounds", "others"]


def test_a_missed_goal_is_no_failure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.py").write_text("from benchmarks.measure import Measured\ndef measurements():\n"
                                   "    yield Measured('late', 1.0, 1.0, 2.0, 'the loop')\n")  # fmt: skip
    assert suite.main(["bad", "--json", "--to", str(folder)], folder) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "late"


def test_ctrl_c_keeps_what_is_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(module: str, rounds: int | None) -> Generator[Measured, None, None]:
        yield figure("a")
        raise KeyboardInterrupt

    monkeypatch.setattr(suite, "figures_of", interrupted)
    keep({"older": [figure("z")]}, folder, whole=True)
    assert suite.main(["--to", str(folder)], folder) == 130
    assert [one.name for one in read(folder)] == ["z", "a"]


def test_a_name_that_is_none_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        suite.main(["god"], folder)
    assert "no benchmark god; there are bad, good" in capsys.readouterr().err


def test_benchmarks_are_found_by_looking() -> None:
    found = modules(ROOT / "benchmarks")
    assert "suite" not in found and "measure" not in found
    texts = {name: (ROOT / "benchmarks" / f"{name}.py").read_text() for name in found}
    assert [name for name, text in texts.items() if "\ndef main(" not in text] == [], "each is a command as well"


def test_a_benchmark_that_is_ended_early_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "littering.py").write_text(
        dedent("""
            import tempfile, time
            from benchmarks.measure import Measured

            def measurements():
                with tempfile.TemporaryDirectory(dir="."):
                    yield Measured("first", 1.0, 1.0, 1.0, "none")
                    time.sleep(60)
        """)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    figures = figures_of("littering")
    assert next(figures).name == "first"
    figures.close()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]
