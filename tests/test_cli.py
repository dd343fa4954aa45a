"""The command line as a user types it: every command, its JSON, every kind of bad input, stopping and going on."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nasengine.cli import app, main

ROOT = Path(__file__).parents[1]
SMALL = ["--space.channels", "4", "--space.layers", "3", "--limit", "120"]
TINY = ["--strategy", "random-search", "--trials", "2", "--epochs", "1", "--recipe.epochs", "2", *SMALL]
ROW = {
    *("search", "trial", "kind", "digest", "values", "params", "macs", "seconds", "state", "best"),
    *("id", "architecture", "error", "seed", "reused_from", "weights", "recipe", "lineage"),
}  # what docs/results.md promises


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def nasengine(*words: str) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    return Done(code, out.getvalue(), err.getvalue())


def good(*words: str) -> Done:
    done = nasengine(*words)
    assert done.code == 0, done.err
    return done


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in an empty folder, away from the repository and its results."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Done]:
    """One search, its command and what it said; `--db` stands at the end of the command."""
    db = tmp_path_factory.mktemp("searched") / "n.db"
    command = ["search", *TINY, "--name", "one", "--db", str(db)]
    return command, good(*command)


@pytest.fixture
def db(searched: tuple[list[str], Done]) -> str:
    return searched[0][-1]


# light commands


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"], ["spaces"], ["strategies", "--json"], ["cunt"]])
def test_help_listings_and_mistakes_load_nothing_heavy(words: Sequence[str]) -> None:
    code = "import sys; from nasengine.cli import main; main(sys.argv[1:])"
    code += "; print('loaded:', *(sys.modules.keys() & {'torch', 'ray', 'optuna', 'sqlalchemy', 'pandas'}))"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def test_help_names_every_command_and_the_exit_codes() -> None:
    out = good("--help").out
    for command in (
        *("search", "spaces", "strategies", "describe", "count", "cost"),
        *("results", "show", "train", "export", "dashboard", "doctor"),
    ):
        assert f"│ {command}" in out
        assert app[command].help
    assert "Exit codes: 0 done; 1 failed while running; 2 bad input" in out and "130" in out


def test_help_of_search_names_every_flag() -> None:
    out = good("search", "--help").out
    for flag in (
        *("space", "strategy", "data", "name", "trials", "epochs", "hours", "seed", "db"),
        *("evaluator", "executor", "workers", "order", "no-reuse", "dry-run"),
    ):
        assert f"--{flag} " in out


def test_lists_of_spaces_and_strategies() -> None:
    assert "nasbench201" in good("spaces").out
    assert {row["name"] for row in good("spaces", "--json").json} >= {"darts", "metaformer", "nasbench201"}
    assert {row["name"] for row in good("strategies", "--json").json} >= {"darts", "pr-darts", "random-search"}
    assert "--strategy.variant" in good("strategies", "pr-darts").out
    options = {setting["name"]: setting for setting in good("strategies", "pr-darts", "--json").json["settings"]}
    assert options["variant"].keys() == {"name", "type", "default", "required", "text"}
    assert good("describe", "--strategy", "pr-darts").out == good("strategies", "pr-darts").out


# spaces


def test_count_is_exact() -> None:
    assert good("count", "--space", "darts", "--json").json == {
        "space": "darts",
        "count": 1_037_664_180**2,  # Liu et al., 2019: about 1e18
        "exact": True,
    }
    assert good("count", "--space", "nasbench201").out == "15,625 architectures\n"


@pytest.mark.parametrize("scale", [[], ["--space.channels", "36", "--space.layers", "20"]])
def test_cost_of_a_published_cell(scale: list[str]) -> None:
    found = good("cost", "--space", "darts", "--architecture", "prdarts", "--json", *scale).json
    assert found.keys() == {"space", "architecture", "settings", "params", "macs"}
    assert (found["params"], found["macs"]) == (3_444_814, 529_763_328 + 5_760)
    assert (found["settings"]["channels"], found["settings"]["layers"]) == (36, 20)


def test_cost_of_the_ends_of_a_space() -> None:
    words = ["cost", "--space", "nasbench201", "--space.cells", "1", "--space.channels", "4"]
    found = good(*words, "--json").json
    assert found["smallest"]["params"] < found["largest"]["params"]
    assert found["smallest"]["macs"] < found["largest"]["macs"]
    assert f"{found['largest']['params']:,}" in good(*words).out


def test_describe_says_what_a_space_asks_and_takes() -> None:
    out = good("describe", "--space", "nasbench201").out
    assert "cell.edge_0_1.op: 1 of none (zero)" in out and "--space.cells" in out and "15,625" in out
    found = good("describe", "--space", "darts", "--json").json
    assert found.keys() == {
        *("name", "input", "text", "settings", "decisions"),
        *("architectures", "count", "exact", "schema"),
    }
    assert found["decisions"]["normal.node0.inputs"]["keep"] == [2, 2]
    assert "PRDARTS" in found["architectures"]


OWN = '''"""A space of my own."""
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op


def space(input=(3, 8, 8), classes=10, width=4):
    """
    width: channels of the one convolution
    """
    kernel = choose("kernel", 1, 3)
    head = op({head}, classes=classes)
    return Space("own", input=input, network=chain(op(ConvNorm, width=width, kernel=kernel), head=head))
'''


def test_a_space_of_ones_own_is_described_and_checked(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(head="Classifier"))
    assert "channels of the one convolution" in good("describe", "--space", "./own.py").out
    assert good("count", "--space", "./own.py", "--json").json["count"] == 2
    checked = good("describe", "--space", "./own.py", "--check", "--json").json
    assert checked["ok"] and all(check["ok"] and check["fault"] is None for check in checked["checks"])


def test_a_broken_space_fails_its_check_with_words(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(head="ConvNorm"))
    done = nasengine("describe", "--space", "./own.py", "--check")
    assert done.code == 1 and done.out.startswith("not ok  ") and "ConvNorm(classes=10)" in done.out
    assert "Traceback" not in done.out + done.err


# bad input

NOTHING = "results database"
BAD = {
    "command": (["serch"], ['"serch"', "search", "Did you mean"]),
    "no such flag": (["count", "--spce", "darts"], ["--spce", "--space", "Did you mean"]),
    "a word too many": (["count", "darts"], ["darts"]),
    "flag without value": (["count", "--space"], ["--space"]),
    "missing flag": (["train"], ["--architecture"]),
    "missing word": (["export"], ["TRIAL"]),
    "not a number": (["search", "--trials", "many"], ["--trials", "many", "whole number"]),
    "group": (["search", "--spacy.channels", "4"], ["--spacy.channels", "--space.…", "Did you mean"]),
    "unwanted group": (["count", "--recipe.lr", "1"], ["--recipe.lr", "--space.…"]),
    "group twice": (["count", "--space.layers", "4", "--space.layers=5"], ["--space.layers", "twice"]),
    "space": (["count", "--space", "dart"], ['"dart"', "nasbench201", 'Did you mean "darts"']),
    "space file": (["count", "--space", "./mine.py"], ["mine.py", "no such"]),
    "space setting": (["count", "--space.chanels", "4"], ['"chanels"', "channels=16", "Did you mean"]),
    "space value": (["count", "--space.channels", "wide"], ["channels", "'wide'", "whole number"]),
    "strategy": (["search", "--strategy", "pr-dart"], ['"pr-dart"', "random-search", "Did you mean"]),
    "strategy option": (["search", "--strategy.varant", "code"], ['"varant"', "variant", "Did you mean"]),
    "strategy value": (["search", "--strategy.variant", "cod"], ["variant", "'cod'", "paper"]),
    "data": (["search", "--data", "digit"], ['"digit"', "fashion-mnist", "Did you mean"]),
    "recipe name": (["search", "--recipe.epoch", "4"], ['"epoch"', "epochs", "Did you mean"]),
    "recipe value": (["search", "--recipe.lr", "fast"], ["recipe.lr", "fast"]),
    "negative recipe value": (["search", "--recipe.lr", "-1"], ["recipe.lr", "-1"]),
    "supernet name": (["search", "--supernet.batches", "4"], ['"batches"', "batch", "Did you mean"]),
    "no supernet": (["search", "--strategy", "random-search", "--supernet.lr", "1"], ["random-search", "supernet"]),
    "negative trials": (["search", "--trials", "-3"], ["trials", "-3", "at least 1"]),
    "negative hours": (["search", "--hours", "-1"], ["hours", "-1", "above 0"]),
    "negative limit": (["search", "--limit", "-5"], ["limit", "-5", "at least 1"]),
    "order": (["search", "--order", "random"], ["order", "'random'", "arrival, proposal"]),
    "policy": (["search", "--policy", "first"], ["policy", "'first'", "last, best"]),
    "evaluator": (["search", "--evaluator", "trane"], ['"trane"', "train", "Did you mean"]),
    "executor": (["search", "--executor", "inlin"], ['"inlin"', "inline", "Did you mean"]),
    "architecture": (["cost", "--architecture", "prdart"], ['"prdart"', "PRDARTS", "Did you mean"]),
    "architecture file": (["cost", "--architecture", "cell.json"], ["cell.json", "no such file"]),
    "architecture text": (["cost", "--architecture", "{normal"], ["{normal", "JSON"]),
    "train recipe": (["train", "--architecture", "prdarts", "--recipe", "finale"], ['"finale"', "final", "Did you"]),
    "train seeds": (["train", "--architecture", "prdarts", "--seeds", "0"], ["seeds", "0", "at least 1"]),
    "no database": (["results"], [NOTHING, "nasengine.db"]),
    "no database to show": (["show"], [NOTHING]),
    "no database to export": (["export", "best", "--to", "x"], [NOTHING]),
    "no database to look at": (["dashboard"], [NOTHING]),
    "database": (["results", "--db", "oracle://somewhere"], ["oracle", "sqlite"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_code_2(case: str, tmp_path: Path) -> None:
    words, parts = BAD[case]
    done = nasengine(*words)
    assert done.code == 2, done
    assert [part for part in parts if part not in done.err] == [], done.err
    assert "Traceback" not in done.err and "unexpected" not in done.err
    assert done.out == ""
    assert done.err.startswith("nasengine: ")
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_debug_shows_where_an_error_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" in nasengine("count", "--space", "dart", "--debug").err
    monkeypatch.setenv("NASENGINE_DEBUG", "1")
    assert "Traceback" in nasengine("count", "--space", "dart").err


# a search, and what is asked of it


def test_a_search_ends_with_the_cell_its_figures_and_what_comes_next(searched: tuple[list[str], Done]) -> None:
    command, done = searched
    assert "search one: random-search in darts on digits" in done.err
    assert "candidates   2/2" in done.err and "final        2/2" in done.err
    assert "\x1b" not in done.out + done.err  # plain lines without a terminal
    figures = done.out[done.out.index("search one, final network") :]
    assert "test accuracy 0." in figures and "parameters" in figures and "multiply-adds an image" in figures
    following = [line.split() for line in figures[figures.index("Next:") :].splitlines()[1:]]
    assert [words[:2] for words in following] == [["nasengine", one] for one in ("export", "dashboard", "train")]
    assert all(words[-2:] == ["--db", command[-1]] for words in following)


def test_results_are_rows(db: str) -> None:
    rows = good("results", "--db", db, "--json").json
    assert rows == good("results", "--name", "one", "--db", db, "--json").json
    assert [(row["kind"], row["trial"], row["state"], row["best"]) for row in rows[:2]] == [
        ("candidate", 0, "complete", False),
        ("candidate", 1, "complete", False),
    ]
    final = rows[2]
    assert (final["search"], final["kind"], final["state"], final["best"]) == ("one", "final", "complete", True)
    assert all(row.keys() == ROW for row in rows)
    assert {"validation_accuracy", "validation_loss", "train_accuracy"} <= rows[0]["values"].keys()
    assert "test_accuracy" in final["values"] and "test_accuracy" not in rows[0]["values"]
    assert all(row["digest"].startswith("nas1:") and row["params"] > 0 < row["macs"] for row in rows)
    shown = good("results", "--db", db).out
    assert f"{final['params']:,}" in shown and f"{final['values']['test_accuracy']:.4f}" in shown


def test_show_tells_a_network_and_where_it_comes_from(db: str) -> None:
    out = good("show", "best", "--db", db).out  # the newest search, where none is named
    assert "node0" in out and "test accuracy" in out and "nas1:" in out and "random-search" in out
    found = good("show", "1", "--name", "one", "--db", db, "--json").json
    assert (found["kind"], found["trial"], found["state"]) == ("candidate", 1, "complete")
    assert len(found["epochs"]) == 1 and found["settings"]["channels"] == 4
    assert found["architecture"].keys() >= {"normal.node0.inputs"}


def test_a_network_is_drawn_by_dot(db: str, needs: Any, tmp_path: Path) -> None:
    needs("dot")
    for name in ("cell.svg", "deep/cell.png", "cell.pdf"):
        good("show", "best", "--db", db, "--draw", name)
    assert "<svg" in (tmp_path / "cell.svg").read_text()
    assert (tmp_path / "deep" / "cell.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "cell.pdf").read_bytes().startswith(b"%PDF")


def test_drawing_says_what_it_lacks(db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = nasengine("show", "best", "--db", db, "--draw", "cell.txt")
    assert done.code == 2 and "cell.txt" in done.err and ".svg, .png, .pdf" in done.err
    monkeypatch.setenv("PATH", str(tmp_path))
    done = nasengine("show", "best", "--db", db, "--draw", "cell.svg")
    assert done.code == 2 and "graphviz" in done.err and not (tmp_path / "cell.svg").exists()


def test_export_writes_a_folder_after_a_parity_check(db: str, tmp_path: Path) -> None:
    done = good("export", "best", "--name", "one", "--to", "out", "--db", db)
    files = {"model.py", "model.safetensors", "architecture.json", "README.md"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    assert all(name in done.out for name in files) and "parity" in done.out
    best = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert best["parity"] < 1e-5 and f"{best['parity']:.1e}" in done.out
    words = ["cost", "--architecture", "out/architecture.json", "--json"]
    assert good(*words).json["params"] == best["params"]  # at the scale it was found at
    assert good("cost", "--architecture", "one:best", "--db", db, "--json").json["params"] == best["params"]
    assert good(*words, "--space.layers", "4").json["params"] > best["params"]


def test_the_same_command_again_trains_nothing(searched: tuple[list[str], Done], db: str) -> None:
    command, done = searched
    before = good("results", "--db", db, "--json").json
    again = good(*command)
    assert "goes on" in again.err and "candidates   1/2" not in again.err
    assert again.out == done.out
    assert good("results", "--db", db, "--json").json == before


def test_other_facts_under_the_same_name_are_refused(searched: tuple[list[str], Done], db: str) -> None:
    done = nasengine(*searched[0], "--seed", "1")
    assert done.code == 2
    assert "seed is recorded as 0, 1 came" in done.err and "--name" in done.err
    assert all(row["seed"] == 0 for row in good("results", "--db", db, "--json").json)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["results", "--name", "on"], ["on", "one", "Did you mean"]),
        (["show", "--name", "two"], ["two", "one"]),
        (["show", "7"], ["7", "0, 1, final"]),
        (["export", "7", "--to", "x"], ["7", "0, 1, final"]),
        (["export", "best", "--name", "two", "--to", "x"], ["two", "one"]),
        (["cost", "--architecture", "two:best"], ["two", "one"]),
        (["cost", "--space", "nasbench201", "--architecture", "one:best"], ["darts", "nasbench201"]),
    ],
)
def test_unknown_searches_and_trials_are_named(words: list[str], parts: list[str], db: str) -> None:
    done = nasengine(*words, "--db", db)
    assert done.code == 2 and [part for part in parts if part not in done.err] == [], done
    assert "Traceback" not in done.err and done.out == ""


# training one architecture


def test_train_takes_an_architecture_under_several_seeds(db: str) -> None:
    command = ["train", "--architecture", "one:best", "--recipe.epochs", "1", "--limit", "120", "--name", "again"]
    command += ["--db", db]
    first = good(*command)
    assert "test accuracy" in first.out and "±" not in first.out
    both = good(*command, "--seeds", "2")  # the first is there already
    assert "± 0." in both.out and "Next:" in both.out
    rows = good("results", "--name", "again", "--db", db, "--json").json
    assert [(row["kind"], row["trial"], row["seed"], row["state"]) for row in rows] == [
        ("final", 0, 0, "complete"),
        ("final", 1, 1, "complete"),
    ]
    assert len({row["digest"] for row in rows}) == 1 and len({row["weights"] for row in rows}) == 2
    accuracies = [row["values"]["test_accuracy"] for row in rows]
    assert f"{sum(accuracies) / 2:.4f}" in both.out and all(f"{one:.4f}" in both.out for one in accuracies)
    good("export", "final-0", "--name", "again", "--to", "out", "--db", db)
    refused = nasengine(*command, "--recipe.lr", "0.5")
    assert refused.code == 2 and "recipe.final.lr" in refused.err


def test_a_published_architecture_brings_its_settings_and_flags_override(db: str) -> None:
    words = ["--architecture", "darts_v2", "--space.channels", "4", "--space.layers", "3", "--recipe.epochs", "1"]
    good("train", *words, "--limit", "60", "--name", "v2", "--db", db)
    found = good("show", "final", "--name", "v2", "--db", db, "--json").json
    settings = found["settings"]
    assert (settings["channels"], settings["layers"]) == (4, 3)  # flags
    assert (settings["input"], settings["classes"]) == ([1, 8, 8], 10)  # the data
    assert settings["auxiliary"] is True  # Liu et al., 2019, retrain with an auxiliary head


# stopping


def test_ctrl_c_saves_says_how_to_go_on_and_the_same_command_does(tmp_path: Path) -> None:
    command = ["search", *TINY, "--name", "cut"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nasengine.cli", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("candidates   1/2"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "cut is stopped and saved" in err and "nasengine search --strategy random-search" in err
    assert "Traceback" not in err and out == ""
    first, *_ = good("results", "--name", "cut", "--json").json
    assert (first["trial"], first["state"]) == (0, "complete")
    assert "search cut goes on" in good(*command).err
    rows = good("results", "--name", "cut", "--json").json
    assert rows[0] == {**first, "best": False}  # not trained again
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("candidate", "complete"),
        ("candidate", "complete"),
        ("final", "complete"),
    ]


def test_a_dry_run_shows_the_plan_and_begins_nothing(tmp_path: Path) -> None:
    done = good("search", "--dry-run", *TINY)
    assert "1,076,746,950,455,072,400 architectures" in done.out
    assert "parameters" in done.out and "multiply-adds" in done.out
    assert "candidates" in done.out and "final" in done.out and "MiB" in done.out
    assert "nothing was begun" in done.out
    assert list(tmp_path.iterdir()) == []


# this machine


def test_doctor_looks_around(db: str) -> None:
    found = good("doctor", "--json", "--db", db).json
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["libraries"]["torch"] and found["threads"] >= 1
    assert "digits" in found["data"]
    assert "writable" in found["database"]
    out = good("doctor").out
    assert "will be made" in out and "torch" in out
    assert not Path("results").exists()
