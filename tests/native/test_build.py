import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nasengine.native import build

SOURCE = 'extern "C" double twice(double value) { return 2.0 * value; }\n'
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Path]:
    """A folder of sources and an empty cache of their own."""
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setenv("NASENGINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NASENGINE_NATIVE", raising=False)
    build._loaded.cache_clear()
    caplog.set_level(logging.INFO, "nasengine.native")
    (tmp_path / "sums.cpp").write_text(SOURCE)
    yield tmp_path
    build._loaded.cache_clear()


@pytest.fixture
def compiler() -> None:
    if not any(build.shutil.which(name) for name in build._COMPILERS):
        pytest.skip("no C++ compiler on the PATH")


def twice(value: float) -> float | None:
    library = build.library("sums")
    if library is None:
        return None
    library.twice.restype = build.ctypes.c_double
    library.twice.argtypes = [build.ctypes.c_double]
    return library.twice(value)


def objects(workshop: Path) -> list[Path]:
    return sorted((workshop / "cache").rglob("*.so"))


def test_a_source_is_compiled_once_and_kept(compiler: None, workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice(1.5) == 3.0
    (built,) = objects(workshop)
    assert [path.name for path in built.parent.iterdir()] == [built.name], "no leftovers of the build"
    build._loaded.cache_clear()
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("compiled again"))
    assert twice(2.0) == 4.0


def test_another_source_or_processor_is_another_object(
    compiler: None, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert twice(1.0) == 2.0
    (workshop / "sums.cpp").write_text(SOURCE.replace("2.0", "3.0"))
    build._loaded.cache_clear()
    assert twice(1.0) == 3.0
    monkeypatch.setattr(build, "_processor", lambda: "another one in the same cluster")
    build._loaded.cache_clear()
    assert twice(1.0) == 3.0
    assert len(objects(workshop)) == 3


def test_processes_that_race_all_get_it(compiler: None, workshop: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; from nasengine.native import build; "
        f"build.SOURCES = Path({str(workshop)!r}); library = build.library('sums'); library.twice.restype = "
        "build.ctypes.c_double; library.twice.argtypes = [build.ctypes.c_double]; print(library.twice(4.0))"
    )
    racers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [racer.communicate(timeout=60)[0].strip() for racer in racers] == ["8.0", "8.0"]
    (built,) = objects(workshop)
    assert [path.name for path in built.parent.iterdir()] == [built.name]


def test_without_a_compiler_there_is_none_and_the_log_says_so_once(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(workshop))
    assert twice(1.0) is None
    assert twice(1.0) is None
    assert [record.message for record in caplog.records] == [
        "native sums: no C++ compiler on the PATH; torch's own operations serve instead"
    ]


def test_a_broken_source_leaves_nothing_and_the_log_shows_the_compilers_words(
    compiler: None, workshop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (workshop / "sums.cpp").write_text("this is not C++\n")
    assert twice(1.0) is None
    assert "cannot build it" in caplog.text
    assert "sums.cpp:1" in caplog.text
    assert objects(workshop) == []


def test_a_cache_that_cannot_be_written_and_an_object_that_cannot_be_loaded_mean_none(
    compiler: None, workshop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (workshop / "file").touch()
    monkeypatch.setenv("NASENGINE_CACHE", str(workshop / "file"))
    assert twice(1.0) is None
    assert "Not a directory" in caplog.text
    monkeypatch.setenv("NASENGINE_CACHE", str(workshop / "cache"))
    monkeypatch.setattr(build, "_built", lambda source, compiler: source)
    build._loaded.cache_clear()
    assert twice(1.0) is None
    assert f"{workshop / 'sums.cpp'}" in caplog.messages[-1]


def test_the_environment_can_switch_it_off_and_on_again(
    compiler: None, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASENGINE_NATIVE", "0")
    assert twice(1.0) is None
    assert objects(workshop) == []
    monkeypatch.setenv("NASENGINE_NATIVE", "1")
    assert twice(1.0) == 2.0
