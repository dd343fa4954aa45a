"""The exact commands for what a search left: to search again, to train a network, to export it, to look at it.

They are made of rows as `nasengine.ledger` gives them: `search` of its `searches`, `trial` of its `results`.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

USUAL = "results/nasengine.db"
Row = Mapping[str, Any]
SPELLED = {"final_by": "final"}  # flags that are called otherwise than their word


def search_command(search: Row, db: str | Path = USUAL) -> str:
    """The command that begins a search, or goes on with it: made of its words, else as it was typed."""
    words = search["words"]
    if words is None or None in words.values():
        return str(search["command"] or "")
    flags = [flag for name, value in words.items() for flag in _flags(name, value)]
    return _line("search", *flags, "--name", search["name"], *_at(db))


def train_command(
    search: Row, trial: Row, db: str | Path = USUAL, *, seeds: int = 3, settings: Row | None = None
) -> str:
    """The command that trains a trial's architecture from nothing, under several seeds.

    `settings` are those of the space that are to differ from the trial's, such as a larger scale.
    """
    data = "digits" if search["evaluator"] == "table" else search["data"]
    more = [*_flags("space_settings", settings or {}), *(["--seeds", seeds] if seeds > 1 else [])]
    named = f"{search['name']}:{called(trial)}"
    words = "train", "--space", search["space"], "--architecture", named, "--data", data
    return _line(*words, *more, *_at(db))


def export_command(search: Row, trial: Row, db: str | Path = USUAL) -> str:
    """The command that takes a trial's network away as a folder."""
    return _line("export", called(trial), "--name", search["name"], "--to", search["name"], *_at(db))


def show_command(search: Row, trial: Row, db: str | Path = USUAL) -> str:
    """The command that shows a trial."""
    return _line("show", called(trial), "--name", search["name"], *_at(db))


def watch_command(search: Row, db: str | Path = USUAL) -> str:
    """The command that follows a running search."""
    return _line("watch", search["name"], *_at(db))


def called(trial: Row) -> str:
    """What a trial is called in its search: 7, supernet, final-2; best, where that is given as its kind."""
    kind = str(trial["kind"])
    if kind == "candidate":
        return str(trial["trial"])
    return kind if kind in ("supernet", "best") else f"{kind}-{trial['trial']}"


def _at(db: str | Path) -> list[str]:
    return [] if str(db) == USUAL else ["--db", str(db)]


def _flags(name: str, value: Any) -> Iterator[str]:
    """The flags of one word; one of settings has a dotted flag for each."""
    if isinstance(value, Mapping):
        group = re.sub("_(settings|options|values)$", "", name)
        for inner, one in value.items():
            yield from (f"--{group}.{inner}", _text(one))
    elif isinstance(value, bool):
        yield f"--{'' if value else 'no-'}{name}"
    else:
        flag = SPELLED.get(name, name).replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            yield from (f"--{flag}", _text(one))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _line(*words: object) -> str:
    return shlex.join(["nasengine", *map(str, words)])
