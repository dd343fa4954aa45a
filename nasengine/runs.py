"""What searches left behind: a Run is one search in the results database, a Trial is one network of it."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from nasengine import plugins
from nasengine.commands import USUAL, train_command
from nasengine.errors import ExportError, LedgerError
from nasengine.executors._storage import is_url, local_copy
from nasengine.ledger import DEFAULT, Ledger
from nasengine.space import Architecture, Space

if TYPE_CHECKING:
    from pandas import DataFrame

    from nasengine.exporters.folder import Exported
    from nasengine.interpreters.model import Model

TRIAL = re.compile(r"([\w.-]+):(best|supernet|final(?:-\d+)?|\d+)")  # SEARCH:TRIAL


def run_folder(ledger: Ledger, name: str, files: str | None = None) -> Path:
    """The folder that holds a search's weights and checkpoints: NASENGINE.runs beside NASENGINE.db, one a database.

    `files` may name another one; where it is a URL, this folder holds copies of what lies there.
    """
    if files is not None and not is_url(files):
        return Path(files).expanduser().absolute() / name
    url = ledger.database.engine.url
    at_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return (Path(str(url.database)) if at_file else DEFAULT).with_suffix(".runs") / name


def address(ledger: Ledger) -> str:
    """Where a database is, as --db takes it: a SQLite file as its path, another by its URL without the password."""
    url = ledger.database.engine.url
    at_file = url.get_backend_name() == "sqlite" and url.database is not None
    return str(url.database) if at_file else url.render_as_string(hide_password=True)


def writable(folder: Path) -> Path:
    """A folder, made where it is missing. Raises LedgerError where nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LedgerError(
            f"folder {folder}: {error.strerror}; weights and checkpoints go there; make room and let it be written, or "
            "name another with --files"
        ) from error
    return folder


class Trial:
    """One network of a search: its figures as attributes, and the network itself."""

    def __init__(
        self,
        row: Mapping[str, Any],
        search: Mapping[str, Any],
        curve: list[dict[str, Any]],
        ledger: Ledger | None = None,
    ):
        self.row, self.search, self.epochs, self.ledger = row, search, curve, ledger
        self.number: int = row["trial"]
        self.kind: str = row["kind"]
        self.state: str = row["state"]
        self.digest: str | None = row["digest"]
        self.values: dict[str, float] = row["values"]
        self.params: int | None = row["params"]
        self.macs: int | None = row["macs"]
        self.seconds: float | None = row["seconds"]
        self.seed: int = row["seed"]
        self.error: str | None = row["error"]
        self.lineage: dict[str, Any] = row["lineage"] or {}
        self.settings: dict[str, Any] = self.lineage.get("settings", search["settings"])

    def __repr__(self) -> str:
        return f"Trial({self.search['name']} {self.kind} {self.number}: {self.state}, {self.values})"

    @property
    def architecture(self) -> Architecture:
        """The picks of this network."""
        return Architecture.from_json(self.row["architecture"])

    @property
    def space(self) -> Space:
        """The space that the network was built in, at the size it was trained at."""
        return plugins.load_space(self.search["space"], self.settings)

    def model(self, weights: bool = True) -> "Model":
        """The network as a PyTorch module, in evaluation mode, with its trained weights unless told otherwise."""
        from nasengine.interpreters.model import Model
        from nasengine.interpreters.weights import load_weights

        if self.kind == "supernet":
            raise ExportError(f"{self!r}: a supernet is not a network to keep; take the final one: run.best")
        made = Model(self.space, self.architecture)
        if weights:
            self._require_weights()
            load_weights(made, Path(self.row["weights"]))
        return made.eval()

    def _require_weights(self) -> None:
        """Raise ExportError with the command that makes them where there are none."""
        place = self.row["weights"]
        if place and Path(place).exists():
            return
        name = f"{self.search['name']}, {self.kind} {self.number}"
        why = (
            f"its weights are no longer at {place}"
            if place
            else "it has no weights: none were made, or they were pruned"
        )
        db = USUAL if self.ledger is None else address(self.ledger)
        raise ExportError(
            f"{name}: {why}; train the same architecture again, then export that:\n"
            f"  {train_command(self.search, self.row, db, seeds=1)}"
        )

    def export(
        self, folder: str | Path, formats: Sequence[str] = ("source", "safetensors"), **words: Any
    ) -> "Exported":
        """Write the network as a folder in these formats, each checked; takes what nasengine.export.export_trial takes.

        Without more it is source, weights, architecture.json and README.md, which need torch and safetensors alone.
        """
        from nasengine.export import export_trial

        return export_trial(self, folder, formats, **words)

    def facts(self) -> dict[str, Any]:
        """Everything known about where this network comes from, for its card."""
        return {
            "search": self.search["name"],
            "trial": self.number,
            "kind": self.kind,
            "space": self.search["space"],
            "settings": self.settings,
            "strategy": self.search["strategy"],
            "data": self.search["data"],
            "digest": self.digest,
            "values": self.values,
            "params": self.params,
            "macs": self.macs,
            "seconds": self.seconds,
            "seed": self.seed,
            "recipe": self.row["recipe"],
            "lineage": self.lineage,
            "environment": self.search["environment"],
        }


class Run:
    """One search, running or ended: results, curves and the best network, read from the database."""

    def __init__(self, name: str, db: str | Path = DEFAULT):
        self.ledger = Ledger(db, create=False)
        self.search = self.ledger.search(name)
        self.name = name

    def __repr__(self) -> str:
        return f"Run({self.name}: {self.search['state']}, {len(self.results())} results)"

    @property
    def words(self) -> dict[str, Any] | None:
        """What the search was asked, as arguments of `nasengine.plan.make`; None where that was not kept.

        Only what differs from the usual is there. An argument that no database holds, such as arrays, is None.
        """
        words: dict[str, Any] | None = self.search["words"]
        return words

    def results(self) -> list[dict[str, Any]]:
        """All trials as rows."""
        return self.ledger.results(self.name)

    def frame(self) -> "DataFrame":
        """All trials as a pandas table, one column a value."""
        return self.ledger.frame(self.name)

    def trials(self) -> list[Trial]:
        """All trials."""
        return [self._trial(row) for row in self.results()]

    def trial(self, which: str | int) -> Trial:
        """The trial called "best", "supernet", "final" (the first; "final-2" is number 2), or a candidate's number."""
        if str(which) == "best":
            return self.best
        for row in self.results():
            if str(which) in _names(row):
                return self._trial(row)
        there = [_names(row)[-1] for row in self.results()]
        raise LedgerError(
            f"search {self.name}: it has no trial {which!r}; there are {', '.join(there) or 'none'}, best"
        )

    @property
    def best(self) -> Trial:
        """The network that the search is about: the final one, or the best candidate so far."""
        row = self.ledger.best(self.name)
        if (
            row is None
            and any(one["kind"] == "supernet" for one in self.results())
            and self.search["state"] == "complete"
        ):
            raise LedgerError(
                f"search {self.name}: it trained a supernet and chose no network; this does, with its weights: "
                f"nasengine search --strategy evolution --supernet {self.name}"
            )
        if row is None:
            raise LedgerError(
                f"search {self.name}: no network is complete yet (state: {self.search['state']}); "
                "give the same search command again to go on"
            )
        return self._trial(row)

    def gates(self) -> list[dict[str, Any]]:
        """The gates of a gradient search, as rows of epoch, decision, option and value."""
        return self.ledger.gates(self.trial("supernet").row["id"])

    def _trial(self, row: Mapping[str, Any]) -> Trial:
        return Trial(
            {**row, "weights": self._place_of(row["weights"])}, self.search, self.ledger.epochs(row["id"]), self.ledger
        )

    def _place_of(self, weights: str | None) -> str | None:
        """Where weights are now: as recorded, or beside the database when it was moved or is read from elsewhere."""
        if is_url(weights):
            return str(local_copy(str(weights), run_folder(self.ledger, self.name)))
        if weights is None or Path(weights).exists() or self.name not in Path(weights).parts:
            return weights
        parts = Path(weights).parts
        last = len(parts) - parts[::-1].index(self.name)
        moved = run_folder(self.ledger, self.name).joinpath(*parts[last:])
        return str(moved) if moved.exists() else weights


def _names(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a trial is called in its search."""
    if row["kind"] == "candidate":
        return (str(row["trial"]),)
    return (row["kind"],) if row["kind"] == "supernet" else (row["kind"], f"{row['kind']}-{row['trial']}")


def picks_of(space_name: str, text: str, db: str | Path = DEFAULT) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    """Picks and the settings that come with them: of a published name, JSON text, a JSON file, or SEARCH:TRIAL."""
    match = TRIAL.fullmatch(text)
    if match is not None and not Path(text).exists():
        return _picks_of_trial(space_name, Run(match[1], db).trial(match[2]))
    if text.lstrip().startswith("{"):
        return _picks_of_json(text, text)
    if text.endswith(".json") or Path(text).is_file():
        if not Path(text).is_file():
            raise ExportError(f"architecture {text}: there is no such file; give a JSON file, JSON text or a name")
        return _picks_of_json(text, Path(text).read_text())
    named = plugins.published(space_name, text)
    return dict(named.picks), dict(named.settings)


def _picks_of_trial(space_name: str, trial: Trial) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    if plugins.find("space", trial.search["space"]) != plugins.find("space", space_name):
        there = trial.search["space"]
        raise ExportError(f"architecture {trial!r}: it is of space {there}, {space_name} came; give --space {there}")
    return dict(trial.architecture.picks), dict(trial.settings)


def _picks_of_json(place: str, text: str) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    try:
        read = json.loads(text)
        picks, settings = read.get("architecture", read), read.get("settings", {}) if "architecture" in read else {}
        kept = {str(name): (kept,) if isinstance(kept, str) else tuple(kept) for name, kept in picks.items()}
        return kept, dict(settings)
    except (ValueError, AttributeError, TypeError) as error:
        raise ExportError(f"architecture {place[:60]}: not JSON of decisions and options ({error})") from error
