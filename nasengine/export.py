"""Takes the network of a trial away: in the formats asked for, for another image size, with all that is known of it."""

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from nasengine import plugins
from nasengine.errors import DataError, ExportError
from nasengine.exporters.folder import USUAL, Exported, export, ready
from nasengine.exporters.held_out import held_out
from nasengine.exporters.resized import resized
from nasengine.interpreters.cost import cost
from nasengine.ledger.tables import searches, trials
from nasengine.training import data as data_sets

if TYPE_CHECKING:
    from nasengine.interpreters.model import Model
    from nasengine.runs import Trial

Note = Callable[[str], None]


def export_trial(
    trial: "Trial",
    folder: str | Path,
    formats: Sequence[str] = USUAL,
    *,
    batch: int | None = None,
    image: int | None = None,
    data: str | None = None,
    facts: Mapping[str, Any] | None = None,
    note: Note = lambda text: None,
) -> Exported:
    """Export a trial's network, measured on images it was not chosen by: test images, or validation of a candidate.

    `batch` fixes the batch of traced formats, `image` rebuilds the network for that many pixels a side, and `data` says
    where the data set is now. Raises ExportError before anything is written, ParityError where a format differs.
    """
    for flag, value in (("batch", batch), ("image", image)):
        if value is not None and value < 1:
            raise ExportError(f"export: {flag} came as {value}; give a whole number of at least 1")
    ready(Path(folder), formats)
    trained = trial.model()
    model = trained if image is None else _at(trial, trained, image)
    images = _images(trial, data, note)
    known = {**trial.facts(), **_over_seeds(trial), **(facts or {})}
    part = None
    if images is not None:
        _require_fit(images, trained, data)
        part = held_out(images, "test" if trial.kind == "final" else "validation", cost(model.space, model.picks).macs)
        known["class_names"] = list(images.class_names)
        if model is not trained and model.space.input != trained.space.input:
            known["trained_at"] = {"input": list(trained.space.input), part.metric: part.measure(trained)}
    return export(model, folder, formats, batch=batch, held_out=part, facts=known, note=note)


def _at(trial: "Trial", trained: "Model", side: int) -> "Model":
    """The network for square images of so many pixels a side."""
    channels = trained.space.input[0]
    space = plugins.load_space(trial.search["space"], {**trial.settings, "input": (channels, side, side)})
    return resized(trained, space)


def _images(trial: "Trial", data: str | None, note: Note) -> data_sets.Dataset | None:
    """The data that the network was trained on; None, and a note, where it is no longer to be had."""
    wanted, source = trial.search["data_fingerprint"], data or trial.search["data"]
    try:
        found = data_sets.load(source, limit=_limit(trial.search))
    except DataError as error:
        note(
            f"accuracy is not compared, and mean and std of the images are not known: {error}; --data says where it is"
        )
        return None
    if wanted is None or found.fingerprint == wanted:
        return found
    if data is not None:
        note(f"data {data} is not what the network was trained on: its fingerprint is another one")
        return found
    note(f"accuracy is not compared: data {source} is not what it was at the training; --data says where that is")
    return None


def _require_fit(images: data_sets.Dataset, trained: "Model", data: str | None) -> None:
    """Raise ExportError where images have other channels or classes than the network."""
    channels, classes = trained.space.input[0], trained.space.settings.get("classes", images.classes)
    if (images.input[0], images.classes) != (channels, classes):
        raise ExportError(
            f"data {data or images.name}: it has {images.input[0]} channels and {images.classes} classes; the network "
            f"takes {channels} and tells {classes}; give --data with images of the kind that it was trained on"
        )


def _limit(search: Mapping[str, Any]) -> int | None:
    """How many images were used, of which come mean and std; as recorded, else as typed."""
    if search["words"]:
        found: int | None = search["words"].get("limit")
        return found
    typed = re.search(r"--limit[ =](\d+)", search["command"] or "")
    return int(typed[1]) if typed else None


def _over_seeds(trial: "Trial") -> dict[str, Any]:
    """Mean and deviation of what the same network, trained by the same recipe on the same data, had under other seeds.

    Nothing where it was trained once.
    """
    if trial.kind != "final" or trial.ledger is None or trial.digest is None:
        return {}
    asked = (trials.c["values"], trials.c.recipe, trials.c.seed)
    query = select(*asked).join(searches, searches.c.id == trials.c.search_id)
    query = query.where(trials.c.digest == trial.digest, trials.c.kind == "final", trials.c.state == "complete")
    query = query.where(searches.c.data_fingerprint == trial.search["data_fingerprint"])
    with trial.ledger.database.reading() as connection:
        rows = connection.execute(query).mappings().all()
    by_seed = {row["seed"]: row["values"] for row in rows if row["recipe"] == trial.row["recipe"]}
    if len(by_seed) < 2:
        return {}
    names = [name for name in trial.values if name.startswith("test_") and all(name in one for one in by_seed.values())]
    found = {name: [one[name] for one in by_seed.values()] for name in names}
    return {
        "over_seeds": {
            name: {"mean": statistics.mean(one), "deviation": statistics.stdev(one), "seeds": len(one)}
            for name, one in found.items()
        }
    }
