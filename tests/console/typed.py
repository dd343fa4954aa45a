"""A command line typed in this process, and what it said."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from nasengine.cli import main

ROOT = Path(__file__).parents[2]
SMALL = ["--space.channels", "4", "--space.layers", "3", "--limit", "120"]
TINY = ["--strategy", "random-search", "--trials", "2", "--epochs", "1", "--recipe.epochs", "2", *SMALL]


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def nasengine(*words: str) -> Done:
    """Run a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    return Done(code, out.getvalue(), err.getvalue())


def good(*words: str) -> Done:
    """Run a command that has to succeed."""
    done = nasengine(*words)
    assert done.code == 0, done.err
    return done
