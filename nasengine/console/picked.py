"""The trial or the architecture that a user's word means."""

import re
from pathlib import Path
from typing import Any

from nasengine.console.flags import named
from nasengine.errors import LedgerError
from nasengine.runs import Run, Trial, picks_of

TRIAL = re.compile(r"([\w.-]+):(best|final(?:-\d+)?|\d+)")


def run_of(name: str | None, db: str) -> Run:
    """The search of this name, or the newest one."""
    if name is None:
        from nasengine.ledger import Ledger

        found = Ledger(named(db), create=False).searches()
        if not found:
            raise LedgerError(f"{db}: no search is recorded there; begin one with `nasengine search`")
        name = found[-1]["name"]
    return Run(str(name), named(db))


def trial_of(which: str, name: str | None, db: str) -> Trial:
    """The trial called best or final, or of this number."""
    return run_of(name, db).trial(which)


def architecture(space: str, text: str, db: str) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    """Picks and the settings that they come with: of a published name, JSON (text or file), or SEARCH:TRIAL."""
    match = TRIAL.fullmatch(text)
    if match is not None and not Path(text).exists():
        found = trial_of(match[2], match[1], db)
        return dict(found.architecture.picks), dict(found.settings)
    return picks_of(space, text)
