"""Optuna's own storage in the ledger's database, and the studies in it that are ours."""

import optuna
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import event

from nasengine.errors import LedgerError
from nasengine.job import Json
from nasengine.ledger.database import Database
from nasengine.ledger.optuna_aims import Aims

SEARCH_ID = "nasengine_search"
LAYOUT_KEY, LAYOUT = "nasengine:layout", 2  # a study of another layout is written anew
FACTS = ("space", "strategy", "data", "seed", "command")


def open_storage(database: Database) -> RDBStorage:
    """Open Optuna's storage in the ledger's database; in SQLite with the ledger's settings."""
    url = database.url.render_as_string(hide_password=False)
    options = {"connect_args": {"timeout": 60}} if database.is_sqlite else {"pool_pre_ping": True}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
    except RuntimeError as error:  # Optuna's tables are of another version of Optuna
        raise LedgerError(
            f"Optuna view: {error}; `optuna storage upgrade --storage URL` brings its tables up"
        ) from error
    if database.is_sqlite:
        event.listen(storage.engine, "connect", lambda new, record: new.execute("PRAGMA synchronous=NORMAL"))
        storage.engine.dispose()  # the connections opened before that
    return storage


def open_study(storage: RDBStorage, name: str, search: Json, aims: Aims) -> int:
    """Return the study of that name, made where it is missing or as an earlier version wrote it.

    Raises LedgerError when it is somebody else's.
    """
    try:
        study_id = storage.get_study_id_from_name(name)
    except KeyError:
        return _make(storage, name, search, aims)
    owner = storage.get_study_user_attrs(study_id).get(SEARCH_ID)
    if owner != search["id"] and (owner is not None or storage.get_n_trials(study_id)):
        raise LedgerError(f"Optuna view: study {name} is there and not nasengine's; choose another --name")
    if owner == search["id"] and storage.get_study_system_attrs(study_id).get(LAYOUT_KEY) == LAYOUT:
        return study_id
    storage.delete_study(study_id)  # Optuna cannot change a study's directions, nor a finished trial
    return _make(storage, name, search, aims)


def _make(storage: RDBStorage, name: str, search: Json, aims: Aims) -> int:
    study_id = _create_quietly(storage, name, aims)
    # `Study.set_metric_names` writes the same, but warns that it is experimental
    storage.set_study_system_attr(study_id, "study:metric_names", list(aims.objectives))
    storage.set_study_system_attr(study_id, LAYOUT_KEY, LAYOUT)
    for fact in FACTS:
        if search[fact] is not None:
            storage.set_study_user_attr(study_id, fact, search[fact])
    for name_of_bound, bound in aims.bounds.items():
        storage.set_study_user_attr(study_id, f"bound on {name_of_bound}", bound)
    storage.set_study_user_attr(study_id, SEARCH_ID, search["id"])  # last: without it, it was cut short
    return study_id


def _create_quietly(storage: RDBStorage, name: str, aims: Aims) -> int:
    directions = [StudyDirection.MAXIMIZE if large else StudyDirection.MINIMIZE for large in aims.objectives.values()]
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return storage.create_new_study(directions, study_name=name)
    finally:
        optuna.logging.set_verbosity(level)
