"""The report command: a page about one search, or the same as JSON."""

import re
import webbrowser
from pathlib import Path

from nasengine.console.flags import named
from nasengine.console.output import emit, note, say
from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.report.contents import contents, facts
from nasengine.report.findings import read


def report(name: str | None, to: str | None, open_it: bool, db: str, json: bool) -> None:
    """Write the page, unless only JSON is asked for."""
    from nasengine.report import charts, page

    wanted = to is not None or open_it or not json
    if wanted:
        charts.need_plotly()
    with Ledger(named(db), create=False) as ledger:
        searches = ledger.searches() if name is None else []
        if name is None and not searches:
            raise LedgerError(f"{db}: no search is recorded there; begin one with `nasengine search`")
        told = contents(read(ledger, name or str(searches[-1]["name"])), db)
    if wanted:
        written = page.write(told, Path(to) if to is not None else Path(f"{_file_name(told.name)}.html"))
        note(f"written: {written}") if json else say(str(written))
        if open_it:
            webbrowser.open(written.absolute().as_uri())
    if json:
        emit(facts(told))


def _file_name(name: str) -> str:
    """A search's name as that of a file."""
    return re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "report"
