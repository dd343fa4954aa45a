"""A data set taken apart and put together again, in a file that all workers of a machine map."""

from pathlib import Path

import pytest
import torch

from nasengine.errors import DataError
from nasengine.training import data
from nasengine.training.mapped import put_together, read, take_apart, write


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    digits = data.load("digits", limit=100)
    for found in (read(write(digits, tmp_path / "deep" / "digits.safetensors")), put_together(*take_apart(digits))):
        assert vars(found).keys() == vars(digits).keys()
        for name, value in vars(digits).items():
            if isinstance(value, data.Split):
                assert torch.equal(getattr(found, name).images, value.images)
                assert torch.equal(getattr(found, name).labels, value.labels)
            else:
                assert getattr(found, name) == value
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["digits.safetensors"]


def test_a_file_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("here")
    assert write(data.load("digits", limit=100), tmp_path / "x").read_text() == "here"


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = data.load("digits", limit=100)
    (tmp_path / "deep").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "nasengine.training.mapped.save_file", lambda *_, **__: Path("/dev/full").write_bytes(b"x" * 9999)
        )
        with pytest.raises(DataError, match=r"data digits: workers read a copy in .*No space left on device.*--files"):
            write(digits, tmp_path / "deep" / "digits.safetensors")
