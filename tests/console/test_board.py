"""The dashboard command: Optuna's view is complete, then it is served."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from nasengine.console.board import has_screen, served
from nasengine.errors import NasError
from tests.console.typed import ROOT, nasengine


def read(address: str) -> Any:
    with urlopen(address, timeout=30) as answer:
        return json.load(answer)


def test_the_dashboard_shows_every_search_until_ctrl_c(db: str, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    process = subprocess.Popen(
        [sys.executable, "-m", "nasengine.cli", "dashboard", "one", "--db", db, "--no-open"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("http://"):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        address, _, page = lines[-1].split()[0].rpartition("/dashboard/studies/")
        (study,) = read(f"{address}/api/studies")["study_summaries"]
        trials = read(f"{address}/api/studies/{study['study_id']}?after=0")["trials"]
    finally:
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert study["study_name"] == "one" and study["study_id"] == int(page)
    assert [trial["state"] for trial in trials] == ["Complete"] * 3
    assert process.returncode == 0 and "Traceback" not in rest


def test_without_the_extra_it_says_how_to_get_it(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = nasengine("dashboard", "--db", db)
    assert done.code == 2 and "pip install 'nasengine[dashboard]'" in done.err


def test_a_search_that_is_not_there_is_not_shown(db: str) -> None:
    done = nasengine("dashboard", "on", "--db", db, "--no-open")
    assert done.code == 2 and 'Did you mean "one"?' in done.err


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_screen()


def hello(environment: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [b'"hello"']


def test_a_port_that_is_taken_is_passed_over_or_refused() -> None:
    with served(hello, "127.0.0.1", None) as one, served(hello, "127.0.0.1", None) as two:
        assert one != two and read(one) == read(two) == "hello"
        port = int(one.rpartition(":")[2])
        with pytest.raises(NasError, match=f"port {port} of 127.0.0.1"), served(hello, "127.0.0.1", port):
            pass
    with pytest.raises(NasError, match="port 99999"), served(hello, "127.0.0.1", 99999):
        pass
