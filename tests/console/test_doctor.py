"""What this machine offers, whatever of it is missing."""

import sys
from pathlib import Path

from tests.console.typed import good


def test_doctor_looks_around(db: str) -> None:
    found = good("doctor", "--json", "--db", db).json
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["libraries"]["torch"] and found["threads"] >= 1
    assert "digits" in found["data"]
    assert "writable" in found["database"]
    out = good("doctor").out
    assert "will be made" in out and "torch" in out
    assert not Path("results").exists()
