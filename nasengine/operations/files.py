"""Where a search's files are on this machine."""

from pathlib import Path

from nasengine.ledger import Ledger
from nasengine.runs import run_folder


def file_of(ledger: Ledger, search: str, path: str | None) -> Path | None:
    """The file that a search recorded, where it was or beside the database that was moved; None where none is here."""
    if path is None or "://" in path:
        return None
    recorded = Path(path)
    if not recorded.exists() and search in recorded.parts:
        last = len(recorded.parts) - recorded.parts[::-1].index(search)
        recorded = run_folder(ledger, search).joinpath(*recorded.parts[last:])
    return recorded.resolve() if recorded.is_file() else None
