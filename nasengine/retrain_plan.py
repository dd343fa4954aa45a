"""Works out which known architectures are to be trained, at which scale and by which recipe, and checks it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasengine.errors import NasError, did_you_mean
from nasengine.job import Job
from nasengine.ledger import DEFAULT
from nasengine.plan import DATA, OF_THE_DATA, space_for
from nasengine.plan_goal import check_output
from nasengine.runs import Run, picks_of
from nasengine.scale import OURS, published_recipe, published_scale
from nasengine.space import Architecture, Space
from nasengine.top import Candidate, top
from nasengine.training import data as data_sets
from nasengine.training.recipe import Recipe, recipe
from nasengine.training.tasks import check_recipe, task_of

Settings = Mapping[str, Any]
SCALES = ("published", "search")


@dataclass(frozen=True)
class Training:
    """Architectures to be trained, each once for each seed; checked."""

    space: Space
    space_name: str
    candidates: tuple[Candidate, ...]
    data_name: str
    dataset: data_sets.Dataset
    recipe: Recipe
    seed: int
    seeds: int
    limit: int | None
    name: str | None
    source: str | None = None  # the search whose candidates they are
    notes: tuple[str, ...] = field(default=())  # what a user should hear before it begins
    strategy_name: str = "train"

    def facts(self) -> dict[str, Any]:
        """What the ledger keeps of it; more seeds, or more of a search's candidates, go on under the same name."""
        one = {"architecture": self.candidates[0].architecture.to_json()}
        return {
            "space": self.space_name,
            "settings": dict(self.space.settings),
            "decisions": self.space.decisions,
            "strategy": self.strategy_name,
            "options": one if self.source is None else {"from": self.source},
            "evaluator": "train",
            "data": self.data_name,
            "data_fingerprint": self.dataset.fingerprint,
            "recipe": {"final": self.recipe.to_json()},
            "seed": self.seed,
            "epochs": self.recipe.epochs,
            "trials": self.seeds * len(self.candidates),
        }

    def pairs(self) -> Iterator[tuple[int, Candidate, int]]:
        """Place, candidate and seed of every training: all candidates under the first seed, then under the next."""
        for seed in range(self.seed, self.seed + self.seeds):
            for place, candidate in enumerate(self.candidates, 1):
                yield place, candidate, seed

    def job(self, number: int, candidate: Candidate, seed: int) -> Job:
        """The training of one architecture under one seed."""
        return Job(
            number=number, space=self.space_name, settings=dict(self.space.settings),
            architecture=candidate.architecture.to_json(), evaluator="train", recipe=self.recipe.to_json(),
            data=self.data_name, fidelity={} if self.limit is None else {"limit": self.limit}, seed=seed, final=True,
        )  # fmt: skip

    def lineage(self, place: int, candidate: Candidate) -> dict[str, Any]:
        """Where a network comes from: of a search, which of its candidates, and its place among them."""
        if self.source is None:
            return {"settings": dict(self.space.settings)}
        origin = f"{self.source}:{'final' if candidate.trial is None else candidate.trial}"
        return {"settings": dict(self.space.settings), "retrained_from": origin, "place": place}


def prepare(
    space: str,
    architecture: str | Architecture,
    data: Any = DATA,
    *,
    name: str | None = None,
    seeds: int = 1,
    seed: int = 0,
    limit: int | None = None,
    recipe_name: str | None = None,
    recipe_values: Settings | None = None,
    space_settings: Settings | None = None,
    db: str | Path = DEFAULT,
) -> Training:
    """Check everything before anything is trained; raises a NasError naming the bad word and what is allowed.

    `architecture` is one, or a word for `nasengine.runs.picks_of`: then the settings it was published with hold,
    except where `space_settings` or the data say otherwise.
    """
    _check(seeds=seeds, limit=limit)
    picks, published = (
        (architecture.picks, {}) if isinstance(architecture, Architecture) else picks_of(space, architecture, db)
    )
    dataset = data_sets.load(data, limit=limit)
    built = space_for(space, dataset, {**_kept(published), **(space_settings or {})})
    check_output(built, dataset)
    candidate = Candidate(built.check(picks))
    made = _recipe(recipe_name or OURS, recipe_values, dataset)
    return Training(built, space, (candidate,), _name_of(data, dataset), dataset, made, seed, seeds, limit, name)


def prepare_top(
    source: str,
    data: Any = None,
    *,
    count: int = 3,
    scale: str = "published",
    name: str | None = None,
    seeds: int = 3,
    seed: int = 0,
    limit: int | None = None,
    recipe_name: str | None = None,
    recipe_values: Settings | None = None,
    space_settings: Settings | None = None,
    db: str | Path = DEFAULT,
) -> Training:
    """The same for the best networks of a search, on its data, by the published recipe where the images suit that.

    `scale="published"` builds them as large as the space's published networks where that is possible, "search" leaves
    them as they are; `space_settings` override either. The record is called SOURCE-retrained.
    """
    _check(top=count, seeds=seeds, limit=limit)
    if scale not in SCALES:
        raise NasError(f"train: scale {scale!r} came; allowed are {', '.join(SCALES)}.{did_you_mean(scale, SCALES)}")
    run = Run(source, db)
    candidates, facts = tuple(top(run, count)), run.search
    wanted = _data_of(run) if data is None else data
    dataset = data_sets.load(wanted, limit=limit)
    space, settings = facts["space"], _kept(facts["settings"])
    larger: dict[str, Any] = {}
    if scale == "published":
        given = {"input": dataset.input, "classes": dataset.classes, **settings}
        larger = published_scale(space, given, [one.architecture for one in candidates])
    built = space_for(space, dataset, {**settings, **larger, **(space_settings or {})})
    check_output(built, dataset)
    for one in candidates:
        built.check(one.architecture.picks)
    chosen = recipe_name or published_recipe(space, dataset.input)
    notes = [_at_scale(built, larger, chosen)]
    if len(candidates) < count:
        notes.append(f"{source} has {len(candidates)} different networks, {count} were asked for")
    return Training(
        built, space, candidates, _name_of(wanted, dataset), dataset, _recipe(chosen, recipe_values, dataset), seed,
        seeds, limit, name or f"{source}-retrained", source, tuple(notes),
    )  # fmt: skip


def _at_scale(built: Space, larger: Settings, recipe_name: str) -> str:
    words = ", ".join(f"{name} {built.settings[name]}" for name in larger)
    return f"{f'at {words}' if words else 'at the scale of the search'}, by the recipe {recipe_name}"


def _recipe(name: str, values: Settings | None, dataset: data_sets.Dataset) -> Recipe:
    """The recipe of this name, as the data's task wants it and with these values."""
    task = task_of(dataset)
    made = recipe(name, **{**task.usual, **(values or {})})
    check_recipe(task, made)
    return made


def _check(**numbers: int | None) -> None:
    for flag, value in numbers.items():
        if value is not None and value < 1:
            raise NasError(f"train: {flag} came as {value}; give a whole number of at least 1")


def _kept(settings: Settings) -> dict[str, Any]:
    """Settings without those that the data decides."""
    return {key: value for key, value in settings.items() if key not in OF_THE_DATA}


def _name_of(data: Any, dataset: data_sets.Dataset) -> str:
    return str(data) if isinstance(data, str | Path) else dataset.name


def _data_of(run: Run) -> str:
    """The data of a search; what stands in for it where a table answered."""
    if run.search["evaluator"] == "table":
        return DATA
    if run.words is not None and "data" in run.words and run.words["data"] is None:
        raise NasError(f"train --from {run.name}: its images were handed in by a program; give --data")
    return str(run.search["data"])
