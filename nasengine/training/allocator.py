"""The C library's allocator, told to keep what a training step frees."""

import ctypes
import functools
import os

_TRIM, _MAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of <malloc.h>
_ALWAYS = 2**31 - 1
_MOST = (2**30, 2**25)  # bytes; older C libraries take no more than the second
_SPOKEN_FOR = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


@functools.cache
def keep_freed_memory() -> bool:
    """Have the process keep freed memory for its next allocations, from now on; say whether it does.

    A step on the CPU frees all its activations and allocates them again in the next one. By default the GNU C library
    hands large blocks back to the system and gets them back page by page, each page a fault and cleared anew: up to a
    third of a step's time. The peak of the memory stays as it was; a process just stays at it between trainings.
    Other C libraries, and allocators that the environment sets up (MALLOC_…, GLIBC_TUNABLES), are left as they are.
    """
    if any(name in os.environ for name in _SPOKEN_FOR):
        return False
    try:
        libc = ctypes.CDLL("libc.so.6")
        mallopt = libc.mallopt
    except (OSError, AttributeError):
        return False
    return any(mallopt(_MAP, most) for most in _MOST) and bool(mallopt(_TRIM, _ALWAYS))


def give_back_memory() -> None:
    """Hand kept memory back to the system."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return
