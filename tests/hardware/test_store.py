"""Timings on disk: found again, kept apart by device, sound with several writers and after a kill."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.hardware.store import Store
from nasengine.hardware.timing import Timing

FACTS = {"device": "cpu", "threads": 1}
ONE = Timing(1.5, 1.0, 2.0, 50)
WRITER = """
import sys
from pathlib import Path
from nasengine.hardware.store import Store
from nasengine.hardware.timing import Timing
store = Store({"device": "cpu", "threads": 1}, Path(sys.argv[1]))
print("begun", flush=True)
for number in range(int(sys.argv[3])):
    store.put(f"{sys.argv[2]} {number}", Timing(1.0, 1.0, 1.0, 50))
"""


def writer(folder: Path, word: str, number: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(folder), word, str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_timings_are_found_again_by_the_next_process(tmp_path: Path) -> None:
    store = Store(FACTS, tmp_path)
    assert store.get("a") is None
    assert store.put("a", ONE) == ONE
    again = Store(FACTS, tmp_path)
    assert again.get("a") == ONE and len(again) == 1
    assert json.loads((again.folder / "device.json").read_text()) == FACTS


def test_another_device_begins_anew(tmp_path: Path) -> None:
    store, other = Store(FACTS, tmp_path), Store({**FACTS, "threads": 2}, tmp_path)
    store.put("a", ONE)
    assert other.get("a") is None and other.folder != store.folder


def test_the_first_timing_stays_unless_it_is_measured_again(tmp_path: Path) -> None:
    store, other = Store(FACTS, tmp_path), Store(FACTS, tmp_path)
    store.put("a", ONE)
    later = Timing(9.0, 9.0, 9.0, 50)
    assert other.put("a", later) == ONE
    assert other.put("a", later, again=True) == later
    assert Store(FACTS, tmp_path).get("a") == later


def test_what_another_process_writes_is_seen(tmp_path: Path) -> None:
    store, other = Store(FACTS, tmp_path), Store(FACTS, tmp_path)
    other.put("a", ONE)
    assert store.get("a") == ONE


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    both = [writer(tmp_path, word, 40) for word in ("a", "b")]
    assert [one.communicate()[0] and one.returncode for one in both] == [0, 0]
    assert len(Store(FACTS, tmp_path)) == 80


def test_a_killed_writer_leaves_a_sound_file(tmp_path: Path) -> None:
    killed = writer(tmp_path, "a", 1_000_000)
    assert killed.stdout is not None and killed.stdout.readline() == "begun\n"
    time.sleep(0.2)
    killed.kill()
    killed.communicate()
    store = Store(FACTS, tmp_path)
    assert 0 < len(store) < 1_000_000
    assert store.put("b", ONE) == ONE


@pytest.mark.parametrize("broken", ["folder", "file"])
def test_a_place_that_cannot_hold_it_is_said(tmp_path: Path, broken: str) -> None:
    if broken == "file":
        store = Store(FACTS, tmp_path)
        for file in store.folder.glob("timings.db*"):
            file.unlink()
        store.path.write_bytes(b"no database at all" * 100)
    else:
        (tmp_path / "x").write_text("a file where a folder is wanted")
    with pytest.raises(NasError, match=r"latency table .*timings.db: .*name another folder"):
        Store(FACTS, tmp_path / "x" if broken == "folder" else tmp_path)
