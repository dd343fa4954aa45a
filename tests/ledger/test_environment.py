"""The environment names versions and the git revision, and does without where there is none."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from nasengine.ledger.environment import environment, git_revision


def test_environment_is_handed_the_version_of_torch() -> None:
    found = environment("2.13.0", threads=3)
    assert (found["threads"], found["numpy"]) == (3, version("numpy"))
    assert (found["torch"], found["python"], found["host"]) == ("2.13.0", platform.python_version(), platform.node())


def test_git_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision() is None
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "f"], [*name, "commit", "-qm", "x"], [*name, "tag", "-am", "x", "v1"]):
        (tmp_path / "f").write_text("1")
        subprocess.run(["git", *words], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert git_revision() == head and len(head) == 40
    (tmp_path / "f").write_text("2")
    assert git_revision() == f"{head}-dirty"
    monkeypatch.setenv("PATH", "")
    assert git_revision() is None
