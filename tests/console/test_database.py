"""Whole searches in PostgreSQL, and databases that cannot be written, as a user meets them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nasengine.ledger import Ledger
from tests.console.typed import ROOT, TINY, good, nasengine


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_whole_search_in_postgresql(postgres: str) -> None:
    done = good("search", *TINY, "--name", "one", "--db", postgres)
    assert "nasengine show best --name one --db" in done.out or "nasengine export best --name one" in done.out
    with Ledger(postgres) as ledger:
        assert ledger.check() == []
        rows = ledger.results("one")
        assert [(row["kind"], row["state"]) for row in rows] == [
            *[("candidate", "complete")] * 2,
            ("final", "complete"),
        ]
        assert all(ledger.epochs(row["id"]) for row in rows)
        with ledger.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM trials").scalar() == 3, "Optuna's view"
    again = good("search", *TINY, "--name", "one", "--db", postgres)
    assert "going on after 2 results" in again.err
    good("backup", "copy.db", "--db", postgres)
    assert len(good("results", "--db", "copy.db", "--json").json) == 3


def test_a_folder_that_is_a_file_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    refused = nasengine("search", *TINY)
    assert refused.code == 2
    assert "results database results/nasengine.db: File exists; name a folder you can write with --db" in refused.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_folder_that_may_not_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    Ledger(tmp_path / "x.db").close()
    (tmp_path / "x.db").chmod(0o644)
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); from nasengine.ledger import Ledger; import sqlalchemy\n"
        "import sqlalchemy.dialects.sqlite, sqlalchemy.dialects.postgresql, alembic.command, alembic.script\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    with Ledger(sys.argv[1]) as ledger: ledger.open_search('one', space='darts', strategy='x')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    for name, words in (("new/x.db", "Permission denied; name a folder"), ("x.db", "--db"), ("y.db", "its folder")):
        asked = [sys.executable, "-c", code, str(tmp_path / name)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True)
        assert done.stdout.startswith("LedgerError results database") or done.stdout.startswith("DatabaseAway")
        assert words in done.stdout, done.stdout
        assert not (tmp_path / "y.db").exists()
