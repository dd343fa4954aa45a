import os
import subprocess
import sys

import pytest

CODE = """
import resource
from nasengine.training.allocator import give_back_memory, keep_freed_memory
print(keep_freed_memory())

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [b'x' * size for size in range(2_000_000, 2_000_020)]
    del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first, again = faults(), faults()
give_back_memory()
print(first, again, faults())
"""


def run(**environment: str) -> list[str]:
    wanted = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=wanted | environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="needs the GNU C library")
def test_what_was_freed_is_used_again_until_it_is_given_back() -> None:
    kept, *counts = run()
    if kept == "False":
        pytest.skip("this C library has no mallopt")
    first, again, later = map(int, counts)
    assert again < first / 10 and again < later / 10


def test_an_allocator_that_the_environment_sets_up_is_left_alone() -> None:
    assert run(MALLOC_TRIM_THRESHOLD_="131072")[0] == "False"
