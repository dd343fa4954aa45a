"""The command line as a user types it: what each command loads and says of itself, and every kind of bad input."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nasengine.cli import app
from tests.console.typed import ROOT, good, nasengine


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"], ["spaces"], ["strategies", "--json"], ["cunt"]])
def test_help_listings_and_mistakes_load_nothing_heavy(words: Sequence[str]) -> None:
    code = "import sys; from nasengine.cli import main; main(sys.argv[1:])"
    code += "; print('loaded:', *(sys.modules.keys() & {'torch', 'ray', 'optuna', 'sqlalchemy', 'pandas', 'numpy'}))"
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
