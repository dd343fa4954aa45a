"""How a command ends: with which exit code, and which words on standard error."""

import os
import sys
import traceback
from collections.abc import Callable

from cyclopts import CycloptsError

from nasengine.errors import NasError, TrainingError

OK = 0
FAILED = 1  # something went wrong while running
BAD_INPUT = 2  # a word of the command line, or what it leads to, cannot be right
STOPPED = 130  # Ctrl-C, or a terminal that hung up

HELP = """Exit codes: 0 done; 1 failed while running; 2 bad input (nothing was begun); 130 stopped with Ctrl-C.
`--debug` (or NASENGINE_DEBUG=1) shows the traceback of an error."""


class Stopped(Exception):
    """Ctrl-C, with the words that say how to go on."""


def guarded(run: Callable[[], int | None], debug: bool) -> int:
    """Run a command; whatever goes wrong becomes one message on standard error and an exit code."""
    try:
        return run() or OK
    except KeyboardInterrupt:
        return _end("stopped", STOPPED, debug)
    except Stopped as stopped:
        return _end(str(stopped), STOPPED, debug)
    except CycloptsError as error:
        return _end(f"{error}\nSee `nasengine --help`, or `nasengine COMMAND --help`.", BAD_INPUT, debug)
    except TrainingError as error:
        return _end(str(error), FAILED, debug)
    except NasError as error:
        return _end(str(error), BAD_INPUT, debug)
    except BrokenPipeError:  # the reader of a pipe has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        hint = "" if debug else "\nRun the same command with --debug for the traceback."
        return _end(f"unexpected {type(error).__name__}: {error}{hint}", FAILED, debug)


def _end(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"nasengine: {message}", file=sys.stderr)
    return code
