"""The check finds what is wrong with a database, and nothing in a sound one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.ledger.tables import proposals, trials

CONV = {"op": ["conv"]}


def fill(search: SearchRecord) -> None:
    """Three results, told as 1, 0, 2; one trial is running, and one proposal is open."""
    for number in range(5):
        search.propose(number, CONV)
    for number, order in ((1, 0), (0, 1), (2, 2)):
        search.record(Result(number, CONV, values={"validation_accuracy": 0.5}, stopped=1 if number == 2 else None))
        search.tell(number, order)
    search.start(Trial(3, architecture=CONV))


def test_a_sound_database_has_no_faults(ledger: Ledger, search: SearchRecord) -> None:
    assert ledger.check() == []
    fill(search)
    search.record(Result(0, CONV), kind="final")
    assert ledger.check() == []


@pytest.mark.parametrize(
    ("table", "number", "change", "words"),
    [
        (trials, 2, {"told_order": 5}, "search one: 3 results were told, but not as numbers 0 to 2: 0, 1, 5"),
        (trials, 2, {"state": "running", "told_order": None}, "search one: proposals 2 are done, but have no result"),
        (trials, 3, {"state": "failed"}, "search one: proposals 3 have a result, but are open"),
        (trials, 3, {"told_order": 3}, "search one: candidate 3 is running and yet was told as number 3"),
        (proposals, 4, {"state": "done"}, "search one: proposals 4 are done, but have no result"),
    ],
)
def test_every_fault_is_named(
    ledger: Ledger, search: SearchRecord, table: Any, number: int, change: Mapping[str, Any], words: str
) -> None:
    fill(search)
    with ledger.database.writing() as connection:
        connection.execute(update(table).where(table.c.number == number).values(**change))
    assert ledger.check() == [words]


def test_rows_that_belong_to_nothing_are_found(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        with ledger.database.engine.connect() as connection:
            connection.execute(text("COMMIT"))
            connection.execute(text("PRAGMA foreign_keys=OFF"))
            connection.execute(insert(proposals).values(search_id=7, number=0, state="open"))
            connection.commit()
            connection.invalidate()
        (fault,) = ledger.check()
    assert fault == "integrity check: row 1 of nas_proposals belongs to a row of nas_searches that is not there"


def test_a_number_that_is_there_twice_is_found(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        search = ledger.open_search("one", space="darts", strategy="x")
        fill(search)
        with ledger.database.writing() as connection:  # as by a hand that took the constraint away
            connection.execute(text("ALTER TABLE nas_proposals RENAME TO old"))
            connection.execute(text("CREATE TABLE nas_proposals AS SELECT * FROM old UNION ALL SELECT * FROM old"))
        assert "search one: proposal 0 is there more than once" in ledger.check()
        search.stop()
