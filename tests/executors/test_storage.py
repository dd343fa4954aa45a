"""A run's files at a URL: kept whole, fetched back by whoever goes on, dropped when they have served."""

from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.executors._storage import Storage, is_url, local_copy


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path}/there" if request.param == "file" else f"memory://{tmp_path.name}/there"


def write(path: Path, words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)
    return path


def test_another_machine_goes_on_with_what_one_left(url: str, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "a" / "run-1", tmp_path / "b" / "run-1"
    one, other = Storage(url, here), Storage(f"{url}/", elsewhere)
    assert other.fetch(elsewhere / "checkpoints" / "x.pt").exists() is False
    for words in ("first", "second"):
        kept = one.keep(write(here / "checkpoints" / "x.pt", words))
    assert kept == f"{url}/run-1/checkpoints/x.pt"
    write(elsewhere / "checkpoints" / "x.pt", "older")
    assert other.fetch(elsewhere / "checkpoints" / "x.pt").read_text() == "second"
    assert [path.name for path in (elsewhere / "checkpoints").iterdir()] == ["x.pt"]
    assert local_copy(kept, tmp_path / "c" / "run-1").read_text() == "second"
    other.drop(here.parents[1] / "b" / "run-1" / "checkpoints" / "x.pt")
    other.drop(elsewhere / "checkpoints" / "x.pt")
    assert not local_copy(kept, tmp_path / "d" / "run-1").exists()


def test_a_url_is_told_from_a_folder() -> None:
    assert is_url("s3://bucket/x") and not is_url("/mnt/shared") and not is_url(None)


@pytest.mark.parametrize("wrong", ["nowhere://x", "s3://bucket/x"])
def test_a_url_that_nothing_knows_says_what_to_install(wrong: str, tmp_path: Path) -> None:
    if wrong.startswith("s3"):
        try:
            import s3fs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("s3fs is installed here: this URL is known")
    with pytest.raises(NasError, match=f"files {wrong}: .*install"):
        Storage(wrong, tmp_path / "run")
