"""Timings that stay: one SQLite file for each device, safe with several processes and when one of them is killed."""

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nasengine.errors import NasError
from nasengine.hardware.timing import Timing

FOLDER = Path("results/latency")
_TABLE = "CREATE TABLE IF NOT EXISTS timings (key TEXT PRIMARY KEY, median REAL, low REAL, high REAL, runs INTEGER)"
WAIT = 60.0  # seconds for another process' write


class Store:
    """The timings of one device, in FOLDER/HASH/timings.db; what the device is stands beside it in device.json.

    The hash is that of the device's fingerprint, so that another processor, torch or number of threads begins anew.
    """

    def __init__(self, facts: Mapping[str, Any], folder: Path | None = None):
        text = json.dumps(facts, indent=2, sort_keys=True)
        self.hash = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.folder = (folder or FOLDER).expanduser() / self.hash
        self.path = self.folder / "timings.db"
        self._known: dict[str, Timing] = {}
        with self._open(write=True) as database:
            database.execute(_TABLE)
            for key, *numbers in database.execute("SELECT key, median, low, high, runs FROM timings"):
                self._known[key] = Timing(*numbers)
        if not (self.folder / "device.json").exists():
            _write(self.folder / "device.json", text + "\n")

    def __len__(self) -> int:
        """How many timings this process knows of."""
        return len(self._known)

    def get(self, key: str) -> Timing | None:
        """The timing of a key: one that this process knows, or that another has written since."""
        if key not in self._known:
            with self._open() as database:
                row = database.execute("SELECT median, low, high, runs FROM timings WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            self._known[key] = Timing(*row)
        return self._known[key]

    def put(self, key: str, timing: Timing, again: bool = False) -> Timing:
        """Keep a timing, and return what is kept: the first one that came, unless it was measured `again`."""
        word = "REPLACE" if again else "IGNORE"
        with self._open(write=True) as database:
            numbers = (timing.median, timing.low, timing.high, timing.runs)
            database.execute(f"INSERT OR {word} INTO timings VALUES (?, ?, ?, ?, ?)", (key, *numbers))
        self._known.pop(key, None)
        return self.get(key) or timing

    @contextmanager
    def _open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection for one step, each its own transaction; a writer takes its lock first, and waits for it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)) as database, database:
                database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield database
        except (OSError, sqlite3.Error) as error:
            raise NasError(
                f"latency table {self.path}: {error}; it holds measurements only: let the folder be written, remove "
                "the file, or name another folder"
            ) from error


def _write(path: Path, text: str) -> None:
    """Write a file in one step, so that nobody finds half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".device-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
