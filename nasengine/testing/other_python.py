"""A second Python that stays up: it gets lines of JSON and answers each with one."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from safetensors.torch import load_file, save_file
from torch import Tensor

ALONE = ("-I", str(Path(__file__).with_name("alone.py")))
DIGESTS = ("-m", "nasengine.testing.digests")


class OtherPython:
    """A process that starts at the first question and ends with the `with` block; several checks may share one."""

    def __init__(self, *words: str):
        self.words = words
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.communicate()

    def ask(self, question: Any) -> Any:
        """The answer to a question, both as JSON."""
        if self.process is None:
            command = [sys.executable, *self.words]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"python {' '.join(self.words)} ended before it answered"
        return json.loads(line)


def predicted(alone: OtherPython, text: str, weights: Mapping[str, Tensor], images: Tensor) -> dict[str, Tensor]:
    """What exported source makes of images in "eval" and then in "train" mode, in a Python without nasengine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.py").write_text(text, encoding="utf-8")
        given = {f"weights.{name}": tensor for name, tensor in weights.items()}
        save_file({**given, "images": images}, folder / "given.safetensors")
        fault = alone.ask(str(folder))
        assert fault is None, f"exported source fails where nasengine is not: {fault}"
        return load_file(folder / "made.safetensors")
