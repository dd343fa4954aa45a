"""The retry command: candidates that failed run again, and the search goes on by the command it was begun with."""

import shlex
from collections.abc import Sequence

from nasengine.console import exits
from nasengine.console.flags import DB, named
from nasengine.console.output import note
from nasengine.errors import LedgerError
from nasengine.ledger import Ledger


def retry(name: str, numbers: Sequence[int] | None, db: str) -> int:
    """Reopen a search's failed candidates, or those of these numbers, and go on with it; returns the exit code."""
    with Ledger(named(db), create=False) as ledger:
        opened = ledger.reopen(name, numbers=numbers)
        command = ledger.search(name)["command"] or ""
    if not opened:
        note(f"{name} has no failed candidate: there is nothing to run again")
        return exits.OK
    note(f"{len(opened)} failed candidates of {name} run again: {', '.join(map(str, opened))}")
    words = again(command, name, db)
    note(shlex.join(["nasengine", *words]))
    from nasengine.cli import main

    return main(words)


def again(command: str, name: str, db: str) -> list[str]:
    """The words that go on with a search, in this database. Raises LedgerError where no command line began it."""
    try:
        program, *words = shlex.split(command)
    except ValueError:
        program, words = "", []
    if program != "nasengine" or words[:1] != ["search"]:
        raise LedgerError(
            f"retry {name}: its candidates are open again, but it was begun by {command or 'a program'}, which is no "
            f"`nasengine search …`; give that program's call again: nasengine.search(…, name={name!r}, db={db!r})"
        )
    kept = _without(_without(words, "--name"), "--db")
    return [*kept, "--name", name, *([] if db == DB else ["--db", db])]


def _without(words: Sequence[str], flag: str) -> list[str]:
    """The words without a flag and its value."""
    kept: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == flag:
            next(waiting, None)
        elif not word.startswith(f"{flag}="):
            kept.append(word)
    return kept
