"""A search from the command line: what it says at its end, stopping it, going on, and a dry run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.console.typed import ROOT, TINY, Done, good, nasengine


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
