"""Where the time of the main job goes: shares by part, then operators and layers of single steps.

    python -m benchmarks.profile [--short | --steps] [--top 12]

The main job is `nasengine search --space darts --strategy pr-darts`, on one thread; --short gives it one epoch each and
few images. Looked at step by step are that search, one with `--strategy darts`, and the training of one network.
"""

import argparse
import io
import tempfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import quiet_process
from benchmarks.profile_parts import Watch

SEARCH = ("search", "--space", "darts", "--strategy")
SHORT = ("--epochs", "1", "--recipe.epochs", "1", "--limit", "256")
NETWORK = (
    "train", "--space", "darts", "--architecture", "DARTS_V2", "--space.channels", "16", "--space.layers", "8",
)  # fmt: skip
SKIP, STEPS = 4, 6  # steps of optimizers; a search step has two


def job(*words: str) -> Callable[[], None]:
    """A command of nasengine in this process, silent, with a database of its own."""

    def run() -> None:
        from nasengine.cli import main as nasengine

        said = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(said), redirect_stderr(said):
            code = nasengine([*words, "--db", str(Path(folder) / "profile.db")])
        if code:
            raise RuntimeError(f"nasengine {' '.join(words)} ended with code {code}: {said.getvalue()[-500:]}")

    return run


def show(title: str, seconds: Mapping[str, float], top: int | None = None) -> None:
    """A table of shares, the largest first; what is below the top is one line."""
    total = sum(seconds.values())
    table = Table(title, "seconds", "share")
    largest = sorted(seconds.items(), key=lambda item: -item[1])[:top]
    below = total - sum(value for _, value in largest)
    for name, value in [*largest, *([("the others together", below)] if below > 1e-9 else [])]:
        table.add_row(name, f"{value:.3f}", f"{value / total:.1%}")
    table.add_section()
    table.add_row("together", f"{total:.3f}", "")
    Console().print(table)


def main() -> None:
    """Profile and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one epoch, few images: to try it out")
    parser.add_argument("--steps", action="store_true", help="only the single steps, without the whole job")
    parser.add_argument("--top", type=int, default=12, help="how many operators and layers are listed")
    asked = parser.parse_args()
    quiet_process()
    if not asked.steps:
        with Watch() as watch:
            job(*SEARCH, "pr-darts", *(SHORT if asked.short else ()))()
        show("part of the main job", watch.seconds)
    from benchmarks.profile_steps import profiled  # imports torch, which the job is to be seen doing

    jobs = {"pr-darts": (*SEARCH, "pr-darts"), "darts": (*SEARCH, "darts"), "a network's training": NETWORK}
    for name, words in jobs.items():
        show(f"{name}: {STEPS} optimizer steps", profiled(job(*words), SKIP, STEPS).operators, asked.top)
        layers = profiled(job(*words), SKIP, STEPS, named=True).layers
        show(f"{name}: by layer, forward and backward, slowed down", layers, asked.top)


if __name__ == "__main__":
    main()
