"""How a command ends: with which exit code, and which words on standard error."""

import os
import sys
import traceback
from collections.abc import Callable

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    Token,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from nasengine.errors import NasError, TrainingError, did_you_mean

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
        return _end(words_of(error), BAD_INPUT, debug)
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


def words_of(error: CycloptsError) -> str:
    """What is wrong with a command line, and what is allowed there."""
    command = " ".join(["nasengine", *(error.command_chain or ())])
    match error:
        case UnknownCommandError():
            word = error.unused_tokens[0] if error.unused_tokens else "?"
            names = [name for name in error.app or () if name.startswith("-") == word.startswith("-")]
            what = f'"{word}" came; allowed are {", ".join(sorted(names))}.{did_you_mean(word, names)}'
        case UnknownOptionError():
            word = error.token.keyword or error.token.value
            all_names = (name for argument in error.argument_collection if argument.parse for name in argument.names)
            names = [name for name in all_names if name.startswith("--")]
            what = f"{word} came; flags are {', '.join(names)}.{did_you_mean(word, names)}"
        case CoercionError(token=Token(keyword=str(flag), value=value), target_type=kind):
            what = f'{flag} came as "{value}"; give {TYPES.get(kind, "another value")}'
        case UnusedCliTokensError(unused_tokens=[word, *_]):
            what = f'"{word}" came; it belongs to no flag of this command'
        case MissingArgumentError(argument=argument) if argument is not None:
            given = bool(argument.tokens) or argument.name in (error.root_input_tokens or ())
            what = f"{argument.name} {'came without a value' if given else 'is missing'}"
        case _:
            what = str(error)
    return f"{what}\nSee `{command} --help`."


TYPES: dict[type | None, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def _end(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"nasengine: {message}", file=sys.stderr)
    return code
