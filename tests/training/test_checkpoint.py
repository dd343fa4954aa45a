import pickle
from pathlib import Path

import pytest
import torch

from nasengine.errors import TrainingError
from nasengine.training import checkpoint


def test_what_is_saved_comes_back(tmp_path):
    path = tmp_path / "new" / "state.pt"
    assert checkpoint.load(path) is None
    state = {"seed": 1, "weights": {"a": torch.arange(3)}, "history": [{"loss": 0.5}], "betas": (0.9, 0.99)}
    checkpoint.save(path, state)
    back = checkpoint.load(path, seed=1)
    assert torch.equal(back.pop("weights")["a"], state.pop("weights")["a"])
    assert back == state


def test_a_failed_write_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    checkpoint.save(path, {"seed": 1})

    def fail(path, content):
        write(path, b"half")
        raise OSError("disk full")

    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(path, {"seed": 2})
    assert checkpoint.load(path) == {"seed": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_another_training_is_refused(tmp_path):
    checkpoint.save(tmp_path / "state.pt", {"seed": 1})
    with pytest.raises(TrainingError, match="seed 1 came; 2 is wanted; delete it"):
        checkpoint.load(tmp_path / "state.pt", seed=2)


def test_nothing_is_run_from_a_file(tmp_path):
    class Attack:
        def __reduce__(self):
            return (print, ("run",))

    (tmp_path / "state.pt").write_bytes(pickle.dumps(Attack(), protocol=2))
    with pytest.raises(TrainingError, match="unreadable"):
        checkpoint.load(tmp_path / "state.pt")
    torch.save({"attack": Attack()}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="unreadable"):
        checkpoint.load(tmp_path / "state.pt")
