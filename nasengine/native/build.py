"""Compiling a kernel once, and keeping it."""

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent
_COMPILERS = ("c++", "g++", "clang++")
# No -ffast-math: it would change what the whole process makes of tiny numbers. Sums that may be reordered say so
# themselves (`omp simd reduction`), and these two let roots and comparisons be vectorised without changing a result.
_FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math")
_SECONDS = 120  # a hundred times as long as any of them takes
_log = logging.getLogger("nasengine.native")


def library(name: str) -> ctypes.CDLL | None:
    """Return the compiled `nasengine/native/NAME.cpp`, or None where it cannot be had.

    The first call on a machine compiles it, for this processor, into `native` of the cache folder (NASENGINE_CACHE,
    else ~/.cache/nasengine); each later one loads it. Without a C++ compiler on the PATH, when the build fails, or with
    the environment's NASENGINE_NATIVE=0 there is none, and the logger `nasengine.native` says why, once.
    """
    return None if os.environ.get("NASENGINE_NATIVE") == "0" else _loaded(name)


@functools.cache
def _loaded(name: str) -> ctypes.CDLL | None:
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        _log.info("native %s: no C++ compiler on the PATH; torch's own operations serve instead", name)
        return None
    try:
        return _opened(SOURCES / f"{name}.cpp", compiler)
    except subprocess.CalledProcessError as error:
        _log.info(
            "native %s: %s cannot build it; torch's own operations serve instead\n%s", name, compiler, error.stderr
        )
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        _log.info("native %s: %s; torch's own operations serve instead", name, error)
    return None


def _opened(source: Path, compiler: str) -> ctypes.CDLL:
    """Load the shared object of a source, which is built where there is none yet, or one that was cut short."""
    command = [compiler, *_FLAGS, _for_this_processor(), str(source)]
    folder = Path(os.environ.get("NASENGINE_CACHE") or Path.home() / ".cache" / "nasengine") / "native"
    built = folder / f"{source.stem}-{_identity(source, compiler, command)}.so"
    with contextlib.suppress(OSError):
        return ctypes.CDLL(str(built))
    _build(command, built)
    return ctypes.CDLL(str(built))


def _build(command: list[str], built: Path) -> None:
    """Compile into a file of its own, which then takes its place at once: several processes may do so together."""
    built.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=built.parent) as workplace:
        fresh = Path(workplace) / built.name
        subprocess.run(
            [*command, "-o", str(fresh)],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
        )
        os.replace(fresh, built)


def _identity(source: Path, compiler: str, command: list[str]) -> str:
    """Return what tells this source, compiler, processor and flags from others, without asking the compiler."""
    real = Path(compiler).resolve()
    about = [*command[1:-1], str(real), str(real.stat().st_size), str(real.stat().st_mtime_ns), _processor()]
    return hashlib.sha256(source.read_bytes() + "\0".join(about).encode()).hexdigest()[:20]


def _for_this_processor() -> str:
    return "-mcpu=native" if platform.machine().lower() in {"arm64", "aarch64"} else "-march=native"


def _processor() -> str:
    """Return the processor's model and abilities: machines of several kinds may share a home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.platform() + platform.processor()
    stable = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU ")
    return "\n".join([platform.machine(), *(line for line in lines if line.startswith(stable))])
