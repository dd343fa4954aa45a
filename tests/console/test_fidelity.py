"""The fidelity command: its table, its JSON, its picture, and how it goes on."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from nasengine.console import exits
from nasengine.console.commands.fidelity import fidelity
from nasengine.errors import NasError
from nasengine.evaluators import train
from tests.fidelity.conftest import SHORT, db, weights  # noqa: F401 - fixtures

LINE = "nasengine fidelity big --samples 3"


def command(db: Path, name: str = "big", **words: Any) -> tuple[str, str]:  # noqa: F811
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert fidelity(name, **{**SHORT, "db": str(db), "line": LINE, **words}) == exits.OK
    return out.getvalue(), err.getvalue()


def test_a_table_of_pairs_a_picture_and_figures_for_programs(db: Path, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("matplotlib")
    out, err = command(db, draw=str(tmp_path / "pairs.svg"))
    assert "weights of big" in out and "macs" in out and "tau is Kendall's" in out
    assert "3 of 3 networks are trained for 1 epochs" in err and (tmp_path / "pairs.svg").exists()
    found = json.loads(command(db, json=True)[0])
    assert [pair["number"] for pair in found["pairs"]] == [0, 1, 2]
    assert all(f"{pair['trained']:.4f}" in out and f"{pair['inherited']:.4f}" in out for pair in found["pairs"])
    assert found["samples"] == 3 and set(found["baselines"]) == {"params", "macs"}
    assert f"{found['tau']:.3f}" in out and f"{found['low']:.3f} to {found['high']:.3f}" in out
    assert all(doubt in out for doubt in found["doubts"])


def test_ctrl_c_says_which_command_goes_on(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def pressed(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "fit", pressed)
    with pytest.raises(exits.Stopped, match=f"big-fidelity is stopped and saved.*\n  {LINE} --name big-fidelity"):
        command(db)


def test_what_cannot_be_drawn_is_refused_before_anything_runs(db: Path) -> None:  # noqa: F811
    with pytest.raises(NasError, match="x.gif came"):
        command(db, draw="x.gif")
    assert "networks are trained for" in command(db)[1]
