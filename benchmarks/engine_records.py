"""What a durable trial costs: our record in SQLite against a trial of Optuna in SQLite and in its journal file.

    python -m benchmarks.engine_records [--folder .]

Ours is what a search writes of a trial: proposed and started, one transaction; its result, another. Optuna's is ask,
ten suggestions, tell, with the random sampler, which itself takes least. A round of ours is a search of 400 trials;
Optuna's study holds 200 before its first round, as ours does on average. All write into one folder, in turns. Ours is
SQLite's write-ahead log with synchronous=NORMAL: what was recorded outlives a killed process, a power cut may take the
last moments. Optuna's SQLite is as it sets it up, with a rollback journal and synchronous=FULL, and its journal file
syncs every entry: both outlive a power cut as well. The third figure has Optuna's SQLite set up as ours is.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.engine_asks import CATEGORIES, NUMBERS, objectives
from benchmarks.measure import Measured, interleaved, quiet_process, show
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial

OURS = 400  # trials of a round
THEIRS = {"SQLite": 20, "its journal file": 200, "SQLite, set up as ours": 60}
GOALS = {"SQLite": 50.0, "its journal file": 5.0, "SQLite, set up as ours": 5.0}
WAL = ("journal_mode=WAL", "synchronous=NORMAL")
PICKS = {name: [str(values[1])] for name, values in {**CATEGORIES, **{name: (0.0, 0.5) for name in NUMBERS}}.items()}


def ours(ledger: Ledger) -> None:
    """A search of some trials from proposal to result."""
    with ledger.open_search(space="ten", strategy="random-search", command="benchmark") as record:
        for number in range(OURS):
            trial(record, number)


def trial(record: SearchRecord, number: int) -> None:
    """One of ours."""
    lineage = {"settings": {"channels": 16, "layers": 8}}
    recipe = {"epochs": 5, "batch": 64, "lr": 0.01, "decay": 0.02}
    record.start(Trial(number, architecture=PICKS, seed=0, recipe=recipe, lineage=lineage), proposed=True)
    values = {"validation_accuracy": 0.5, "validation_loss": 1.0, "train_accuracy": 0.6, "train_loss": 0.9}
    record.record(Result(number, PICKS, f"nas1:{number}", values, 1000, 2000, 1.0), number, value=0.5)


def theirs(study: Any, trials: int) -> None:
    """Some of Optuna's."""
    for _ in range(trials):
        trial = study.ask()
        numbers = [float(trial.suggest_categorical(name, values)) for name, values in CATEGORIES.items()]
        numbers += [trial.suggest_float(name, 0.0, 1.0) for name in NUMBERS]
        study.tell(trial, objectives(numbers)[0])


def storages(folder: Path) -> dict[str, Callable[[], Any]]:
    """Optuna's places for trials."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    def as_ours() -> Any:
        from sqlalchemy import event

        made = RDBStorage(f"sqlite:///{folder / 'wal.db'}")
        event.listen(made.engine, "connect", lambda raw, _: [raw.execute(f"PRAGMA {one}") for one in WAL])
        made.engine.dispose()
        return made

    return {
        "SQLite": lambda: RDBStorage(f"sqlite:///{folder / 'optuna.db'}"),
        "its journal file": lambda: JournalStorage(JournalFileBackend(str(folder / "optuna.log"))),
        "SQLite, set up as ours": as_ours,
    }


def measurements(rounds: int = 5, folder: Path | None = None) -> Iterator[Measured]:
    """Each figure as soon as it is known; the files are made in a folder of this disk."""
    from optuna import create_study, logging
    from optuna.samplers import RandomSampler

    logging.set_verbosity(logging.WARNING)
    with tempfile.TemporaryDirectory(dir=folder or Path.cwd()) as place, Ledger(Path(place) / "ours.db") as ledger:
        for name, storage in storages(Path(place)).items():
            study = create_study(storage=storage(), sampler=RandomSampler(seed=0), direction="maximize")
            theirs(study, OURS // 2)
            trials = THEIRS[name]
            ratio, spread = interleaved(partial(theirs, study, trials), partial(ours, ledger), rounds)
            yield Measured(f"a durable trial, {name}", ratio * OURS / trials, spread, GOALS[name], f"Optuna in {name}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured; without, here")
    words = parser.parse_args()
    quiet_process()
    show(measurements(folder=words.folder))


if __name__ == "__main__":
    main()
