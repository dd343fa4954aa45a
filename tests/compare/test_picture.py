"""The curves as a file: a line for each group, bands where seeds are many, and nothing half-written."""

from pathlib import Path

import pytest

from nasengine.compare.comparison import Comparison
from nasengine.compare.groups import grouped
from nasengine.compare.picture import write_picture
from nasengine.errors import NasError
from nasengine.ledger import Ledger


def test_curves_are_drawn(db: Path, tmp_path: Path) -> None:
    with Ledger(db) as ledger:
        made = Comparison(grouped(ledger, ["evo-*", "rand-0"]), "trials")
    text = write_picture(made, tmp_path / "deep" / "curves.svg").read_text()
    assert all(words in text for words in ("evo, 4 seeds", "rand-0, 1 seed", "candidates", "best validation accuracy"))
    assert write_picture(made, tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.rglob("*curves*")) == ["curves.png", "curves.svg"]
    with pytest.raises(NasError, match="ends in"):
        write_picture(made, tmp_path / "curves.txt")
