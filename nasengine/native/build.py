"""Compiling a kernel once, and keeping it."""

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
_SECONDS = 300
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
        return ctypes.CDLL(str(_built(SOURCES / f"{name}.cpp", compiler)))
    except subprocess.CalledProcessError as error:
        _log.info(
            "native %s: %s cannot build it; torch's own operations serve instead\n%s", name, compiler, error.stderr
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("native %s: %s; torch's own operations serve instead", name, error)
    return None


def _built(source: Path, compiler: str) -> Path:
    """Return the shared object of a source, building it where none is yet; several processes may do so at once."""
    command = [compiler, *_FLAGS, _for_this_processor(), str(source)]
    folder = Path(os.environ.get("NASENGINE_CACHE") or Path.home() / ".cache" / "nasengine") / "native"
    built = folder / f"{source.stem}-{_identity(source, compiler, command)}.so"
    if not built.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder) as workplace:
            fresh = Path(workplace) / built.name
            subprocess.run([*command, "-o", str(fresh)], check=True, capture_output=True, text=True, timeout=_SECONDS)
            os.replace(fresh, built)
    return built


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
