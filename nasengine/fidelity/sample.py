"""The networks of a supernet's space that are to be measured with its weights and to be trained."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.bench.agreement import LEAST
from nasengine.errors import NasError
from nasengine.evaluators.inherit import BATCHES
from nasengine.fidelity.report import STRATEGY, Kind
from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.job import Job, reuse_key
from nasengine.ledger import DEFAULT, Ledger
from nasengine.plan_supernet import Inherited, inherited
from nasengine.space import Architecture, Space
from nasengine.training import data as data_sets
from nasengine.training.recipe import Recipe, recipe

DRAWS = 50  # for each network asked for, until so many different ones are found


@dataclass(frozen=True)
class Sample:
    """Networks of a supernet's space that are to be measured with its weights and to be trained; checked."""

    supernet: Inherited
    space: Space  # as networks are trained in it
    data_name: str
    dataset: data_sets.Dataset
    limit: int | None
    recipe: Recipe
    batches: int
    seed: int
    architectures: tuple[Architecture, ...]
    name: str
    strategy_name: str = STRATEGY

    @property
    def space_name(self) -> str:
        """The space's name or file."""
        return self.supernet.space

    def facts(self) -> dict[str, Any]:
        """What the ledger keeps of it; more networks under the same name go on with it."""
        return {
            "space": self.space_name,
            "settings": dict(self.space.settings),
            "decisions": self.space.decisions,
            "strategy": STRATEGY,
            "options": {"supernet": self.supernet.search, "batches": self.batches},
            "evaluator": "train",
            "data": self.data_name,
            "data_fingerprint": self.dataset.fingerprint,
            "recipe": {"candidate": self.recipe.to_json()},
            "seed": self.seed,
            "epochs": self.recipe.epochs,
            "trials": len(self.architectures),
        }

    def job(self, number: int, kind: Kind) -> Job:
        """One of the two trials of a network."""
        trained, fidelity = kind == "candidate", {} if self.limit is None else {"limit": self.limit}
        own = {} if trained else {"supernet": self.supernet.fidelity(), "batches": self.batches}
        return Job(
            number=number, space=self.space_name,
            settings=dict(self.space.settings if trained else self.supernet.built_with),
            architecture=self.architectures[number].to_json(), evaluator="train" if trained else "inherit",
            recipe=self.recipe.to_json(), data=self.data_name, fidelity={**fidelity, **own}, seed=self.seed,
            weights=None if trained else self.supernet.weights,
        )  # fmt: skip

    def key(self, job: Job) -> str:
        """Under which a training answers for an equal one, as in any search."""
        architecture = self.architectures[job.number]
        return reuse_key(
            digest=digest(self.space, architecture), layers=layers_fingerprint(self.space, architecture),
            recipe={**job.recipe, **self.space.recipe_of(architecture)}, data=self.dataset.fingerprint, seed=job.seed,
            fidelity={**job.fidelity, "settings": job.settings, "evaluator": job.evaluator},
        )  # fmt: skip


def prepare(
    name: str,
    *,
    db: str | Path = DEFAULT,
    samples: int = 10,
    seed: int = 0,
    epochs: int | None = None,
    batches: int = BATCHES,
    data: Any = None,
    limit: int | None = None,
    record_as: str | None = None,
    recipe_name: str = "proxy",
    recipe_values: Mapping[str, Any] | None = None,
) -> Sample:
    """Check everything before anything runs; raises a NasError naming what is wrong and what is allowed.

    `name` is a search that trained a supernet, or one whose candidates took their weights from such a supernet.
    Networks are drawn as random search draws them, those that equal another one left out. Without `data` and `limit`
    the images are those of the supernet.
    """
    for flag, value, least in (("samples", samples, LEAST), ("batches", batches, 1), ("limit", limit, 1)):
        if value is not None and value < least:
            raise NasError(f"fidelity: {flag} came as {value}; give a whole number of at least {least}")
    made = recipe(recipe_name, **{**(recipe_values or {}), **({} if epochs is None else {"epochs": epochs})})
    supernet = supernet_of(name, db)
    limit = supernet.limit if limit is None and data is None else limit
    dataset = data_sets.load(supernet.data if data is None else data, limit=limit)
    with Ledger(db, create=False) as ledger:
        search = ledger.search(supernet.search)
    if dataset.fingerprint != search["data_fingerprint"]:
        raise NasError(
            f"fidelity {name}: data {dataset.name} with limit {limit} came; the supernet was trained on other images; "
            f"give the --limit of its search, which was: {search['command']}"
        )
    space = plugins.load_space(supernet.space, supernet.settings)
    return Sample(
        supernet, space, supernet.data, dataset, limit, made, batches, seed, drawn(space, samples, seed),
        record_as or f"{name}-fidelity",
    )  # fmt: skip


def supernet_of(name: str, db: str | Path = DEFAULT) -> Inherited:
    """The supernet that a search trained, or that its candidates took their weights from."""
    with Ledger(db, create=False) as ledger:
        source = (ledger.search(name)["fidelity"] or {}).get("supernet", name)
    try:
        return inherited(source, db)
    except NasError as error:
        words = str(error).removeprefix(f"--supernet {source}: ")
        raise NasError(f"fidelity {name}: {source if source != name else 'there'}: {words}") from error


def drawn(space: Space, count: int, seed: int) -> tuple[Architecture, ...]:
    """So many different networks, or all that are found where the space has fewer; the first of them stay the first."""
    found: dict[str, Architecture] = {}
    for number in range(count * DRAWS):
        architecture = space.sample(random.Random(f"{seed}/{number}"))
        found.setdefault(digest(space, architecture), architecture)
        if len(found) == count:
            break
    if len(found) < LEAST:
        raise NasError(f"fidelity: space {space.name} has {len(found)} different networks; at least {LEAST} are ranked")
    return tuple(found.values())
