"""Nothing that happens to workers or the driver loses a finished result; the long form is `make chaos`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.storm import Storm, survive


@pytest.mark.parametrize(("strategy", "order"), [("random-search", "arrival"), ("evolution", "proposal")])
def test_a_search_survives_kills_of_workers_and_drivers(strategy: str, order: str, tmp_path: Path) -> None:
    assert survive(strategy, order, jobs=45, kills=5, folder=tmp_path / "storm") == (5, 0, 0)


def test_what_is_lost_or_there_twice_is_seen(tmp_path: Path) -> None:
    storm = Storm(tmp_path, "random-search", "arrival", jobs=2)
    with closing(sqlite3.connect(storm.database)) as connection:
        connection.execute('CREATE TABLE nas_trials (kind, number, state, architecture, "values")')
        connection.executemany(
            "INSERT INTO nas_trials VALUES ('candidate', ?, 'complete', '{}', ?)", [(0, "1"), (1, "2"), (1, "2")]
        )
        connection.commit()
        storm.look()
        assert (storm.lost(), storm.twice()) == (0, 1)
        connection.execute("UPDATE nas_trials SET \"values\" = '3' WHERE number = 0")
        connection.execute("DELETE FROM nas_trials WHERE number = 1")
        connection.commit()
    assert (storm.lost(), storm.twice()) == (2, 0)


def test_a_storm_without_kills_of_both_kinds_proves_nothing(tmp_path: Path) -> None:
    storm = Storm(tmp_path, "random-search", "arrival", jobs=2)
    assert storm.too_few(0) == ["too few were killed: {}"]
    storm.killed.update(worker=6)
    assert storm.too_few(6) == ["too few were killed: {'worker': 6}"]
    storm.killed.update(driver=1)
    assert storm.too_few(7) == [] and storm.too_few(8)
