"""A user's own function that makes data: `./my_data.py:make_data` or `package.module:make_data`."""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasengine.errors import DataError, NasError, did_you_mean
from nasengine.settings import fill
from nasengine.training.data_words import READERS, refuse_unknown
from nasengine.user_files import import_file


def make(name: str, words: Mapping[str, str], place: str) -> tuple[Any, dict[str, str]]:
    """Return what a function made, called with the words that it takes, and the words that are left.

    Raises DataError with file and line for whatever goes wrong inside the function.
    """
    module_name, _, function_name = name.rpartition(":")
    function = _function(_module(module_name, place), module_name, function_name, place)
    parameters = inspect.signature(function).parameters
    takes = {word for word in words if word.replace("-", "_") in parameters}
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        takes |= words.keys() - READERS.keys()
    rest = {word: value for word, value in words.items() if word not in takes}
    refuse_unknown(name, rest, *parameters)
    try:
        given = fill(place, function, {word: words[word] for word in takes})
    except NasError as error:
        raise DataError(str(error)) from error
    try:
        return function(**given), rest
    except Exception as error:
        raise blamed(error, place) from error


def _module(name: str, place: str) -> Any:
    try:
        if name.endswith(".py"):
            return import_file(Path(name))
        return importlib.import_module(name)
    except NasError as error:
        raise DataError(f"{place}: {error}") from error
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise DataError(
                f"{place}: there is no module {name}; install its package, or give a path such as "
                "./my_data.py:make_data"
            ) from error
        raise blamed(error, place) from error
    except Exception as error:
        raise blamed(error, place) from error


def _function(module: Any, name: str, function: str, place: str) -> Callable[..., Any]:
    found = getattr(module, function, None)
    if callable(found):
        return found
    public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    raise DataError(
        f"{place}: {name} defines no function {function}; there are {', '.join(public) or 'none'}."
        f"{did_you_mean(function, public)}"
    )


def blamed(error: Exception, place: str) -> DataError:
    """The error with the line of the user's code that it came through last: no line of a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = str(Path(__file__).parents[1])
    libraries = (ours, sys.prefix, sys.base_prefix, "<frozen")
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    where = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    if isinstance(error, SyntaxError):
        where = f"{error.filename}:{error.lineno}: "
    return DataError(f"{place}: {where}{type(error).__name__}: {error}")
