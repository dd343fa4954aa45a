"""Options in a data set's own text: `pictures?size=64&skip-damaged=true` is one word from the command to the worker."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote, unquote

from nasengine.errors import DataError, did_you_mean

Task = Literal["classification", "regression", "segmentation"]
TASKS: tuple[str, ...] = get_args(Task)
CHANNELS = ("grey", "rgb", "rgba")
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Options:
    """What may be said of a data set, beside its name.

    `size` is the side in pixels that pictures are brought to; `channels` what they are converted to; `column` and
    `label` name the columns of a table, several labels with commas between; `validation` and `test` are shares;
    `split_seed` decides the split; `memory` is the size in bytes above which images stay on disk; `task` overrides
    what the labels look like; with `skip_damaged` pictures that cannot be read are left out.
    """

    size: int | None = None
    channels: Literal["grey", "rgb", "rgba"] | None = None
    skip_damaged: bool = False
    column: str | None = None
    label: tuple[str, ...] = ()
    task: Task | None = None
    validation: float | None = None
    test: float | None = None
    split_seed: int | None = None
    memory: int | None = None


def joined(name: str, options: Mapping[str, Any]) -> str:
    """Return a data set's text with options, which stand in for those that it has already."""
    bare, had = _cut(name)
    every = {**had, **{_plain(key): str(value) for key, value in options.items()}}
    return bare + ("?" if every else "") + "&".join(f"{key}={quote(every[key], safe='/:,.~ ')}" for key in every)


def taken_apart(text: str) -> tuple[str, dict[str, str]]:
    """Return the name and the options of a data set's text; DataError for a word that is no option.

    A function that makes data (`module:function`) may have options of its own, so that all words pass.
    """
    name, options = _cut(text)
    if not is_hook(name):
        refuse_unknown(text, options)
    return name, options


def refuse_unknown(text: str, options: Mapping[str, str], *more: str) -> None:
    """Raise DataError where an option is neither one of `READERS` nor one of those in `more`."""
    allowed = [*READERS, *more]
    faults = [
        f'data {text}: the option "{word}" came; {", ".join(allowed)} are allowed.{did_you_mean(word, allowed)}'
        for word in options
        if word not in allowed
    ]
    if faults:
        raise DataError("\n".join(faults))


def is_hook(name: str) -> bool:
    """Say whether a name means a function that makes data: `./my_data.py:make_data` or `package.module:make_data`."""
    return re.fullmatch(r"(.+\.py|[A-Za-z_]\w*(\.\w+)*):[A-Za-z_]\w*", name) is not None and not name.startswith("hf:")


def read(text: str, words: Mapping[str, str]) -> Options:
    """Return the options that a text's words mean; DataError names every value that is none."""
    values: dict[str, Any] = {}
    faults = []
    for word, value in words.items():
        reader, allowed = READERS[word]
        try:
            values[word.replace("-", "_")] = reader(value)
        except (ValueError, KeyError):
            faults.append(f'data {text}: {word} "{value}" came; {allowed} is allowed')
    if faults:
        raise DataError("\n".join(faults))
    return Options(**values)


def _cut(text: str) -> tuple[str, dict[str, str]]:
    name, _, query = text.partition("?")
    options = {}
    for part in filter(None, query.split("&")):
        word, equals, value = part.partition("=")
        if not equals:
            raise DataError(f'data {text}: "{part}" came after the question mark; OPTION=VALUE is allowed')
        options[_plain(word)] = unquote(value)
    return name, options


def _plain(word: str) -> str:
    return word.strip().lower().replace("_", "-")


def _whole(least: int) -> Callable[[str], int]:
    def read_whole(word: str) -> int:
        if int(word) < least:
            raise ValueError(word)
        return int(word)

    return read_whole


def _share(word: str) -> float:
    if not 0 < float(word) < 1:
        raise ValueError(word)
    return float(word)


def _one_of(*allowed: str) -> Callable[[str], str]:
    return {word: word for word in allowed}.__getitem__


def _bytes(word: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", word.strip())
    if found is None:
        raise ValueError(word)
    return int(float(found[1]) * _UNITS[found[2].upper().replace("IB", "B")])


def _names(word: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in word.split(","))))


READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "size": (_whole(1), "a whole number of pixels"),
    "channels": (_one_of(*CHANNELS), ", ".join(CHANNELS)),
    "skip-damaged": (lambda word: _TRUTH[word.lower()], "true or false"),
    "column": (str, "a column's name"),
    "label": (_names, "a column's name, or several with commas between,"),
    "task": (_one_of(*TASKS), ", ".join(TASKS)),
    "validation": (_share, "a share between 0 and 1"),
    "test": (_share, "a share between 0 and 1"),
    "split-seed": (_whole(0), "a whole number from 0 up"),
    "memory": (_bytes, "a size such as 500MB or 2GB"),
}
"""How each option's word is read, and what is allowed."""
