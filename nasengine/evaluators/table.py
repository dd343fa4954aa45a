"""Look an architecture up in a table of published results instead of training it.

A table answers per row, never by digest: networks that are the same up to the names of their nodes were trained apart,
and their published values differ.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from nasengine.errors import NasError
from nasengine.job import Job, Result
from nasengine.space import Architecture, Space
from nasengine.tables import Table, load_table
from nasengine.tables.mapping import SECONDS


def evaluate(
    job: Job,
    space: Space,
    dataset: Any = None,
    *,
    on_epoch: Any = None,
    checkpoint: Path | None = None,
    weights_to: Path | None = None,
) -> Result:
    """Answer with the values of the architecture's row, at once; its seconds are those that the training once took.

    The job's data is the table's name or file; its fidelity may name `dataset`, `epochs`, `mapping` and `join`. The
    value to report (test accuracy, as a rule) is given to a final job only: a strategy never sees it. A table has no
    images, no epochs to listen to and no weights, so that all but `job` is taken for the evaluators' common form alone.
    """
    try:
        table = table_of(job)
        values = table.at(table.row(Architecture.from_json(job.architecture)), job.fidelity.get("epochs"))
    except NasError as error:
        return Result(job.number, job.architecture, error=str(error))
    shown = {name: value for name, value in values.items() if job.final or name != table.report}
    params, macs = (None if name not in values else int(values[name]) for name in ("params", "macs"))
    seconds = values.get(SECONDS)
    return Result(job.number, job.architecture, values=shown, params=params, macs=macs, seconds=seconds)


def table_of(job: Job) -> Table:
    """The table that a job asks, loaded once in a process for each way of reading it."""
    return _loaded(job.data, job.space, json.dumps([job.settings, job.fidelity], sort_keys=True))


@lru_cache(maxsize=8)
def _loaded(data: str, space: str, how: str) -> Table:
    settings, fidelity = json.loads(how)
    return load_table(
        data,
        dataset=fidelity.get("dataset"),
        mapping=fidelity.get("mapping"),
        space=space,
        space_settings=settings,
        join=fidelity.get("join") or (),
    )
