"""Silence around other people's exporters, which remark on each other's parts."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO

LOGGERS = ("torch.onnx", "torch.export", "torch.utils._pytree", "torchao", "executorch")


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, no log lines, nothing printed; errors pass."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def silent() -> Iterator[None]:
    """As quiet, and compiled code's own lines on standard error are swallowed as well."""
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with quiet():
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
