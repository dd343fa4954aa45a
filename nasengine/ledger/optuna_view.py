"""The results database as Optuna sees it: each trial as an Optuna trial in the same database, for its dashboard.

The ledger is the truth and this is a copy. A trial that runs for long is there while it runs, with its learning curve
so far; a short one is written when it has ended.
Supernets go into a study of their own, `NAME (supernet)`: Optuna's best is the best of a study's complete trials,
and an accuracy of shared weights must not compete with that of a trained network.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from nasengine.job import Json
from nasengine.ledger.ledger import Ledger
from nasengine.ledger.optuna_aims import Aims
from nasengine.ledger.optuna_notes import Notes
from nasengine.ledger.optuna_pictures import Gallery, Picture
from nasengine.ledger.optuna_storage import open_storage
from nasengine.ledger.optuna_study import Study
from nasengine.ledger.optuna_trial import ENDED, Converter
from nasengine.ledger.queries import Reader
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import trials

LONG_SECONDS = 5.0
MOST_BEHIND = 20  # trials that wait to be written while every one is still drawn; beyond, the leading ones are
OF_SUPERNETS = ("supernet", "inherited")  # kinds


class Mirror:
    """Optuna's studies of one search: its candidates with the final network, and its supernets apart.

    Whoever makes one must be the only one to do so for that search. `written` counts the trials that it wrote whole.
    """

    def __init__(self, ledger: Ledger, name: str, picture: Picture | None = None) -> None:
        self._ledger = Reader(ledger.database, patience=0.0)  # a view does not wait; it is made anew
        self._lock = ledger.database.lock
        self._search = self._ledger.search(name)
        self._converter = Converter(self._search)
        self._notes = Notes(self._search, _typed(ledger))
        self._gallery = Gallery(ledger.database, self._search, picture)
        self._studies: dict[str, Study] = {}
        self.written = 0
        self._below = 0  # every trial with a smaller id is written
        with self._lock.held():
            self._storage = open_storage(ledger.database)

    @property
    def trouble(self) -> str | None:
        """What kept pictures from being drawn, if anything did."""
        return self._gallery.trouble

    def synchronise(self, pause: Callable[[float], Any] = lambda seconds: None) -> int:
        """Write the trials that have ended, and those that run for long as they stand; returns how many ended.

        After each write, `pause` is called with the seconds it took.
        """
        pending, before = [], self.written
        rows = self._rows()
        if not rows:
            self._study("candidate")  # there to be looked at before its first trial
        for number, row in enumerate(rows):
            self._notes.see(row)
            study = self._study(row["kind"])
            if study.has(row["id"]):
                continue
            began = time.monotonic()
            over = row["state"] in ENDED
            if over or _runs_for_long(row):
                self._write(study, row, hurried=len(rows) - number > MOST_BEHIND)
                pause(time.monotonic() - began)
            if over:
                self.written += 1
            else:
                pending.append(row["id"])
        for study in self._studies.values():
            with self._lock.held(patient=True):
                study.put_curves()
        self._below = min(pending, default=rows[-1]["id"] + 1 if rows else self._below)
        return self.written - before

    def close(self) -> None:
        """Let go of Optuna's connections."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _write(self, study: Study, row: Json, hurried: bool) -> None:
        """Write what a study lacks of a trial; the ledger's own writes go before each part, drawing holds up none."""
        artifact = None
        if not study.has_ended(row["id"]):
            trial = self._converter.trial(row, self._ledger.epochs(row["id"]), study.aims)
            leads = row["kind"] == "final" or study.leads(trial)
            if row["state"] in ENDED and (leads or not hurried):
                artifact = self._gallery.hang(trial, row)
            with self._lock.held(patient=True):
                study.put(row["id"], trial, always_noted=leads)
        if study.takes_note(row["id"]):
            note = self._notes.note(row, study.aims, artifact and study.address_of(row["id"], artifact))
            with self._lock.held(patient=True):
                study.put_note(row["id"], note)

    def _rows(self) -> list[Json]:
        mine = (trials.c.search_id == self._search["id"]) & (trials.c.id >= self._below)
        with self._ledger.database.reading() as connection:
            return [
                dict(row) for row in connection.execute(select(trials).where(mine).order_by(trials.c.id)).mappings()
            ]

    def _study(self, kind: str) -> Study:
        shared = kind in OF_SUPERNETS
        name = self._search["name"] + (" (supernet)" if shared else "")
        if name not in self._studies:
            aims = Aims.of_supernets() if shared else Aims.of(self._search["goal"])
            with self._lock.held(patient=True):
                self._studies[name] = Study(self._storage, name, self._search, aims)
        return self._studies[name]


def _runs_for_long(row: Json) -> bool:
    return row["state"] == "running" and now() - row["started"] > timedelta(seconds=LONG_SECONDS)


def _typed(ledger: Ledger) -> str:
    """Return the database as one types it after --db; without a password."""
    url = ledger.database.url
    return str(url.database) if ledger.database.is_sqlite else url.render_as_string()
