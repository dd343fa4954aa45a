"""The wheel works in a clean environment, from another folder, without the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("nasengine", "search_spaces", "strategies", "cli.py", "pyproject.toml", "README.md", "LICENSE")


def call(*command: object, cwd: Path) -> str:
    """Run a command with nothing of the repository in its environment; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that no `build` folder is left in the repository."""
    folder = tmp_path_factory.mktemp("source")
    for name in OURS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", cwd=folder)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel; other people's libraries are borrowed from this one."""
    home = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    call(sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--python", python, wheel, cwd=home)
    # a path in a .pth is appended as it is: the .pth of an editable install in there is not followed
    site = home / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def rows(clean: Path, cwd: Path, *words: str) -> Any:
    return json.loads(call(clean / "nasengine", *words, "--json", cwd=cwd))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"nasengine", "nasengine-0.1.0.dist-info"}
    assert {"nasengine/cli.py", "nasengine/py.typed", "nasengine/search_spaces/darts.py"} <= set(names)
    assert {"nasengine/strategies/pr_darts.py", "nasengine/job.py"} <= set(names)
    assert any(name.startswith("nasengine/ledger/migrations/versions/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_every_source_file_of_the_engine_is_in_the_wheel(wheel: Path) -> None:
    package = ROOT / "nasengine"
    folders = [entry for entry in package.iterdir() if entry.is_dir()]
    ours = {f"nasengine/{d.name}/{p.relative_to(d)}" for d in folders for p in d.rglob("*.py")}
    assert ours - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_it_is_not_the_repository_that_runs(clean: Path, tmp_path: Path) -> None:
    code = "import nasengine, nasengine.strategies, sys; print(nasengine.__file__); print(*sys.path, sep='\\n')"
    file, *path = call(clean / "python", "-c", code, cwd=tmp_path).splitlines()
    assert Path(file).is_relative_to(clean.parent)
    assert str(ROOT) not in path


def test_no_bare_names_leak(clean: Path, tmp_path: Path) -> None:
    code = "from importlib.util import find_spec; print(*map(find_spec, ['strategies', 'search_spaces', 'cli']))"
    assert call(clean / "python", "-c", code, cwd=tmp_path).split() == ["None"] * 3


def test_spaces_are_listed(clean: Path, tmp_path: Path) -> None:
    listed = rows(clean, tmp_path, "spaces")
    assert {"darts", "nasbench201", "metaformer"} <= {row["name"] for row in listed}


def test_a_small_search_runs_from_another_folder(clean: Path, tmp_path: Path) -> None:
    small = ["--space.channels", "4", "--space.layers", "3", "--trials", "1", "--epochs", "1", "--recipe.epochs", "1"]
    words = ["--space", "darts", "--strategy", "random-search", "--data", "digits", "--name", "small", *small]
    call(clean / "nasengine", "search", *words, cwd=tmp_path)
    assert (tmp_path / "results" / "nasengine.db").is_file()
    states = {row["kind"]: row["state"] for row in rows(clean, tmp_path, "results", "--name", "small")}
    assert states == {"candidate": "complete", "final": "complete"}
