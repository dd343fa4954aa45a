"""What this machine offers, whatever of it is missing."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas
import pytest

from nasengine.console.doctor import EXTRAS
from tests.console.typed import ROOT, good

KEYS = {
    *("nasengine", "python", "platform", "libraries", "cores", "threads", "gpus"),
    *("data", "tables", "devices", "folders", "dot", "extras", "database"),
}


def test_doctor_looks_around(db: str) -> None:
    found = good("doctor", "--json", "--db", db).json
    assert found.keys() == KEYS
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["libraries"]["torch"] and found["threads"] >= 1
    assert "cpu" in found["devices"]
    assert "digits" in found["data"] and found["extras"].keys() == EXTRAS.keys()
    assert found["database"] == f"{db}: there, writable"
    out = good("doctor").out
    assert "results/nasengine.db: will be made, writable" in out and "torch" in out
    assert not Path("results").exists()


def test_doctor_shows_where_data_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cats.npz").touch()
    monkeypatch.setenv("NASENGINE_DATA", str(tmp_path))
    monkeypatch.setenv("NASENGINE_TABLES", str(tmp_path / "nowhere"))
    found = good("doctor", "--json").json
    assert found["data"]["cats"] == str(tmp_path / "cats.npz")
    assert found["folders"]["NASENGINE_DATA"] == str(tmp_path)
    assert "nowhere is no folder" in good("doctor").out


def test_doctor_lists_benchmark_tables_apart_from_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas.DataFrame({"arch_str": ["x"]}).to_parquet(tmp_path / "nasbench201.parquet")
    pandas.DataFrame({"png": [b"x"], "label": [0]}).to_parquet(tmp_path / "cats.parquet")
    monkeypatch.setenv("NASENGINE_DATA", str(tmp_path))
    monkeypatch.setenv("NASENGINE_TABLES", str(tmp_path))
    found = good("doctor", "--json").json
    assert "cats" in found["data"] and "nasbench201" not in found["data"]
    assert found["tables"]["nasbench201"] == str(tmp_path / "nasbench201.parquet") and "cats" not in found["tables"]
    assert f"nasbench201 ({tmp_path / 'nasbench201.parquet'})" in good("doctor").out


def test_doctor_says_what_is_missing_and_never_fails(tmp_path: Path) -> None:
    missing = ["torch", "ray", "optuna", "sqlalchemy", "sklearn", "pandas", "optuna_dashboard", "psycopg", "PIL"]
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); from nasengine.cli import main"
    words = ["doctor", "--db", "postgresql://nobody@127.0.0.1:1/none"]
    for more in ([], ["--json"]):
        call = [sys.executable, "-c", f"{code}; sys.exit(main({[*words, *more]}))"]
        environment = {"PYTHONPATH": str(ROOT), "PATH": str(tmp_path)}
        done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        if more:
            found = json.loads(done.stdout)
            assert found.keys() == KEYS and found["threads"] is None and found["dot"] is None
            assert found["data"] == {} and found["extras"]["dashboard"] == ["optuna_dashboard"]
        else:
            assert "torch is missing" in done.stdout and "dot is missing" in done.stdout
            assert "pip install 'nasengine[dashboard]'" in done.stdout


def test_every_extra_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert EXTRAS.keys() == project["optional-dependencies"].keys()
