"""Which part of a job the main thread works at: its stack is looked at every few milliseconds, nothing is wrapped."""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple


class Rule(NamedTuple):
    """Frames that belong to a part: of files with this in their path, in any function or in one and its inner ones."""

    part: str
    file: str
    function: str = ""


REST = "everything else"
RULES = (
    Rule("imports", "<frozen importlib"),
    Rule("optimizers", "/torch/optim/"),
    Rule("optimizers", "/torch/nn/utils/clip_grad.py"),
    Rule("optimizers", "/nasengine/training/adan"),
    Rule("batches and augmentation", "/nasengine/training/batches.py"),
    Rule("batches and augmentation", "/nasengine/training/augment.py"),
    Rule("gates' steps", "/nasengine/search/turns.py", "_gate_step"),
    Rule("gates' steps", "/nasengine/search/turns.py", "_gates_gradients"),
    Rule("weights' steps", "/nasengine/search/turns.py", "_weight_step"),
    Rule("supernet, the rest", "/nasengine/search/turns.py"),
    Rule("evaluation", "/nasengine/training/metrics.py", "evaluate"),
    Rule("final training", "/nasengine/training/loop.py"),
    Rule("records and checkpoints", "/nasengine/training/checkpoint.py"),
    Rule("records and checkpoints", "/nasengine/search/kept.py"),
    Rule("records and checkpoints", "/nasengine/ledger/"),
    Rule("records and checkpoints", "/nasengine/bookkeeping.py"),
    Rule("data", "/nasengine/training/data.py"),
    Rule("plan", "/nasengine/plan.py"),
    Rule("export and what is printed", "/nasengine/export.py"),
    Rule("export and what is printed", "/nasengine/exporters/"),
    Rule("export and what is printed", "/nasengine/portrait.py"),
    Rule("export and what is printed", "/nasengine/console/"),
)


def part_of(stack: Iterator[tuple[str, str]]) -> str:
    """The part of a stack of (file, qualified function), innermost first: that of the first frame that has one."""
    for file, function in stack:
        known = [
            rule for rule in RULES if rule.file in file and (not rule.function or rule.function in function.split("."))
        ]
        if known:
            return max(known, key=lambda rule: len(rule.function)).part
    return REST


def frames(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """(file, function) from the innermost frame outwards."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_qualname
        frame = frame.f_back


class Watch:
    """Looks at the thread that makes it, from a thread of its own, until the block ends; `seconds` by part.

    The time between two looks belongs to what is seen at the second one: a look that comes late counts for more.
    """

    def __init__(self, every: float = 0.005):
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._every, self._watched, self._ended = every, threading.get_ident(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        last = time.perf_counter()
        while not self._ended.wait(self._every):
            part = part_of(frames(sys._current_frames().get(self._watched)))
            now = time.perf_counter()
            self.seconds[part] += now - last
            last = now
