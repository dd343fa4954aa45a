import logging
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
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
def compiler(needs: Callable[[str], Path]) -> Path:
    return needs("compiler")


def compiler_that(does: str, workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a compiler of our own on the PATH, the only one: a script, whose last argument is where to write."""
    script = workshop / "c++"
    script.write_text(f"#!/bin/sh\nfor place; do :; done\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setattr(build, "_COMPILERS", (str(script),))


def twice(value: float) -> float | None:
    library = build.library("sums")
    if library is None:
        return None
    library.twice.restype = build.ctypes.c_double
    library.twice.argtypes = [build.ctypes.c_double]
    return library.twice(value)


def objects(workshop: Path) -> list[Path]:
    return sorted((workshop / "cache").rglob("*.so"))


def test_a_source_is_compiled_once_and_kept(compiler: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice(1.5) == 3.0
    (built,) = objects(workshop)
    assert [path.name for path in built.parent.iterdir()] == [built.name], "no leftovers of the build"
    build._loaded.cache_clear()
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("compiled again"))
    assert twice(2.0) == 4.0


def test_another_source_or_processor_is_another_object(
    compiler: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert twice(1.0) == 2.0
    (workshop / "sums.cpp").write_text(SOURCE.replace("2.0", "3.0"))
    build._loaded.cache_clear()
    assert twice(1.0) == 3.0
    monkeypatch.setattr(build, "_processor", lambda: "another one in the same cluster")
    build._loaded.cache_clear()
    assert twice(1.0) == 3.0
    assert len(objects(workshop)) == 3


def test_processes_that_race_all_get_it(compiler: Path, workshop: Path) -> None:
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
    compiler: Path, workshop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (workshop / "sums.cpp").write_text("this is not C++\n")
    assert twice(1.0) is None
    assert "cannot build it" in caplog.text
    assert "sums.cpp:1" in caplog.text
    assert objects(workshop) == []


@pytest.mark.parametrize("length", [0, 100])
def test_an_object_that_was_cut_short_is_built_again(
    length: int, compiler: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert twice(1.0) == 2.0
    (built,) = objects(workshop)
    whole, cut = built.read_bytes(), workshop / "other" / "native" / built.name
    cut.parent.mkdir(parents=True)
    cut.write_bytes(whole[:length])
    monkeypatch.setenv("NASENGINE_CACHE", str(workshop / "other"))
    build._loaded.cache_clear()
    assert twice(2.0) == 4.0
    assert len(cut.read_bytes()) == len(whole)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("exec sleep 60", "timed out after 0.2 seconds"),
        ("printf 'caf\\351' >&2; exit 1", "caf\N{REPLACEMENT CHARACTER}"),
        ('head -c 999 /dev/zero > "$place"', "invalid ELF header"),
        ("kill -9 $$", "cannot build it"),
    ],
)
def test_a_compiler_that_goes_wrong_means_none(
    does: str, words: str, workshop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiler_that(does, workshop, monkeypatch)
    monkeypatch.setattr(build, "_SECONDS", 0.2)
    assert twice(1.0) is None
    assert words in caplog.text


def test_a_cache_that_cannot_be_written_means_none(
    compiler: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (workshop / "file").touch()
    monkeypatch.setenv("NASENGINE_CACHE", str(workshop / "file"))
    assert twice(1.0) is None
    assert "Not a directory" in caplog.text


def test_without_a_home_there_is_none(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiler_that("exit 1", workshop, monkeypatch)
    monkeypatch.delenv("NASENGINE_CACHE")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda number: {}[number])
    assert twice(1.0) is None
    assert "home directory" in caplog.text


def test_the_environment_can_switch_it_off_and_on_again(
    compiler: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASENGINE_NATIVE", "0")
    assert twice(1.0) is None
    assert objects(workshop) == []
    monkeypatch.setenv("NASENGINE_NATIVE", "1")
    assert twice(1.0) == 2.0
