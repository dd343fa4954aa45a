import pickle
from pathlib import Path

import pytest
import torch

from nasengine.errors import TrainingError
from nasengine.training import checkpoint
from nasengine.training.checkpoint import SPACING, Saver


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


@pytest.fixture
def clock(monkeypatch):
    """A clock in whose time nothing passes but what a test lets pass."""
    now = [100.0]
    monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: now[0])

    def let_pass(seconds):
        now[0] += seconds

    return let_pass


def test_saving_takes_little_of_the_time(clock):
    saved, done = [], []

    def write():
        saved.append(len(done))
        clock(1)

    saver = Saver(write)
    for epoch in range(1, 100):
        done.append(epoch)
        clock(0.75 * SPACING)
        saver.epoch_done()
    assert saved == list(range(1, 100, 2)), "after the first epoch, then where enough time has passed"
    saver.save()
    assert saved[-1] == 99 and saved.count(99) == 1, "nothing is saved twice"
    saver.epoch_done()
    saver.save()
    assert len(saved) == 51, "the end saves what has not been saved"


def test_what_ends_between_two_epochs_loses_nothing(clock):
    saved, done = [], [1]

    def end():
        raise KeyboardInterrupt

    saver = Saver(lambda: (saved.append(len(done)), clock(1)))
    saver.epoch_done()
    done.append(2)
    saver.epoch_done()
    assert saved == [1]
    done.append(3)
    with pytest.raises(KeyboardInterrupt):
        saver.epoch_done(end)
    assert saved == [1, 3]
