"""A trained supernet that a plan's candidates take their weights from, found in the results database."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasengine.errors import LedgerError, NasError
from nasengine.executors._storage import is_url
from nasengine.fidelity.report import LOW, known_fidelity
from nasengine.ledger import Ledger
from nasengine.runs import Run


@dataclass(frozen=True)
class Inherited:
    """What a search left that trained a supernet."""

    search: str
    space: str
    settings: Mapping[str, Any]  # of the networks that the search was about
    built_with: Mapping[str, Any]  # of the supernet itself
    data: str
    strategy: str
    options: Mapping[str, Any]
    weights: str
    trial: int  # its row: the same name may be trained anew
    limit: int | None = None  # of the images that it was trained on, as far as that is known

    def fidelity(self) -> dict[str, Any]:
        """What a job is told of it."""
        made_by = {"search": self.search, "trial": self.trial}
        return {**made_by, "strategy": self.strategy, "options": dict(self.options)}


def inherited(name: str, db: str | Path, files: str | None = None) -> Inherited:
    """The supernet of a search; NasError where there is none, or none that is ready.

    Where `files` of the search that wants it is a URL, its workers fetch the weights by the URL where they were kept.
    """
    run = Run(name, db)
    try:
        trial = run.trial("supernet")
    except LedgerError as error:
        raise NasError(
            f"--supernet {name}: that search trained no supernet; one is trained by --strategy one-shot, sandwich, "
            "elastic-vit or once-for-all, and its name is given here"
        ) from error
    if trial.state != "complete" or not trial.row["weights"]:
        raise NasError(
            f"--supernet {name}: its supernet is not trained to the end ({trial.state}), or its weights were removed; "
            "give that search's command again"
        )
    facts = run.search
    options = {key: value for key, value in facts["options"].items() if key != "policy"}
    weights = trial.row["weights"]
    if is_url(files):
        weights = next((row["weights"] for row in run.results() if row["kind"] == "supernet"), weights)
    return Inherited(
        name, facts["space"], facts["settings"], trial.settings, facts["data"], facts["strategy"], options,
        weights, trial.row["id"], (run.words or {}).get("limit"),
    )  # fmt: skip


def check_words(words: Mapping[str, Any], found: Inherited) -> None:
    """Raise NasError where what was asked for beside --supernet contradicts it."""
    faults = []
    if words["space"] not in (None, found.space):
        faults.append(f"--space {words['space']} came, it is of {found.space}; leave --space out")
    for name, value in (words["settings"] or {}).items():
        if str(found.settings.get(name)).lower() != str(value).lower():
            faults.append(f"--space.{name} {value} came, it has {found.settings.get(name)}; leave it out")
    if faults:
        raise NasError("; ".join(f"--supernet {found.search}: {fault}" for fault in faults))


def trust(ledger: Ledger, supernet: str) -> str:
    """How far values with a supernet's weights agreed with those after training, as far as that was measured."""
    known = known_fidelity(ledger, supernet)
    if known is None:
        return (
            f"whether values with the weights of {supernet} can be trusted is not known: nasengine fidelity {supernet}"
        )
    tau, low, high, samples = known
    agreed = f"Kendall's tau {tau:.2f}, {low:.2f} to {high:.2f}, over {samples} networks"
    if tau >= LOW and low >= 0:
        return f"values with the weights of {supernet} agreed with those after training ({agreed})"
    return (
        f"warning: values with the weights of {supernet} say little about those after training ({agreed}); train it "
        "longer, or by --strategy sandwich, before what is found here is believed"
    )
